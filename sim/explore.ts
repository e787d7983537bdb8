/**
 * Every state that three servers can come to within bounds, breadth first: whatever order messages arrive in,
 * whichever are lost, whenever timeouts end, disks finish and processes crash.
 *
 * A state of the cluster is a few numbers: which state each server is in, which messages are under way, what was
 * seen before that must not be forgotten. States of servers and messages are kept once each, and what a step makes
 * of a server's state is found out once: there are thousands of those where there are millions of clusters. States
 * are compared whole, not by hashes.
 */
import { encodeConfiguration } from "../src/raft/configuration-codec.ts";
import { NO_DATA, type Entry } from "../src/raft/entry.ts";
import { server, type Flight } from "../src/raft/testkit.ts";
import type { CoreMutation } from "./core-soup.ts";
import {
  decodeCluster,
  encodeCluster,
  Numbered,
  NUMBERS_MAX,
  type ClusterState,
} from "./explore-cluster.ts";
import {
  demandSound,
  factsOf,
  NOTHING_SEEN,
  seenAfter,
  type Facts,
  type Seen,
} from "./explore-facts.ts";
import {
  ExploredServer,
  keyOf,
  plain,
  type ServerState,
  type ServerStep,
} from "./explore-server.ts";
import { Violation } from "./invariants.ts";

export interface Bounds {
  /** The terms of what is on the disk of each to begin with; [1] for all if not given. */
  readonly logs?: readonly (readonly number[])[];
  /** So often somebody stands for election, in all. */
  readonly timeouts: number;
  readonly proposals: number;
  readonly crashes: number;
  /**
   * "slow": that a write is durable is a step of its own, and whatever may happen before. "fast": writes are durable
   * with the step that made them, unless the server crashes in it.
   */
  readonly disks: "slow" | "fast";
  /** Messages whose sender learns that they are lost. Any may also never arrive. */
  readonly losses: number;
  /** States with more are left out. */
  readonly flightsMax: number;
  /** When there are more, the search is given up. */
  readonly statesMax: number;
}

export interface Explored {
  /** Whether there is nothing left to see within the bounds. */
  readonly isDone: boolean;
  readonly violation: string | undefined;
  /** How it comes to that, with as few steps as can be. */
  readonly story: readonly string[];
  readonly states: number;
  readonly transitions: number;
  /** Steps from the first state to the furthest. */
  readonly depth: number;
  readonly serverStates: number;
  readonly messages: number;
  /** Steps that were not taken, as too many messages would be under way. */
  readonly cutOff: number;
}

const IDS = ["a", "b", "c"];
const NEW_CLUSTER = IDS.map(() => [1]);
const MEMBERS = encodeConfiguration({ servers: IDS.map((id) => server(id, "voter")) });

export function explore(bounds: Bounds, mutation: CoreMutation = {}): Explored {
  return new Explorer(bounds, mutation).run();
}

interface Known {
  readonly state: ServerState;
  readonly facts: Facts;
  readonly durableTerm: number;
  /** What its steps make of it, by their code. */
  readonly steps: Map<number, Outcome>;
}
interface Outcome {
  readonly to: number;
  readonly sent: readonly number[];
}

/** Codes of steps, by which their outcomes are remembered. */
const TIMEOUT = 0;
const TICK = 1;
const PROPOSE = 2;
const SYNC = 3;
const CRASH = 4;
const WRITES_MAX = 60;
const FLIGHTS = CRASH + WRITES_MAX;

class Explorer {
  readonly #bounds: Bounds;
  readonly #servers: readonly ExploredServer[];
  readonly #known = new Numbered<Known>();
  readonly #flights = new Numbered<Flight>();
  readonly #seen = new Numbered<Seen>();
  readonly #sees = new Map<number, number>();
  readonly #places = new Set<string>();
  readonly #keys: string[] = [];
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  #expanding = -1;
  #transitions = 0;
  #cutOff = 0;
  #reached: ((key: string, step: string) => void) | undefined;
  /** The step under way. */
  #tried: () => string = () => "";

  constructor(bounds: Bounds, mutation: CoreMutation) {
    this.#bounds = bounds;
    this.#servers = IDS.map((id) => new ExploredServer(id, mutation));
  }

