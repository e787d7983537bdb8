/** Who makes trouble: begins faults at random, of the kinds that the swarm has drawn, and ends each after a while. */
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { Change } from "../src/raft/index.ts";
import type { Cluster } from "./cluster.ts";
import type { SimServer } from "./server.ts";
import { pick, type FaultKind, type Swarm } from "./swarm.ts";

/** In heartbeat timeouts. */
const SHORT = 1;
const LONG = 6;

export class Nemesis {
  readonly #cluster: Cluster;
  readonly #swarm: Swarm;
  readonly #random: SimRandom;
  readonly #ends = new Set<() => void>();
  /** Down or paused. */
  readonly #out = new Set<SimServer>();
  readonly story: string[] = [];
  #isOver = false;

  constructor(cluster: Cluster, swarm: Swarm, random: SimRandom) {
    this.#cluster = cluster;
    this.#swarm = swarm;
    this.#random = random;
    this.#wait();
  }

  /** Ends every fault, and begins no more. */
  stop(): void {
    this.#isOver = true;
    for (const end of this.#ends) end();
  }

  #wait(): void {
    const { calmMs } = this.#swarm;
    this.#cluster.clock.after(-Math.log(1 - this.#random.float()) * calmMs, () => {
      if (this.#isOver) return;
      this.#strike(pick(this.#random, this.#swarm.faults));
      this.#wait();
    });
  }

  #strike(kind: FaultKind): void {
    const target = this.#target();
    this.story.push(
      `${Math.round(this.#cluster.clock.now() - 1_000_000)} ms: ${kind} ${target.name}`,
    );
    switch (kind) {
      case "crash":
        return this.#crash(target);
      case "split":
        return this.#split(target);
      case "pause":
        return this.#pause(target);
      case "slow host": {
        const { links } = this.#cluster;
        const slow = links.slow(target.host, this.#swarm.heartbeatTimeoutMs * this.#random.float());
        return this.#later(() => slow[Symbol.dispose]());
      }
      case "full disk":
        return this.#fillDisk(target);
      case "failing disk": {
        const { disk } = target.platform;
        disk.failSyncs = () => true;
        return this.#later(() => (disk.failSyncs = () => false));
      }
      case "slow disk":
        return this.#slowDisk(target);
      case "flipped bit":
        // A machine that fails meanwhile is spared.
        this.#flipBit(target).catch(() => undefined);
        return;
      case "transfer":
        void this.#cluster.leader?.raft?.transferLeadership().catch(() => undefined);
        return;
      case "change":
        return this.#change(target);
      case "power cut":
        return this.#cutPower();
    }
  }

  /** The leader as often as not: there it hurts most. */
  #target(): SimServer {
    const { leaders, servers } = this.#cluster;
    return pick(this.#random, leaders.length > 0 && this.#random.chance(0.5) ? leaders : servers);
  }

  /** Whether one more may be out of order. Mostly a majority goes on: without it little happens. */
  #isSpare(): boolean {
    const { serverCount } = this.#swarm;
    return this.#out.size < Math.floor((serverCount - 1) / 2) || this.#random.chance(0.1);
  }

  #crash(target: SimServer): void {
    if (!target.isUp || !this.#isSpare()) return;
    target.crash();
    this.#out.add(target);
    this.#later(() => {
      this.#out.delete(target);
      void this.#cluster.restart(target);
    });
  }

  /** All at once lose what their disks have not finished, and come back soon. */
  #cutPower(): void {
    const up = this.#cluster.servers.filter(({ isUp }) => isUp);
    for (const target of up) {
      target.crash();
      this.#out.add(target);
      this.#later(() => {
        this.#out.delete(target);
        void this.#cluster.restart(target);
      });
    }
  }

  /** Two sides, one server alone, or only two servers that do not reach each other; perhaps only one way. */
  #split(target: SimServer): void {
    const { servers, links } = this.#cluster;
    const kind = pick(this.#random, ["sides", "alone", "pair"] as const);
    const side = kind === "sides" ? servers.filter(() => this.#random.chance(0.5)) : [target];
    const others = servers.filter((server) => !side.includes(server));
    const there = kind === "pair" ? others.filter((_server, at) => at === 0) : others;
    const from = side.map(({ host }) => host);
    const to = there.map(({ host }) => host);
    const cuts = [links.cut(from, to)];
    if (this.#random.chance(0.7)) cuts.push(links.cut(to, from));
    this.#later(() => {
      for (const cut of cuts) cut[Symbol.dispose]();
    });
  }

  #pause(target: SimServer): void {
    if (this.#out.has(target) || !this.#isSpare()) return;
    this.#out.add(target);
    const paused = this.#cluster.links.pause(target.host);
    this.#later(() => {
      this.#out.delete(target);
      paused[Symbol.dispose]();
    });
  }

  #fillDisk({ platform: { disk } }: SimServer): void {
    disk.capacityBytes = 0;
    this.#later(() => (disk.capacityBytes = Number.POSITIVE_INFINITY));
  }

  #slowDisk({ platform: { disk } }: SimServer): void {
    const { clock } = this.#cluster;
    const mostMs = this.#swarm.heartbeatTimeoutMs * this.#random.float();
    disk.pace = () => new Promise((resolve) => clock.after(this.#random.float() * mostMs, resolve));
    this.#later(() => (disk.pace = () => Promise.resolve()));
  }

  /**
   * Found when the server starts, and put right from the others. Not while another one has something to put
   * right: what a majority has lost is lost.
   */
  async #flipBit(target: SimServer): Promise<void> {
    const { servers } = this.#cluster;
    // Nor where it may become the only one who decides.
    if (this.#swarm.serverCount < 3 || this.#swarm.faults.includes("change")) return;
    if (servers.some(({ isUp }) => !isUp)) return;
    for (const { platform } of servers) {
      if ((await platform.disk.read("/raft/lost.json")) !== undefined) return;
    }
    if (!target.isUp || this.#isOver) return;
    target.crash();
    await this.#flipSomewhere(target);
    this.#out.add(target);
    this.#later(() => {
      this.#out.delete(target);
      void this.#cluster.restart(target);
    });
  }

  async #flipSomewhere({ platform: { disk } }: SimServer): Promise<void> {
    const files = (await disk.list("/raft/wal")) ?? [];
    const segments = files.filter(({ name }) => name.endsWith(".wal"));
    if (segments.length === 0) return;
    const path = `/raft/wal/${pick(this.#random, segments).name}`;
    const size = (await disk.read(path))?.byteLength ?? 0;
    if (size > 0) disk.flipBit(path, this.#random.between(0, size - 1), this.#random.between(0, 7));
  }

  #change(target: SimServer): void {
    const { raft } = this.#cluster.leader ?? {};
    if (raft === undefined) return;
    const { id, address } = target.peer;
    const change = pick<Change>(this.#random, [
      { kind: "addVoter", id, address },
      { kind: "addVoter", id, address },
      { kind: "addNonvoter", id, address },
      { kind: "demote", id },
      { kind: "remove", id },
    ]);
    void raft.change(change).catch(() => undefined);
  }

  #later(end: () => void): void {
    const timeouts = this.#random.float() * (this.#random.chance(0.3) ? SHORT : LONG);
    const once = (): void => {
      if (this.#ends.delete(once)) end();
    };
    if (this.#isOver) {
      end();
      return;
    }
    this.#ends.add(once);
    this.#cluster.clock.after(timeouts * this.#swarm.heartbeatTimeoutMs, once);
  }
}
