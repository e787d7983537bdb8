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
import type { Entry } from "../src/raft/entry.ts";
import { server, type Flight } from "../src/raft/testkit.ts";
import type { CoreMutation } from "./core-soup.ts";
import {
  ExploredServer,
  keyOf,
  logOf,
  plain,
  type ServerState,
  type ServerStep,
} from "./explore-server.ts";
import { Violation } from "./invariants.ts";

export interface Bounds {
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
const BOOTSTRAP: Entry = {
  index: 1,
  term: 1,
  type: "configuration",
  data: encodeConfiguration({ servers: IDS.map((id) => server(id, "voter")) }),
};

export function explore(bounds: Bounds, mutation: CoreMutation = {}): Explored {
  return new Explorer(bounds, mutation).run();
}

/** Each value once, by its key. */
class Interned<T> {
  readonly #ids = new Map<string, number>();
  readonly #values: T[] = [];

  id(key: string, make: () => T): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.#values.length);
    this.#values.push(make());
    return this.#values.length - 1;
  }

  at(id: number): T {
    return this.#values[id] as T;
  }

  get count(): number {
    return this.#values.length;
  }
}

interface Known {
  readonly state: ServerState;
  readonly isLeader: boolean;
  readonly term: number;
  readonly durableTerm: number;
  readonly life: number;
  readonly writes: number;
  /** A character an entry, for its term and type: two logs agree as far as these do. */
  readonly log: string;
  readonly durableLog: string;
  readonly committed: string;
  /** What its steps make of it, by their code. */
  readonly steps: Map<number, Outcome>;
}
interface Outcome {
  readonly to: number;
  readonly sent: readonly number[];
}
/** What was so at some time and must not be otherwise later. */
interface Seen {
  /** A character a term: who led in it. */
  readonly leaders: string;
  readonly committed: string;
  /** A character an entry of that: the term in which it was committed. */
  readonly committedIn: string;
}
interface ClusterState {
  readonly servers: readonly number[];
  readonly seen: number;
  readonly timeouts: number;
  readonly proposals: number;
  readonly crashes: number;
  readonly losses: number;
  /** In ascending order. */
  readonly flights: readonly number[];
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
  readonly #known = new Interned<Known>();
  readonly #flights = new Interned<Flight>();
  readonly #seen = new Interned<Seen>();
  readonly #matching = new Set<string>();
  readonly #places = new Set<string>();
  readonly #keys: string[] = [];
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  #expanding = -1;
  #transitions = 0;
  #cutOff = 0;
  #reached: ((key: string, step: string) => void) | undefined;

  constructor(bounds: Bounds, mutation: CoreMutation) {
    this.#bounds = bounds;
    this.#servers = IDS.map((id) => new ExploredServer(id, mutation));
  }

