/** A cluster of simulated servers in one world, and what can be done to it. */
import { simPlatform, type SimClock, type SimLinks, SimRandom } from "../src/platform/sim/index.ts";
import type { Server } from "../src/raft/index.ts";
import type { History } from "./history.ts";
import { Violation, type Invariants } from "./invariants.ts";
import { SimServer, type Mutation } from "./server.ts";
import type { Swarm } from "./swarm.ts";

const NAMES = "abcdefghij";

export interface ClusterOptions {
  readonly seed: string;
  readonly swarm: Swarm;
  readonly invariants: Invariants;
  readonly history: History;
  readonly mutation: Mutation;
}

export class Cluster {
  readonly clock: SimClock;
  readonly links: SimLinks;
  readonly servers: readonly SimServer[];
  /** That belong to it at first. */
  readonly #members: readonly Server[];
  readonly #random: SimRandom;
  readonly #restartMs: number;

  constructor({ seed, swarm, invariants, history, mutation }: ClusterOptions) {
    const world = simPlatform({ seed });
    this.clock = world.clock;
    this.links = world.network.links;
    this.#random = new SimRandom(`${seed} cluster`);
    const { serverCount, nonvoterCount, strangerCount, heartbeatTimeoutMs } = swarm;
    this.#restartMs = heartbeatTimeoutMs;
    const names = NAMES.split("").slice(0, serverCount + nonvoterCount + strangerCount);
    const ignorant = new Set(names.filter(() => !this.#random.chance(swarm.preVoteRatio)));
    this.servers = names.map((name, at) => {
      const host = `10.0.0.${at + 1}`;
      const own = simPlatform({ seed: `${seed} ${name}`, beside: world });
      return new SimServer({
        name,
        host,
        platform: { ...own, network: world.network.at(host) },
        timings: {
          heartbeatTimeoutMs,
          electionTimeoutMs: heartbeatTimeoutMs,
          leaseTimeoutMs: swarm.leaseTimeoutMs,
          commitTimeoutMs: swarm.commitTimeoutMs,
        },
        clockRate: 1 + swarm.drift * (2 * this.#random.float() - 1),
        trailingLogs: swarm.trailingLogs,
        snapshotThreshold: swarm.snapshotThreshold,
        batchEntriesMax: swarm.batchEntriesMax,
        recentBytesMax: swarm.recentBytesMax,
        segmentMaxBytes: swarm.segmentMaxBytes,
        knowsPreVote: (id) => !ignorant.has(id),
        invariants,
        onExit: () => this.#exited(name),
        onApplied: (entry, result) => history.tookEffect(entry.data, result),
        mutation,
      });
    });
    this.#members = this.servers.slice(0, serverCount + nonvoterCount).map(({ peer }, at) => ({
      ...peer,
      suffrage: at < serverCount ? "voter" : "nonvoter",
    }));
  }

  async start(): Promise<void> {
    for (const server of this.servers.slice(0, this.#members.length)) {
      await server.bootstrap({ servers: this.#members });
    }
    for (const server of this.servers) await this.restart(server);
  }

  /** Of those that run and say that they lead. */
  get leaders(): readonly SimServer[] {
    return this.servers.filter(({ raft }) => raft?.standing.role === "leader");
  }

  /** Who leads in the newest term. */
  get leader(): SimServer | undefined {
    let newest: SimServer | undefined;
    for (const server of this.leaders) {
      const term = server.raft?.standing.term ?? 0;
      if (newest === undefined || term > (newest.raft?.standing.term ?? 0)) newest = server;
    }
    return newest;
  }

  /** Starts it beside everything else; again after a while, as long as its disk does not let it. */
  async restart(server: SimServer): Promise<void> {
    if (server.isUp) return;
    await server.start();
    if (server.startFailure !== undefined) {
      this.clock.after(this.#restartMs, () => void this.restart(server));
    }
  }

  #exited(name: string): void {
    const server = this.servers.find((other) => other.name === name);
    if (server === undefined || !server.isUp) return;
    server.crash();
    this.clock.after(this.#restartMs, () => void this.restart(server));
  }

  /** Whatever failed by itself is a bug: nothing that happens to a server may do that. */
  demandHealthy(): void {
    for (const { name, failure } of this.servers) {
      if (failure !== undefined) throw new Violation(`${name} failed: ${failure.stack}`);
    }
  }

  async stop(): Promise<void> {
    for (const server of this.servers) server.crash();
    await this.clock.settle();
  }
}
