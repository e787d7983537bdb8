/**
 * One run of a datacenter of whole agents: it suffers, then is left in peace. While it suffers nothing wrong may be
 * seen; once nothing fails any more, a leader must come, everybody agree, and every watcher have seen everything.
 */
import { SimRandom } from "../src/platform/sim/index.ts";
import type { ServerRules } from "../src/server/index.ts";
import type { Store } from "../src/store/index.ts";
import type { SimAgent } from "./datacenter-agent.ts";
import { CatalogJudge } from "./datacenter-catalog.ts";
import { Datacenter } from "./datacenter.ts";
import { KvHistory } from "./datacenter-history.ts";
import { httpClient } from "./datacenter-http.ts";
import type { AgentLife } from "./datacenter-life.ts";
import { LockJudge } from "./datacenter-lock-judge.ts";
import { Lockers } from "./datacenter-lockers.ts";
import { DatacenterNemesis } from "./datacenter-nemesis.ts";
import { ObservedStore, StoreObserver, type StoreLife } from "./datacenter-observer.ts";
import { drawDatacenterSwarm, type DatacenterSwarm, type Trouble } from "./datacenter-swarm.ts";
import { Watchers } from "./datacenter-watchers.ts";
import { Writers, type Drawn } from "./datacenter-writers.ts";
import { Violation } from "./invariants.ts";

export interface MutationContext {
  readonly datacenter: Datacenter;
  readonly agent: SimAgent;
  readonly life: AgentLife;
  readonly observer: StoreObserver;
  readonly storeLife: StoreLife;
}
/** Where a test may put something wrong in the place of what is right. */
export type DatacenterMutation = (context: MutationContext) => Partial<ServerRules>;

export interface DatacenterRunOptions {
  readonly seed: number | string;
  readonly mutation?: DatacenterMutation;
  /** Less than what the seed draws, to find out what matters. */
  readonly swarm?: Partial<DatacenterSwarm>;
}
export interface DatacenterResult {
  readonly violation: string | undefined;
  readonly story: readonly string[];
  readonly swarm: DatacenterSwarm;
  readonly simulatedMs: number;
  readonly elections: number;
  readonly operations: number;
  readonly answered: number;
  readonly locks: number;
  readonly expiries: number;
  readonly delays: number;
  /** Of everything that went over the network. */
  readonly traceHash: string;
}

/** What is owed once nothing fails any more, is owed within this time: servers reconcile once a minute. */
const RECOVERY_MS = 200_000;
const SETTLING_MS = 4000;
const STEP_MS = 1000;
const NEWS_MS = 5000;
const CATCH_UP_MS = 200;

export async function runDatacenter({
  seed,
  mutation = () => ({}),
  swarm: less = {},
}: DatacenterRunOptions): Promise<DatacenterResult> {
  const random = new SimRandom(seed);
  const swarm = { ...drawDatacenterSwarm(random.fork("swarm")), ...less };
  const scenario = new DatacenterScenario(String(seed), swarm, random, mutation);
  let violation: string | undefined;
  try {
    await scenario.play();
  } catch (error) {
    violation = error instanceof Violation ? error.message : `${(error as Error).stack}`;
  }
  return scenario.end(violation);
}

/** Leaves out of a failing run whatever it fails without, a thing at a time. */
export async function shrinkDatacenter(options: DatacenterRunOptions): Promise<DatacenterResult> {
  let best = await runDatacenter(options);
  const attempts: Partial<DatacenterSwarm>[] = [
    ...best.swarm.troubles.map((left) => withoutTrouble(best.swarm, left)),
    { clientCount: 0 },
    { lossRatio: 0 },
    { drift: 0 },
    { writerCount: 0 },
    { lockerCount: 0 },
    { watcherCount: 0 },
    { troublesMs: best.swarm.troublesMs / 2 },
  ];
  for (const attempt of attempts) {
    const result = await runDatacenter({ ...options, swarm: { ...best.swarm, ...attempt } });
    if (result.violation !== undefined) best = result;
  }
  return best;
}

function withoutTrouble({ troubles }: DatacenterSwarm, left: Trouble): Partial<DatacenterSwarm> {
  const others = troubles.filter((kind) => kind !== left);
  return others.length > 0 ? { troubles: others } : {};
}

class DatacenterScenario {
  readonly #swarm: DatacenterSwarm;
  readonly #random: SimRandom;
  readonly #datacenter: Datacenter;
  readonly #observer: StoreObserver;
  readonly #stores = new Map<string, Store>();
  readonly #history = new KvHistory();
  readonly #locks: LockJudge;
  readonly #startedMs: number;
  readonly #catalog: CatalogJudge;
  #watchers: Watchers | undefined;
  #writers: Writers | undefined;
  #lockers: Lockers | undefined;
  #nemesis: DatacenterNemesis | undefined;

