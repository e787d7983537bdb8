/**
 * A server of the explorer: a core and its disk, which a step does not change but makes another of.
 *
 * There are no clocks. That a timeout ends is a step like any other and possible at any time, so nothing rests on
 * patience: voters do not refuse for a leader's sake, candidates ask for no pre-votes, and leaders lead on without a
 * quorum. All that is more than can happen, hence what holds here holds with clocks. Heartbeats are left out: they
 * say nothing about logs.
 */
import { strict as assert } from "node:assert";
import type { Instant, Random } from "../src/platform/index.ts";
import { RaftCore } from "../src/raft/core.ts";
import type { CoreOptions } from "../src/raft/core-state.ts";
import type { Effect, HardState, Input } from "../src/raft/effects.ts";
import { NO_DATA, NOWHERE, type Entry } from "../src/raft/entry.ts";
import type { ServerId } from "../src/raft/index.ts";
import { NO_SNAPSHOT } from "../src/raft/raft-log.ts";
import { RULES } from "../src/raft/rules.ts";
import { LIMITS, type Flight, type Write } from "../src/raft/testkit.ts";
import type { CoreMutation } from "./core-soup.ts";

/** Everything that says something about logs or votes happens at this moment. */
const NOW = 0 as Instant;
/** Failures are long past by then, so that they do not keep a leader from trying again; no heartbeat is due. */
const LONG_AGO = -1_000_000 as Instant;
const BEFORE_HEARTBEATS = -1 as Instant;
const TIMINGS = {
  heartbeatTimeoutMs: 1000,
  electionTimeoutMs: 1000,
  leaseTimeoutMs: Number.POSITIVE_INFINITY,
  commitTimeoutMs: -10,
};
const NO_CHANCE: Random = {
  float: () => 0,
  bytes: (count) => new Uint8Array(count),
  fork: () => NO_CHANCE,
};

export interface ServerState {
  readonly core: RaftCore;
  /** Counts crashes: who was asked by an earlier life answers nobody. */
  readonly life: number;
  /** Durable. */
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
  /** Under way to the disk. */
  readonly writes: readonly Write[];
  /** Requests of others that wait for their replies. */
  readonly asked: ReadonlyMap<number, Flight>;
}

export type ServerStep =
  /** No leader was heard of: stands for election. */
  | Readonly<{ kind: "timeout" }>
  /** Tries again what has failed, and tells what is committed. */
  | Readonly<{ kind: "tick" }>
  | Readonly<{ kind: "propose" }>
  /** The oldest write is durable. */
  | Readonly<{ kind: "sync" }>
  /** It starts again with so many of its writes. */
  | Readonly<{ kind: "crash"; synced: number }>
  | Readonly<{ kind: "receive"; flight: Flight }>
  /** It learns that there will be no response. */
  | Readonly<{ kind: "lose"; flight: Flight }>;

export interface Stepped {
  readonly state: ServerState;
  readonly sent: readonly Flight[];
}

export class ExploredServer {
  readonly id: ServerId;
  readonly #options: CoreOptions;
  readonly #mutation: CoreMutation;

  constructor(id: ServerId, mutation: CoreMutation) {
    this.id = id;
    this.#mutation = mutation;
    this.#options = {
      ...TIMINGS,
      ...LIMITS,
      batchEntriesMax: 1,
      inflightMax: 1,
      id,
      random: NO_CHANCE,
      rules: {
        ...RULES,
        refusesWhileLed: () => false,
        ledAtStart: () => false,
        ...mutation.rules,
      },
      knowsPreVote: () => false,
    };
  }

  step(from: ServerState, step: ServerStep): Stepped {
    if (step.kind === "crash") return this.#crash(from, step.synced);
    const life = new OneStep(this.id, from, this.#mutation);
    switch (step.kind) {
      case "timeout":
        life.take({ kind: "tick" }, from.core.nextDueAt as Instant);
        break;
      case "tick":
        life.take({ kind: "tick" }, BEFORE_HEARTBEATS);
        break;
      case "propose":
        life.take({ kind: "propose", proposals: [{ call: 1, type: "command", data: NO_DATA }] });
        break;
      case "sync":
        life.sync();
        break;
      case "receive":
        life.receive(step.flight);
        break;
      case "lose":
        life.lose(step.flight);
        break;
    }
    return life.end();
  }

  #crash({ life, writes, asked, ...disk }: ServerState, synced: number): Stepped {
    const state = writes
      .slice(0, synced)
      .reduce((kept, write) => written(kept, write, this.#mutation), {
        hardState: disk.hardState,
        entries: disk.entries,
      });
    return {
      state: this.started({ life: life + 1, ...state }),
      sent: [...asked.values()].map((flight) => failureOf(flight)),
    };
  }

  started({ life, hardState, entries }: OnDisk & { readonly life: number }): ServerState {
    const runs = entries.filter((entry, at) => entries[at - 1]?.term !== entry.term);
    const log = {
      snapshot: NO_SNAPSHOT,
      firstIndex: 1,
      lastIndex: entries.length,
      runs,
      configurationEntries: entries.filter(({ type }) => type === "configuration"),
    };
    const core = new RaftCore(this.#options, { hardState, log, lost: NOWHERE }, NOW);
    return { core, life, hardState, entries, writes: [], asked: new Map() };
  }
}

export interface OnDisk {
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
}

/** What a server knows of its log: durable and under way. */
export function logOf({ entries, writes }: ServerState): readonly Entry[] {
  return writes.reduce(after, entries);
}

