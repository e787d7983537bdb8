/**
 * One run: a cluster suffers, then is left in peace. While it suffers nothing wrong may happen; once nothing
 * fails any more, a leader must come, a write succeed, and everybody agree.
 */
import type { SimRandom as Random } from "../src/platform/sim/index.ts";
import { SimRandom } from "../src/platform/sim/index.ts";
import { Clients } from "./clients.ts";
import { Cluster } from "./cluster.ts";
import { History } from "./history.ts";
import { Invariants, Violation } from "./invariants.ts";
import { Nemesis } from "./nemesis.ts";
import type { Mutation, SimServer } from "./server.ts";
import { drawSwarm, type FaultKind, type Swarm } from "./swarm.ts";

/** What is owed once nothing fails any more, is owed within so many heartbeat timeouts. */
const RECOVERY = 100;
const SETTLING = 8;

export interface RunOptions {
  readonly seed: number | string;
  readonly mutation?: Mutation;
  /** Less than what the seed draws, to find out what matters. */
  readonly swarm?: Partial<Swarm>;
}
export interface RunResult {
  readonly violation: string | undefined;
  readonly story: readonly string[];
  readonly swarm: Swarm;
  readonly simulatedMs: number;
  readonly elections: number;
  readonly operations: number;
  readonly answered: number;
  /** Of everything that went over the network. */
  readonly traceHash: string;
}

export async function run({
  seed,
  mutation = {},
  swarm: less = {},
}: RunOptions): Promise<RunResult> {
  const random = new SimRandom(seed);
  const swarm = { ...drawSwarm(random.fork("swarm")), ...less };
  const invariants = new Invariants();
  const history = new History();
  const cluster = new Cluster({ seed: String(seed), swarm, invariants, history, mutation });
  const scenario = new Scenario(cluster, swarm, history, random);
  const startedAt = cluster.clock.now();
  let violation: string | undefined;
  try {
    await scenario.play();
  } catch (error) {
    violation = error instanceof Violation ? error.message : `${(error as Error).stack}`;
  }
  await scenario.stop();
  return {
    violation,
    story: scenario.story,
    swarm,
    simulatedMs: cluster.clock.now() - startedAt,
    elections: invariants.elections,
    operations: history.length,
    answered: history.answered,
    traceHash: cluster.links.traceHash,
  };
}

/** Leaves out of a failing run whatever it fails without, a thing at a time. */
export async function shrink(options: RunOptions): Promise<RunResult> {
  let best = await run(options);
  const attempts = [
    ...best.swarm.faults.map((left) => ({ without: left })),
    { serverCount: 3 },
    { nonvoterCount: 0 },
    { strangerCount: 0 },
    { lossRatio: 0 },
    { drift: 0 },
    { clientCount: 1 },
    { keyCount: 1 },
    { preVoteRatio: 1 },
    { faultsMs: best.swarm.faultsMs / 2 },
    { faultsMs: best.swarm.faultsMs / 4 },
  ];
  for (const attempt of attempts) {
    const less = "without" in attempt ? withoutFault(best.swarm, attempt.without) : attempt;
    if (less === undefined) continue;
    const result = await run({ ...options, swarm: { ...best.swarm, ...less } });
    if (result.violation !== undefined) best = result;
  }
  return best;
}

function withoutFault({ faults }: Swarm, left: FaultKind): Partial<Swarm> | undefined {
  const others = faults.filter((kind) => kind !== left);
  return others.length > 0 ? { faults: others } : undefined;
}

class Scenario {
  readonly #cluster: Cluster;
  readonly #swarm: Swarm;
  readonly #history: History;
  readonly #clients: Clients;
  readonly #nemesis: Nemesis;

  constructor(cluster: Cluster, swarm: Swarm, history: History, random: Random) {
    this.#cluster = cluster;
    this.#swarm = swarm;
    this.#history = history;
    const { latency, lossRatio } = swarm;
    cluster.links.everywhere({ latency, lossRatio });
    this.#clients = new Clients(cluster, history, swarm, random.fork("clients"));
    this.#nemesis = new Nemesis(cluster, swarm, random.fork("nemesis"));
  }

  get story(): readonly string[] {
    return this.#nemesis.story;
  }

  async play(): Promise<void> {
    const { clock } = this.#cluster;
    await clock.until(this.#cluster.start());
    await this.#pass(this.#swarm.faultsMs, () => false);
    this.#nemesis.stop();
    await this.#pass(SETTLING * this.#swarm.heartbeatTimeoutMs, () => false);
    this.#clients.stop();
    const leader = await this.#leader();
    await this.#write(leader);
    await this.#agreement(leader);
    this.#history.judge();
  }

  async stop(): Promise<void> {
    this.#nemesis.stop();
    this.#clients.stop();
    await this.#cluster.stop();
  }

  async #leader(): Promise<SimServer> {
    await this.#pass(this.#recoveryMs, () => this.#cluster.leader !== undefined);
    const { leader } = this.#cluster;
    if (leader === undefined) throw new Violation("nobody leads though nothing fails any more");
    return leader;
  }

  async #write(leader: SimServer): Promise<void> {
    const operation = this.#history.called("k1", { kind: "set", value: "at last" });
    void this.#clients.ask(leader, operation, "round");
    await this.#pass(this.#recoveryMs, () => Number.isFinite(operation.tookEffectAt));
    if (Number.isFinite(operation.tookEffectAt)) return;
    throw new Violation("a write is not done though nothing fails any more");
  }

  async #agreement({ raft }: SimServer): Promise<void> {
    const laggard = (): SimServer | undefined =>
      this.#cluster.servers.find(({ name, raft: other }) => {
        const isMember = raft?.configuration.servers.some(({ id }) => id === name) === true;
        return isMember && (other?.applied.index ?? 0) < (raft?.commitIndex ?? 0);
      });
    await this.#pass(this.#recoveryMs, () => laggard() === undefined);
    const behind = laggard();
    if (behind !== undefined) throw new Violation(`${behind.name} does not catch up`);
  }

  get #recoveryMs(): number {
    return RECOVERY * this.#swarm.heartbeatTimeoutMs;
  }

  /** Lets time pass until it has, or something is so. */
  async #pass(mostMs: number, isDone: () => boolean): Promise<void> {
    const { clock } = this.#cluster;
    const end = clock.now() + mostMs;
    const step = this.#swarm.heartbeatTimeoutMs / 2;
    while (clock.now() < end && !isDone()) {
      await clock.run(Math.min(step, end - clock.now()));
      this.#cluster.demandHealthy();
    }
  }
}
