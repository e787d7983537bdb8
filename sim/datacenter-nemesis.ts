/** Who makes trouble for whole agents: begins faults at random, of the kinds that the swarm has drawn, and ends them. */
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { SimAgent } from "./datacenter-agent.ts";
import type { Datacenter } from "./datacenter.ts";
import type { DatacenterSwarm, Trouble } from "./datacenter-swarm.ts";
import { pick } from "./swarm.ts";

const SHORT_MS = 2000;
/** While a trouble lasts, whom it is for is marked so often. */
const MARK_MS = 1000;

export class DatacenterNemesis {
  readonly #datacenter: Datacenter;
  readonly #swarm: DatacenterSwarm;
  readonly #random: SimRandom;
  readonly #ends = new Set<() => void>();
  /** Down, away or paused. */
  readonly #out = new Set<SimAgent>();
  readonly story: string[] = [];
  #isOver = false;

  constructor(datacenter: Datacenter, swarm: DatacenterSwarm, random: SimRandom) {
    this.#datacenter = datacenter;
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
    this.#datacenter.clock.after(-Math.log(1 - this.#random.float()) * this.#swarm.calmMs, () => {
      if (this.#isOver) return;
      this.#strike(pick(this.#random, this.#swarm.troubles));
      this.#wait();
    });
  }

  #strike(kind: Trouble): void {
    const target = this.#target();
    this.#tell(`${kind} ${target.name}`);
    switch (kind) {
      case "crash":
        return this.#crash([target], "stays");
      case "power cut":
        return this.#crash(this.#datacenter.up, "stays");
      case "move":
        // A client that comes back elsewhere before the others have missed it loses its name, and gives up.
        return this.#crash([target], target.isServer ? "moves" : "stays");
      case "pause":
        return this.#pause(target);
      case "split":
        return this.#split(target);
      case "slow host": {
        const slow = this.#datacenter.links.slow(target.host, 300 * this.#random.float());
        return this.#later([target], () => slow[Symbol.dispose]());
      }
      case "slow disk":
        return this.#slowDisk(target);
      case "failing disk": {
        const { disk } = target.machine;
        disk.failSyncs = () => true;
        return this.#later([target], () => (disk.failSyncs = () => false));
      }
      case "leave":
        return this.#leave(target);
    }
  }

  #tell(what: string): void {
    this.story.push(`${Math.round(this.#datacenter.clock.now() - 1_000_000)} ms: ${what}`);
  }

  /** The leader as often as not, and a server rather than a client. */
  #target(): SimAgent {
    const { leader, servers, agents } = this.#datacenter;
    if (leader !== undefined && this.#random.chance(0.4)) return leader;
    return pick(this.#random, this.#random.chance(0.6) ? servers : agents);
  }

  /** Whether one more server may be out of order: mostly a majority goes on. */
  #isSpare(target: SimAgent): boolean {
    if (!target.isServer) return true;
    const out = [...this.#out].filter(({ isServer }) => isServer).length;
    const { serverCount } = this.#swarm;
    return out < Math.floor((serverCount - 1) / 2) || this.#random.chance(0.15);
  }

  #crash(targets: readonly SimAgent[], how: "stays" | "moves"): void {
    const up = targets.filter(({ isUp }) => isUp);
    const [only] = up;
    if (only === undefined || (up.length === 1 && !this.#isSpare(only))) return;
    for (const target of up) {
      this.#datacenter.crash(target);
      this.#out.add(target);
      if (how === "moves") this.#datacenter.move(target);
      this.#later([target], () => {
        this.#out.delete(target);
        this.#tell(`${target.name} is back`);
        void this.#datacenter.restart(target);
      });
    }
  }

  #pause(target: SimAgent): void {
    if (this.#out.has(target) || !this.#isSpare(target)) return;
    this.#out.add(target);
    const paused = this.#datacenter.links.pause(target.host);
    this.#later([target], () => {
      this.#out.delete(target);
      paused[Symbol.dispose]();
    });
  }

  /** Two sides, one agent alone, or only two that do not reach each other; perhaps only one way. */
  #split(target: SimAgent): void {
    const { agents, links } = this.#datacenter;
    const kind = pick(this.#random, ["sides", "alone", "alone", "pair"] as const);
    const side = kind === "sides" ? agents.filter(() => this.#random.chance(0.5)) : [target];
    const others = agents.filter((agent) => !side.includes(agent));
    const there = kind === "pair" ? others.filter((_agent, at) => at === 0) : others;
    const from = side.map(({ host }) => host);
    const to = there.map(({ host }) => host);
    const cuts = [links.cut(from, to)];
    if (this.#random.chance(0.7)) cuts.push(links.cut(to, from));
    this.#later(kind === "alone" ? side : [...side, ...there], () => {
      for (const cut of cuts) cut[Symbol.dispose]();
    });
  }

  #slowDisk(target: SimAgent): void {
    const { disk } = target.machine;
    const mostMs = 300 * this.#random.float();
    const { clock } = this.#datacenter;
    disk.pace = () => new Promise((resolve) => clock.after(this.#random.float() * mostMs, resolve));
    this.#later([target], () => (disk.pace = () => Promise.resolve()));
  }

  /** Properly, and back after a while: with its disk as it was. */
  #leave(target: SimAgent): void {
    if (!target.isUp || this.#out.has(target) || !this.#isSpare(target)) return;
    if (target.isServer && this.#swarm.serverCount < 3) return;
    this.#out.add(target);
    const left = target.leave().catch(() => undefined);
    this.#later([target], () => {
      void left.then(() => {
        this.#out.delete(target);
        this.#tell(`${target.name} comes back`);
        return this.#datacenter.restart(target);
      });
    });
  }

  #later(whom: readonly SimAgent[], end: () => void): void {
    const durationMs =
      this.#random.float() * (this.#random.chance(0.3) ? SHORT_MS : this.#swarm.longMs);
    const { clock } = this.#datacenter;
    const mark = (): void => {
      for (const agent of whom) this.#datacenter.troubled(agent);
      if (this.#ends.has(once)) clock.after(MARK_MS, mark);
    };
    const once = (): void => {
      if (!this.#ends.delete(once)) return;
      for (const agent of whom) this.#datacenter.troubled(agent);
      end();
    };
    if (this.#isOver) {
      end();
      return;
    }
    this.#ends.add(once);
    mark();
    clock.after(durationMs, once);
  }
}