  run(): Explored {
    let violation: string | undefined;
    let isDone = true;
    const first = {
      servers: this.#servers.map((explored) => this.#know(explored.first(BOOTSTRAP))),
      seen: this.#seen.id("", () => ({ leaders: "", committed: "", committedIn: "" })),
      timeouts: 0,
      proposals: 0,
      crashes: 0,
      losses: 0,
      flights: [],
    };
    this.#add(first, encoded(first));
    try {
      for (let place = 0; place < this.#keys.length; place += 1) {
        if (this.#keys.length > this.#bounds.statesMax) {
          isDone = false;
          break;
        }
        this.#expanding = place;
        this.#expand(decoded(this.#keys[place] as string));
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

  #expand(from: ClusterState): void {
    const { timeouts, proposals, losses } = this.#bounds;
    for (const [at, id] of from.servers.entries()) {
      const { isLeader, writes } = this.#known.at(id);
      // At first all are alike, and only a timeout can end: let it be the first one's.
      const isFirst = this.#expanding === 0;
      if (!isLeader && from.timeouts < timeouts && (!isFirst || at === 0)) {
        this.#go({ ...from, timeouts: from.timeouts + 1 }, at, { kind: "timeout" }, TIMEOUT);
      }
      if (isFirst) continue;
      if (isLeader) this.#go(from, at, { kind: "tick" }, TICK);
      if (isLeader && from.proposals < proposals) {
        this.#go({ ...from, proposals: from.proposals + 1 }, at, { kind: "propose" }, PROPOSE);
      }
      if (writes > 0) this.#go(from, at, { kind: "sync" }, SYNC);
      this.#crash(from, at, "");
    }
    for (const [place, id] of from.flights.entries()) {
      if (from.flights[place - 1] === id) continue;
      const flight = this.#flights.at(id);
      const flights = from.flights.filter((_id, at) => at !== place);
      this.#go({ ...from, flights }, at(flight.to), { kind: "receive", flight }, FLIGHTS + 2 * id);
      if (from.losses >= losses) continue;
      const asked = flight.kind === "request" ? flight.from : flight.to;
      if (this.#known.at(from.servers[at(asked)] as number).life !== flight.life) continue;
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
    const { life, durableTerm, state } = this.#known.at(servers[at(flight.to)] as number);
    if (flight.life !== life) return false;
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
    const { writes } = this.#known.at(from.servers[which] as number);
    for (let synced = 0; synced <= writes; synced += 1) {
      const step: ServerStep = { kind: "crash", synced };
      const after = this.#stepped(before, which, step, CRASH + synced);
      this.#arrive(after, () => `${story}${this.#told(which, step)}`);
    }
  }

  #go(from: ClusterState, which: number, step: ServerStep, code: number): void {
    let after = this.#stepped(from, which, step, code);
    const told = (): string => this.#told(which, step);
    while (this.#bounds.disks === "fast") {
      if (this.#known.at(after.servers[which] as number).writes === 0) break;
      this.#crash(after, which, `${this.#reached === undefined ? "" : told()}; then `);
      after = this.#stepped(after, which, { kind: "sync" }, SYNC);
    }
    this.#arrive(after, told);
  }

  #stepped(from: ClusterState, which: number, step: ServerStep, code: number): ClusterState {
    const before = from.servers[which] as number;
    const { to, sent } = this.#outcome(before, which, step, code);
    const servers = from.servers.map((id, place) => (place === which ? to : id));
    const flights = [...from.flights, ...sent]
      .filter((flight) => this.#isAlive(flight, servers))
      .sort((a, b) => a - b);
    return { ...from, servers, flights, seen: this.#look(from.seen, to, which) };
  }

  #arrive(state: ClusterState, told: () => string): void {
    this.#transitions += 1;
    if (state.flights.length > this.#bounds.flightsMax) {
      this.#cutOff += 1;
      return;
    }
    const key = encoded(state);
    this.#reached?.(key, told());
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
        sent: stepped.sent.map((flight) => this.#flights.id(plain(flight), () => flight)),
      };
      steps.set(code, outcome);
    }
    return outcome;
  }

  #know(state: ServerState): number {
    const { core, life, writes, entries } = state;
    return this.#known.id(keyOf(state), () => {
      const log = letters(logOf(state));
      return {
        state,
        isLeader: core.role === "leader",
        term: core.term,
        durableTerm: Math.max(state.hardState.term, entries.at(-1)?.term ?? 0),
        life,
        writes: writes.length,
        log,
        durableLog: letters(entries),
        committed: log.slice(0, core.commitIndex),
        steps: new Map(),
      };
    });
  }

  #add(state: ClusterState, key: string): void {
    if (this.#places.has(key)) return;
    this.#places.add(key);
    this.#keys.push(key);
    this.#parents.push(this.#expanding);
    this.#depths.push((this.#depths[this.#expanding] ?? -1) + 1);
    this.#demand(state);
  }