  constructor(
    seed: string,
    swarm: DatacenterSwarm,
    random: SimRandom,
    mutation: DatacenterMutation,
  ) {
    this.#swarm = swarm;
    this.#random = random;
    this.#observer = new StoreObserver({
      onFirst: (applied) => {
        this.#history.tookEffect(applied);
        this.#locks.first(applied);
        this.#catalog.first(applied);
      },
      onEach: (life, applied) => this.#locks.each(life, applied),
      onRestored: () => {},
    });
    const rulesOf = (agent: SimAgent, life: AgentLife): Partial<ServerRules> => {
      const observer = this.#observer;
      const storeLife = { server: agent.name, lifeCount: agent.lifeCount, life };
      const context = { datacenter: this.#datacenter, agent, life, observer, storeLife };
      const wrong = mutation(context);
      const newStore = wrong.newStore ?? (() => new ObservedStore(observer, storeLife));
      return {
        ...wrong,
        newStore: () => {
          const store = newStore();
          this.#stores.set(agent.name, store);
          return store;
        },
      };
    };
    this.#datacenter = new Datacenter({ seed, swarm, rulesOf });
    this.#locks = new LockJudge(this.#datacenter);
    this.#catalog = new CatalogJudge(this.#datacenter, random.fork("catalog"));
    this.#startedMs = this.#datacenter.clock.now();
  }

  async play(): Promise<void> {
    await this.#datacenter.begin();
    await this.#agreement();
    const of = (label: string): SimRandom => this.#random.fork(label);
    this.#catalog.begin();
    this.#writers = new Writers(this.#datacenter, this.#history, this.#swarm, of("writers"));
    this.#lockers = new Lockers(this.#datacenter, this.#locks, this.#swarm, of("lockers"));
    this.#watchers = new Watchers(this.#datacenter, this.#swarm, of("watchers"));
    this.#nemesis = new DatacenterNemesis(this.#datacenter, this.#swarm, of("nemesis"));
    await this.#pass(this.#swarm.troublesMs);
    this.#nemesis.stop();
    await this.#pass(SETTLING_MS);
    this.#writers.stop();
    this.#lockers.stop();
    this.#catalog.stop();
    await this.#agreement();
    await this.#lastWords();
    await this.#agreement();
    this.#history.judge();
  }

  async end(violation: string | undefined): Promise<DatacenterResult> {
    const simulatedMs = this.#datacenter.clock.now() - this.#startedMs;
    const { traceHash } = this.#datacenter.links;
    this.#nemesis?.stop();
    for (const part of [this.#writers, this.#lockers, this.#catalog, this.#watchers]) part?.stop();
    await this.#datacenter.stop();
    return {
      violation,
      story: this.#nemesis?.story ?? [],
      swarm: this.#swarm,
      simulatedMs,
      elections: this.#datacenter.elections,
      operations: this.#history.length,
      answered: this.#history.answered,
      locks: this.#locks.grantCount,
      expiries: this.#locks.expiryCount,
      delays: this.#locks.delayCount,
      traceHash,
    };
  }

  /** Each kind of write once more, with nothing after it that could wake who has missed it. */
  async #lastWords(): Promise<void> {
    const { world } = this.#datacenter;
    const ask = httpClient(world, "10.0.5.1");
    const words: readonly Drawn[] = [
      { call: { kind: "set", key: "p/a", value: "last a" }, mark: "last a" },
      { call: { kind: "set", key: "p/b", value: "last b" }, mark: "last b" },
      { call: { kind: "delete", key: "p/b" }, mark: undefined },
      { call: { kind: "delete tree" }, mark: undefined },
      { call: { kind: "list" }, mark: undefined },
    ];
    for (const word of words) {
      const host = this.#datacenter.leader?.host ?? "";
      const told = this.#writers?.ask(ask, host, word) ?? Promise.resolve(true);
      if (!(await world.clock.until(told))) throw new Violation("nobody takes the last words");
      await this.#watchersAgree();
    }
  }

  async #watchersAgree(): Promise<void> {
    const { clock, leader } = this.#datacenter;
    const deadline = clock.now() + NEWS_MS;
    for (;;) {
      const behind = await clock.until(
        this.#watchers?.behind(leader?.host ?? "") ?? Promise.resolve(undefined),
      );
      if (behind === undefined) return;
      if (clock.now() > deadline) throw new Violation(`a change was lost: ${behind}`);
      await this.#pass(STEP_MS);
    }
  }

  async #agreement(): Promise<void> {
    const { clock } = this.#datacenter;
    const deadline = clock.now() + RECOVERY_MS;
    for (;;) {
      const reason = await clock.until(this.#disagreement());
      if (reason === undefined) return;
      if (clock.now() > deadline) throw new Violation(`nothing fails any more, but ${reason}`);
      await this.#pass(STEP_MS);
    }
  }

  async #disagreement(): Promise<string | undefined> {
    const { leader, agents, servers } = this.#datacenter;
    const down = agents.find(({ isUp }) => !isUp);
    if (down !== undefined) return `${down.name} is down: ${down.exitMessage}`;
    if (leader === undefined) return "nobody leads";
    const different = await this.#catalog.disagreement(leader.host);
    if (different !== undefined) return different;
    await this.#datacenter.passed(CATCH_UP_MS);
    const { highest } = this.#observer;
    for (const { name } of servers) {
      const store = this.#stores.get(name);
      if (store === undefined || store.lastIndex < highest) return `${name} does not catch up`;
    }
    for (const { name } of servers) this.#observer.compare(name, this.#stores.get(name) as Store);
    return undefined;
  }

  /** Lets time pass, and looks whether anything wrong was seen. */
  async #pass(durationMs: number): Promise<void> {
    const { clock } = this.#datacenter;
    const end = clock.now() + durationMs;
    while (clock.now() < end) {
      await clock.run(Math.min(STEP_MS, end - clock.now()));
      this.#observer.demandNone();
      this.#locks.demandNone();
      this.#watchers?.demandNone();
      this.#catalog.demandNone();
    }
  }
}