/** Equal for states from which the same can come. */
export function keyOf(state: ServerState): string {
  const { core, life, hardState, entries, writes, asked } = state;
  const { state: inner } = core;
  const { leadership, doneTicket } = inner;
  const progress = [...(leadership?.progress ?? [])].map(([id, peer]) => {
    const { match, next, mode, inflight, isLoading, sentCommit } = peer;
    return [id, match, next, mode, inflight, isLoading, sentCommit];
  });
  return plain([
    [life, hardState, entries, writes.map((write) => ({ ...write, ticket: 0 })), [...asked]],
    [
      inner.options.id,
      inner.term,
      inner.vote,
      inner.role,
      inner.commitIndex,
      inner.durableIndex,
      inner.durableTerm,
    ],
    [...inner.votes.keys()].sort(),
    [leadership?.firstIndex, progress],
    inner.deferred.map(({ ticket, effect }) => [ticket - doneTicket, effect]),
    inner.unsynced.map(({ ticket, term, lastIndex }) => [ticket - doneTicket, term, lastIndex]),
  ]);
}

/** Without the time, which there is none of. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (name, part: unknown) => {
    if (name === "at" || name === "round") return undefined;
    return part instanceof Uint8Array ? part.byteLength : part;
  });
}

function after(entries: readonly Entry[], write: Write): readonly Entry[] {
  assert(write.kind === "persist", "nobody takes snapshots here");
  const { truncateFrom = Number.POSITIVE_INFINITY, entries: added } = write;
  return [...entries.filter(({ index }) => index < truncateFrom), ...added];
}

function written({ hardState, entries }: OnDisk, given: Write, mutation: CoreMutation): OnDisk {
  const write = mutation.kept?.(given) ?? given;
  assert(write.kind === "persist", "nobody takes snapshots here");
  return { hardState: write.hardState ?? hardState, entries: after(entries, write) };
}

function failureOf({ from, to, sent, life }: Flight): Flight {
  return { kind: "failure", from: to, to: from, sent, life };
}

/** A copy of a state while a step changes it. */
class OneStep {
  readonly #id: ServerId;
  readonly #mutation: CoreMutation;
  readonly #core: RaftCore;
  readonly #life: number;
  readonly #asked: Map<number, Flight>;
  readonly #sent: Flight[] = [];
  #disk: OnDisk;
  #writes: readonly Write[];

  constructor(id: ServerId, from: ServerState, mutation: CoreMutation) {
    this.#id = id;
    this.#mutation = mutation;
    this.#core = from.core.clone();
    this.#life = from.life;
    this.#asked = new Map(from.asked);
    this.#disk = { hardState: from.hardState, entries: from.entries };
    this.#writes = from.writes;
  }

  take(input: Input, now: Instant = NOW): void {
    for (const effect of this.#core.step(input, now)) this.#carryOut(effect);
  }

  sync(): void {
    const [write, ...others] = this.#writes;
    assert(write !== undefined, "something to write");
    this.#disk = written(this.#disk, write, this.#mutation);
    this.#writes = others;
    this.take({ kind: "persisted", ticket: write.ticket });
  }

  receive(flight: Flight): void {
    const { from, sent } = flight;
    if (flight.kind === "failure") this.#failed(flight);
    else if (flight.kind === "response") {
      this.take({ kind: "response", from, sent, response: flight.response });
    } else {
      let rpc = 1;
      while (this.#asked.has(rpc)) rpc += 1;
      this.#asked.set(rpc, flight);
      this.take({ kind: "request", rpc, request: flight.request });
    }
  }

  lose(flight: Flight): void {
    this.#failed(flight.kind === "request" ? failureOf(flight) : flight);
  }

  end(): Stepped {
    const state = { core: this.#core, life: this.#life, ...this.#disk };
    return { state: { ...state, writes: this.#writes, asked: this.#asked }, sent: this.#sent };
  }

  #failed({ from, sent }: Flight): void {
    this.take({ kind: "failed", to: from, sent }, LONG_AGO);
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        this.#writes = [...this.#writes, effect];
        if (this.#mutation.reports === "early") {
          this.take({ kind: "persisted", ticket: effect.ticket });
        }
        return;
      case "send": {
        const { to, request, sent } = effect;
        const life = this.#life;
        this.#sent.push({ kind: "request", from: this.#id, to, request, sent, life });
        return;
      }
      case "reply": {
        const flight = this.#asked.get(effect.rpc);
        this.#asked.delete(effect.rpc);
        if (flight === undefined) return;
        const { from: to, sent, life } = flight;
        this.#sent.push({
          kind: "response",
          from: this.#id,
          to,
          response: effect.response,
          sent,
          life,
        });
        return;
      }
      case "drop": {
        const flight = this.#asked.get(effect.rpc);
        this.#asked.delete(effect.rpc);
        if (flight !== undefined) this.#sent.push(failureOf(flight));
        return;
      }
      case "load": {
        const { from, through, to } = effect;
        const log = this.#writes.reduce(after, this.#disk.entries);
        this.take({ kind: "loaded", to, entries: log.slice(from - 1, through) });
        return;
      }
      case "commit":
      case "role":
      case "accepted":
      case "refused":
      case "done":
        return;
      case "compact":
      case "restore":
      case "sendSnapshot":
      case "receiveSnapshot":
      case "overtaken":
      case "storeSnapshot":
        assert.fail("nobody takes snapshots here");
    }
  }
}
