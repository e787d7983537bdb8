/** Clients: each asks one thing after the other, of whom it takes for the leader, and gives up after a while. */
import type { SimClock, SimRandom } from "../src/platform/sim/index.ts";
import { RaftRefusal } from "../src/raft/index.ts";
import type { Cluster } from "./cluster.ts";
import type { History, PendingOperation } from "./history.ts";
import { encodeCommand, type RegisterCall } from "./register.ts";
import type { SimServer } from "./server.ts";
import { pick, type Swarm } from "./swarm.ts";

/** In heartbeat timeouts. */
const PATIENCE = 4;

export class Clients {
  readonly #cluster: Cluster;
  readonly #history: History;
  readonly #swarm: Swarm;
  readonly #random: SimRandom;
  #nextValue = 1;
  #isOver = false;

  constructor(cluster: Cluster, history: History, swarm: Swarm, random: SimRandom) {
    this.#cluster = cluster;
    this.#history = history;
    this.#swarm = swarm;
    this.#random = random;
    for (let count = 0; count < swarm.clientCount; count += 1) void this.#client();
  }

  stop(): void {
    this.#isOver = true;
  }

  async #client(): Promise<void> {
    const { clock, servers } = this.#cluster;
    let server = pick(this.#random, servers);
    while (!this.#isOver) {
      await passed(clock, this.#swarm.thinkMs * 2 * this.#random.float());
      if (this.#isOver) return;
      const heard = await this.#askOnce(server);
      // Some stay with whom they know, even if that is not wise.
      if (!heard || this.#random.chance(0.05)) server = this.#another();
    }
  }

  #another(): SimServer {
    const { leaders, servers } = this.#cluster;
    return this.#random.chance(0.7) && leaders.length > 0
      ? pick(this.#random, leaders)
      : pick(this.#random, servers);
  }

  /** @returns whether there was an answer */
  async #askOnce(server: SimServer): Promise<boolean> {
    const { raft } = server;
    if (raft === undefined || this.#cluster.links.isPaused(server.host)) return false;
    const key = `k${this.#random.between(1, this.#swarm.keyCount)}`;
    const operation = this.#history.called(key, this.#draw());
    return this.ask(server, operation, this.#random.chance(0.5) ? "lease" : "round");
  }

  /** @returns whether there was an answer in time */
  async ask(
    { raft, registers }: SimServer,
    operation: PendingOperation,
    safety: "lease" | "round",
  ): Promise<boolean> {
    const { id, key, call } = operation;
    if (raft === undefined) return false;
    const asked =
      call.kind === "get"
        ? raft.readIndex(safety).then(() => registers.read(key))
        : raft.apply(encodeCommand({ id, key, call }));
    const patienceMs = PATIENCE * this.#swarm.heartbeatTimeoutMs;
    const patience = passed(this.#cluster.clock, patienceMs).then(() => "too late" as const);
    try {
      const result = await Promise.race([asked.then((value) => ({ value })), patience]);
      if (result === "too late") {
        asked.catch(() => undefined);
        return false;
      }
      this.#history.returned(operation, result.value);
      return true;
    } catch (error) {
      if (error instanceof RaftRefusal) return false;
      throw error;
    }
  }

  #draw(): RegisterCall {
    const value = `v${this.#nextValue++}`;
    if (this.#random.chance(0.5)) return { kind: "get" };
    if (this.#random.chance(0.7)) return { kind: "set", value };
    const expected = `v${Math.max(0, this.#nextValue - this.#random.between(2, 5))}`;
    return { kind: "compareAndSet", expected, value };
  }
}

function passed(clock: SimClock, durationMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(durationMs, resolve));
}
