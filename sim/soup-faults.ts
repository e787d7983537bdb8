/** What befalls the servers of the soup and their network, and when it ends. */
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { ServerId } from "../src/raft/index.ts";
import type { TestCluster } from "../src/raft/testkit.ts";
import type { SoupSwarm } from "./soup-swarm.ts";
import { pick } from "./swarm.ts";

export class SoupFaults {
  readonly paused = new Set<ServerId>();
  readonly #cluster: TestCluster;
  readonly #swarm: SoupSwarm;
  readonly #random: SimRandom;
  #ends: { readonly at: number; readonly end: () => void }[] = [];

  constructor(cluster: TestCluster, swarm: SoupSwarm, random: SimRandom) {
    this.#cluster = cluster;
    this.#swarm = swarm;
    this.#random = random;
  }

  /** Of what is to end by now. */
  endSome(): void {
    const { now } = this.#cluster;
    const over = this.#ends.filter(({ at }) => at <= now);
    this.#ends = this.#ends.filter(({ at }) => at > now);
    for (const { end } of over) end();
  }

  endAll(): void {
    this.#ends = [];
    this.paused.clear();
    this.#cluster.heal();
    for (const { id, isUp } of this.#cluster.servers.values()) {
      if (!isUp) this.#cluster.start(id);
    }
  }

  /** After some heartbeat timeouts, or within one. */
  later(
    end: () => void,
    timeouts = this.#random.float() * (this.#random.chance(0.3) ? 1 : 6),
  ): void {
    const at = this.#cluster.now + timeouts * this.#swarm.heartbeatTimeoutMs;
    this.#ends.push({ at, end });
  }

  /** @returns what ends it before its time */
  cut(parts: (from: ServerId, to: ServerId) => boolean, timeouts?: number): () => void {
    const { ids, cuts } = this.#cluster;
    const pairs = ids.flatMap((from) =>
      ids.filter((to) => from !== to && parts(from, to)).map((to) => `${from}>${to}`),
    );
    for (const pair of pairs) cuts.add(pair);
    const end = (): void => {
      for (const pair of pairs) cuts.delete(pair);
    };
    this.later(end, timeouts);
    return end;
  }

  shutOut(id: ServerId, timeouts?: number): () => void {
    return this.cut((from, to) => from === id || to === id, timeouts);
  }

  /** Two sides, one server alone, or only two servers that do not reach each other; perhaps only one way. */
  split(): void {
    const random = this.#random;
    const { ids, leaders } = this.#cluster;
    const isOneWay = random.chance(0.3);
    const [alone = pick(random, ids)] = random.chance(0.5) ? leaders : [];
    const one = pick(random, ids);
    const other = pick(random, ids);
    const kind = pick(random, ["sides", "alone", "pair"]);
    const side = new Set(ids.filter(() => random.chance(0.5)));
    const parts = (from: ServerId, to: ServerId): boolean => {
      if (kind === "sides") return side.has(from) && !side.has(to);
      return kind === "alone" ? from === alone : from === one && to === other;
    };
    this.cut((from, to) => parts(from, to) || (!isOneWay && parts(to, from)));
  }

  crash(): void {
    const up = [...this.#cluster.servers.values()].filter(({ isUp }) => isUp);
    if (up.length === 0 || !this.#isSpare()) return;
    const target = pick(this.#random, up);
    this.paused.delete(target.id);
    this.#cluster.crash(target.id, this.#random.between(0, target.writes.length));
    const { life } = target;
    this.later(() => {
      if (!target.isUp && target.life === life) this.#cluster.start(target.id);
    });
  }

  restart(id: ServerId): void {
    const { isUp, writes } = this.#cluster.at(id);
    if (!isUp || this.paused.has(id)) return;
    this.#cluster.crash(id, writes.length);
    this.#cluster.start(id);
  }

  /** Every server at once loses what its disk has not finished, and comes back. */
  outage(): void {
    const up = this.#cluster.ids.filter((id) => this.#cluster.at(id).isUp);
    this.paused.clear();
    for (const id of up) this.#cluster.crash(id);
    for (const id of up) this.#cluster.start(id);
  }

  /** @param awake what happens to it once it is not paused any more, before anything else does */
  pause(awake: (id: ServerId) => void): void {
    const { leaders, ids } = this.#cluster;
    const isLeader = leaders.length > 0 && this.#random.chance(0.5);
    const target = pick(this.#random, isLeader ? leaders : ids);
    if (this.paused.has(target) || !this.#isSpare()) return;
    this.paused.add(target);
    this.later(() => {
      this.paused.delete(target);
      awake(target);
    });
  }

  /** Whether one more may be out of order. Mostly a majority goes on: without it little happens. */
  #isSpare(): boolean {
    const { ids } = this.#cluster;
    const out = ids.filter((id) => !this.#cluster.at(id).isUp || this.paused.has(id)).length;
    return out < Math.floor((ids.length - 1) / 2) || this.#random.chance(0.05);
  }
}