  run(): Explored {
    let violation: string | undefined;
    let isDone = true;
    const first = this.#first();
    this.#add(first, encodeCluster(first));
    try {
      for (let place = 0; place < this.#keys.length; place += 1) {
        if (this.#keys.length > this.#bounds.statesMax) {
          isDone = false;
          break;
        }
        this.#expanding = place;
        this.#expand(decodeCluster(this.#keys[place] as string));
      }
    } catch (error) {
      isDone = false;
      violation = error instanceof Violation ? error.message : `${(error as Error).stack}`;
    }
    return {
      isDone,
      violation,
      story: violation === undefined ? [] : this.#story(),
      states: this.#keys.length,
      transitions: this.#transitions,
      depth: this.#depths.at(-1) ?? 0,
      serverStates: this.#known.count,
      messages: this.#flights.count,
      cutOff: this.#cutOff,
    };
  }

  /** Each with its log on disk, and in the newest term of all. */
  #first(): ClusterState {
    const { logs = NEW_CLUSTER } = this.#bounds;
    const hardState = { term: Math.max(...logs.flat()), vote: "" };
    const servers = this.#servers.map((explored, which) => {
      const entries = (logs[which] ?? []).map((term, at) => entryOf(at + 1, term));
      return this.#know(explored.started({ life: 0, hardState, entries }));
    });
    const seen = this.#seen.number(JSON.stringify(NOTHING_SEEN), () => NOTHING_SEEN);
    return { servers, seen, timeouts: 0, proposals: 0, crashes: 0, losses: 0, flights: [] };
  }

  #expand(from: ClusterState): void {
    const { timeouts, proposals, losses } = this.#bounds;
    for (const [at, id] of from.servers.entries()) {
      const { facts, state } = this.#known.at(id);
      // While all are alike, only a timeout can end: let it be the first one's.
      const isFirst = this.#expanding === 0 && this.#bounds.logs === undefined;
      if (!facts.isLeader && from.timeouts < timeouts && (!isFirst || at === 0)) {
        this.#go({ ...from, timeouts: from.timeouts + 1 }, at, { kind: "timeout" }, TIMEOUT);
      }
      if (isFirst) continue;
      if (facts.isLeader) this.#go(from, at, { kind: "tick" }, TICK);
      if (facts.isLeader && from.proposals < proposals) {
        this.#go({ ...from, proposals: from.proposals + 1 }, at, { kind: "propose" }, PROPOSE);
      }
      if (state.writes.length > 0) this.#go(from, at, { kind: "sync" }, SYNC);
      this.#crash(from, at, "");
    }
    for (const [place, id] of from.flights.entries()) {
      if (from.flights[place - 1] === id) continue;
      const flight = this.#flights.at(id);
      const flights = from.flights.filter((_id, at) => at !== place);
      this.#go({ ...from, flights }, at(flight.to), { kind: "receive", flight }, FLIGHTS + 2 * id);
      if (from.losses >= losses) continue;
      const asked = flight.kind === "request" ? flight.from : flight.to;
      if (this.#known.at(from.servers[at(asked)] as number).state.life !== flight.life) continue;
      const after = { ...from, flights, losses: from.losses + 1 };
      this.#go(after, at(asked), { kind: "lose", flight }, FLIGHTS + 2 * id + 1);
    }
  }

  /**
   * Whether anything can come of it yet. Not of an answer to an earlier life of who asked, nor of one that says
   * nothing new to who is not in that term any more, or no candidate any more; terms do not go back.
   */
  #isAlive(id: number, servers: readonly number[]): boolean {
    const flight = this.#flights.at(id);
    if (flight.kind === "request") return true;
    const { state, durableTerm } = this.#known.at(servers[at(flight.to)] as number);
    if (flight.life !== state.life) return false;
    const { kind, term } = flight.sent;
    if (flight.kind === "response" && "term" in flight.response) {
      if (flight.response.term > durableTerm) return true;
    }
    if (kind === "vote")
      return flight.kind === "response" && durableTerm <= term && state.core.role === "candidate";
    return durableTerm <= term;
  }

  #crash(from: ClusterState, which: number, story: string): void {
    if (from.crashes >= this.#bounds.crashes) return;
    const before = { ...from, crashes: from.crashes + 1 };
    const { state } = this.#known.at(from.servers[which] as number);
    for (let synced = 0; synced <= state.writes.length; synced += 1) {
      const step: ServerStep = { kind: "crash", synced };
      this.#tried = () => `${story}${this.#told(which, step)}`;
      const after = this.#stepped(before, which, step, CRASH + synced);
      this.#arrive(after);
    }
  }

  #go(from: ClusterState, which: number, step: ServerStep, code: number): void {
    const told = (): string => this.#told(which, step);
    this.#tried = told;
    let after = this.#stepped(from, which, step, code);
    while (this.#bounds.disks === "fast") {
      if (this.#known.at(after.servers[which] as number).state.writes.length === 0) break;
      this.#crash(after, which, `${this.#reached === undefined ? "" : told()}; then `);
      this.#tried = told;
      after = this.#stepped(after, which, { kind: "sync" }, SYNC);
    }
    this.#arrive(after);
  }

  #stepped(from: ClusterState, which: number, step: ServerStep, code: number): ClusterState {
    const before = from.servers[which] as number;
    const { to, sent } = this.#outcome(before, which, step, code);
    const servers = from.servers.map((id, place) => (place === which ? to : id));
    const flights = [...from.flights, ...sent].filter((id) => this.#isAlive(id, servers));
    if (sent.length > 0) flights.sort((a, b) => a - b);
    return { ...from, servers, flights, seen: this.#see(from.seen, to) };
  }

  #arrive(state: ClusterState): void {
    this.#transitions += 1;
    if (state.flights.length > this.#bounds.flightsMax) {
      this.#cutOff += 1;
      return;
    }
    const key = encodeCluster(state);
    this.#reached?.(key, this.#tried());
    this.#add(state, key);
  }

  #outcome(from: number, which: number, step: ServerStep, code: number): Outcome {
    const { state, steps } = this.#known.at(from);
    let outcome = steps.get(code);
    if (outcome === undefined) {
      const explored = this.#servers[which] as ExploredServer;
      const stepped = explored.step(state, step);
      outcome = {
        to: this.#know(stepped.state),
        sent: stepped.sent.map((flight) => this.#flights.number(plain(flight), () => flight)),
      };
      steps.set(code, outcome);
    }
    return outcome;
  }

  #know(state: ServerState): number {
    const { hardState, entries } = state;
    return this.#known.number(keyOf(state), () => ({
      state,
      facts: factsOf(state),
      durableTerm: Math.max(hardState.term, entries.at(-1)?.term ?? 0),
      steps: new Map(),
    }));
  }

  #add(state: ClusterState, key: string): void {
    if (this.#places.has(key)) return;
    this.#demandSound(state);
    this.#places.add(key);
    this.#keys.push(key);
    this.#parents.push(this.#expanding);
    this.#depths.push((this.#depths[this.#expanding] ?? -1) + 1);
  }

  /** What was seen by then. @throws {Violation} */
  #see(before: number, known: number): number {
    const pair = before * NUMBERS_MAX + known;
    let after = this.#sees.get(pair);
    if (after === undefined) {
      const seen = seenAfter(this.#seen.at(before), this.#known.at(known).facts);
      after = this.#seen.number(JSON.stringify(seen), () => seen);
      this.#sees.set(pair, after);
    }
    return after;
  }

  /** @throws {Violation} */
  #demandSound({ servers, seen }: ClusterState): void {
    const facts = servers.map((id) => this.#known.at(id).facts);
    demandSound(this.#seen.at(seen), facts);
  }

  #told(which: number, step: ServerStep): string {
    const id = IDS[which];
    if (step.kind === "crash") return `${id} crashes with ${step.synced} of its writes done`;
    if (step.kind !== "receive" && step.kind !== "lose") return `${id}: ${step.kind}`;
    const { kind, from, to, sent } = step.flight;
    const what = "request" in step.flight ? step.flight.request : sent;
    const answer = "response" in step.flight ? plain(step.flight.response) : kind;
    return `${id} ${step.kind}s ${answer} from ${from} to ${to}: ${plain(what)}`;
  }

  /** The steps to the state that is being expanded, and the one that went wrong. */
  #story(): readonly string[] {
    const path: number[] = [];
    for (let place = this.#expanding; place >= 0; place = this.#parents[place] as number) {
      path.unshift(place);
    }
    const story: string[] = [];
    for (const [at, place] of path.entries()) {
      const next = this.#keys[path[at + 1] ?? -1];
      let last = "";
      this.#expanding = place;
      this.#reached = (key, step) => {
        if (key === next && last === "") last = step;
      };
      try {
        this.#expand(decodeCluster(this.#keys[place] as string));
      } catch {
        // It goes wrong in the very last step.
      }
      story.push(next === undefined ? this.#tried() : last);
    }
    return story;
  }
}

function entryOf(index: number, term: number): Entry {
  return index === 1
    ? { index, term, type: "configuration", data: MEMBERS }
    : { index, term, type: "noop", data: NO_DATA };
}

function at(id: string): number {
  return IDS.indexOf(id);
}