  /** What is to be remembered of a server's state. @throws {Violation} if it does not agree with what was */
  #look(before: number, known: number, which: number): number {
    const seen = this.#seen.at(before);
    const { isLeader, term, committed } = this.#known.at(known);
    let { leaders } = seen;
    if (isLeader) {
      const id = IDS[which] as string;
      leaders = leaders.padEnd(term + 1, ".");
      const other = leaders[term] as string;
      if (other !== "." && other !== id) {
        throw new Violation(`two leaders in term ${term}: ${other} and ${id}`);
      }
      leaders = leaders.slice(0, term) + id + leaders.slice(term + 1);
    }
    if (!committed.startsWith(seen.committed) && !seen.committed.startsWith(committed)) {
      throw new Violation(`${IDS[which]} commits something else than was committed before`);
    }
    const isMore = committed.length > seen.committed.length;
    const news = committed.length - seen.committed.length;
    const next: Seen = {
      leaders,
      committed: isMore ? committed : seen.committed,
      committedIn: isMore
        ? seen.committedIn + String.fromCharCode(term).repeat(news)
        : seen.committedIn,
    };
    return this.#seen.id(JSON.stringify(next), () => next);
  }

  /** @throws {Violation} if something does not hold in that state */
  #demand({ servers, seen: seenId }: ClusterState): void {
    const { committed, committedIn } = this.#seen.at(seenId);
    const known = servers.map((id) => this.#known.at(id));
    const holders = known.filter(({ durableLog }) => durableLog.startsWith(committed));
    if (committed.length > 0 && 2 * holders.length <= known.length) {
      throw new Violation("what is committed is not on the disks of a majority");
    }
    for (const [place, { isLeader, term, log }] of known.entries()) {
      if (isLeader) {
        let owed = committed.length;
        while (owed > 0 && committedIn.charCodeAt(owed - 1) >= term) owed -= 1;
        if (!log.startsWith(committed.slice(0, owed))) {
          throw new Violation(`${IDS[place]} leads without what was committed before`);
        }
      }
      for (const other of known.slice(place + 1)) this.#demandMatch(log, other.log);
    }
  }

  #told(which: number, step: ServerStep): string {
    const what = step.kind === "receive" || step.kind === "lose" ? plain(step.flight) : "";
    return `${IDS[which]} ${step.kind}s ${what}`;
  }

  /** Log matching: from an entry that both have on, backwards, they are the same. */
  #demandMatch(one: string, other: string): void {
    const pair = `${one} ${other}`;
    if (this.#matching.has(pair)) return;
    for (let index = Math.min(one.length, other.length) - 1; index >= 0; index -= 1) {
      if (one[index] !== other[index]) continue;
      if (!one.startsWith(other.slice(0, index)))
        throw new Violation("logs differ before an equal entry");
      break;
    }
    this.#matching.add(pair);
  }

  /** The steps to the state that is being expanded, and the one after it. */
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
        this.#expand(decoded(this.#keys[place] as string));
      } catch {
        // It goes wrong in the very last step.
      }
      if (next !== undefined) story.push(last);
    }
    return story;
  }
}

function at(id: string): number {
  return IDS.indexOf(id);
}

const TYPES = 16;
function letters(log: readonly Entry[]): string {
  const types = ["configuration", "noop", "command"];
  return log
    .map(({ term, type }) => String.fromCharCode(term * TYPES + types.indexOf(type)))
    .join("");
}

/** Two characters a number. */
function encoded({
  servers,
  seen,
  timeouts,
  proposals,
  crashes,
  losses,
  flights,
}: ClusterState): string {
  const numbers = [...servers, seen, timeouts, proposals, crashes, losses, ...flights];
  return String.fromCharCode(...numbers.flatMap((number) => [number >>> 16, number & 0xffff]));
}

function decoded(key: string): ClusterState {
  const numbers: number[] = [];
  for (let place = 0; place < key.length; place += 2) {
    numbers.push(key.charCodeAt(place) * 0x10000 + key.charCodeAt(place + 1));
  }
  const [a, b, c, seen, timeouts, proposals, crashes, losses, ...flights] = numbers;
  assertComplete(losses);
  return {
    servers: [a, b, c] as number[],
    seen,
    timeouts,
    proposals,
    crashes,
    losses,
    flights,
  } as ClusterState;
}

function assertComplete(last: number | undefined): void {
  if (last === undefined) throw new Error("a key that is cut short");
}
