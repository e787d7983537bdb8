/**
 * Cores without drivers: servers whose disks and network are lists that a test goes through as it likes.
 *
 * Everything that is under way (a message, a write) is an item; `deliver`, `drop` and `sync` move one on, and
 * `settle` moves everything on in order, as a fast and healthy world would.
 */
import { strict as assert } from "node:assert";
import type { Instant } from "../platform/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import type { Change, Configuration, Server, ServerId } from "./configuration.ts";
import { encodeConfiguration } from "./configuration-codec.ts";
import { RaftCore } from "./core.ts";
import type { CoreOptions } from "./core-state.ts";
import type { Call, Effect, HardState, Input, ReadSafety, RefusalReason, Sent } from "./effects.ts";
import { NOWHERE, type Entry, type Index, type Position } from "./entry.ts";
import type { Request, Response } from "./messages.ts";
import { NO_SNAPSHOT, type SnapshotMeta, type StoredLog } from "./raft-log.ts";
import { configurationOf } from "./configuration-codec.ts";
import { RULES } from "./rules.ts";

export const TIMINGS = {
  heartbeatTimeoutMs: 1000,
  electionTimeoutMs: 1000,
  leaseTimeoutMs: 500,
  commitTimeoutMs: 50,
} as const;
export const LIMITS = {
  batchEntriesMax: 4,
  batchBytesMax: 1_000_000,
  inflightMax: 4,
  recentBytesMax: 1_000_000,
  uncommittedEntriesMax: 1000,
  trailingLogs: 5,
} as const;

/** What a snapshot holds here: the commands that made the state. */
export interface StoredSnapshot extends SnapshotMeta {
  readonly applied: readonly Entry[];
}
export type Write = Extract<Effect, { kind: "persist" | "restore" }>;

export type Flight = Readonly<
  | { kind: "request"; from: ServerId; to: ServerId; request: Request; sent: Sent; life: number }
  | { kind: "response"; from: ServerId; to: ServerId; response: Response; sent: Sent; life: number }
  | { kind: "failure"; from: ServerId; to: ServerId; sent: Sent; life: number }
> & { readonly snapshot?: StoredSnapshot };

export type Answer =
  | Readonly<{ kind: "accepted"; at: Position }>
  | Readonly<{ kind: "refused"; reason: RefusalReason }>
  | Readonly<{ kind: "done"; index: Index }>;

export class TestServer {
  readonly id: ServerId;
  core: RaftCore;
  /** Counts starts: what was sent to an earlier life is nobody's now. */
  life = 1;
  isUp = true;
  /** Durable. */
  hardState: HardState;
  entries: Entry[];
  snapshot: StoredSnapshot = { ...NO_SNAPSHOT, applied: [] };
  /** Under way to the disk. */
  writes: Write[] = [];
  /** Applied commands, in order; gone with the process. */
  applied: Entry[] = [];
  appliedIndex: Index = 0;
  readonly answers = new Map<Call, Answer>();
  /** What it is to restore, by call. */
  readonly given = new Map<Call, readonly Entry[]>();
  /** Requests of others that wait for their replies. */
  readonly asked = new Map<number, Flight & { readonly kind: "request" }>();

  constructor(id: ServerId, entries: Entry[], options: CoreOptions, now: Instant) {
    this.id = id;
    this.entries = entries;
    this.hardState = { term: entries[0]?.term ?? 0, vote: "" };
    const start = { hardState: this.hardState, log: this.stored(), lost: NOWHERE };
    this.core = new RaftCore(options, start, now);
  }

  stored(): StoredLog {
    const { snapshot, entries } = this;
    const runs: Position[] = [];
    for (const { index, term } of entries)
      if (runs.at(-1)?.term !== term) runs.push({ index, term });
    return {
      snapshot,
      firstIndex: entries[0]?.index ?? snapshot.index + 1,
      lastIndex: entries.at(-1)?.index ?? snapshot.index,
      runs,
      configurationEntries: entries.filter((entry) => configurationOf(entry) !== undefined),
    };
  }

  /** A crash may have come between storing a snapshot and making room for it. */
  dropWhatSnapshotReplaced(): void {
    const { snapshot, entries } = this;
    const last = entries.at(-1)?.index ?? 0;
    const own = entries.find(({ index }) => index === snapshot.index);
    const differs = own !== undefined && own.term !== snapshot.term;
    if (last < snapshot.index || differs) this.entries = [];
  }

  /** Durable and under way, as a process sees its own files. */
  written(): readonly Entry[] {
    let { entries } = this;
    for (const write of this.writes) entries = after(entries, write);
    return entries;
  }
}

function after(entries: Entry[], write: Write): Entry[] {
  if (write.kind === "restore") return write.log === "reset" ? [] : entries;
  const { truncateFrom = Infinity, entries: added } = write;
  return [...entries.filter(({ index }) => index < truncateFrom), ...added];
}

export interface ClusterOptions extends Partial<Omit<CoreOptions, "id" | "random">> {
  readonly seed?: number | string;
  readonly nonvoters?: readonly ServerId[];
  /** Without, followers only tell their last index, as hashicorp/raft's do. */
  readonly tellsConflicts?: boolean;
  /** Not in the configuration: waiting to be added. */
  readonly strangers?: readonly ServerId[];
}

export class TestCluster {
  now = 1_000_000 as Instant;
  readonly servers = new Map<ServerId, TestServer>();
  flights: Flight[] = [];
  /** Pairs "a>b" that nothing passes. */
  readonly cuts = new Set<string>();
  readonly random: SimRandom;
  readonly #options: ClusterOptions;
  #nextCall = 1;
  #nextRpc = 1;

  constructor(voters: readonly ServerId[], options: ClusterOptions = {}) {
    this.#options = options;
    this.random = new SimRandom(options.seed ?? 1);
    const { nonvoters = [], strangers = [] } = options;
    const configuration: Configuration = {
      servers: [
        ...voters.map((id) => server(id, "voter")),
        ...nonvoters.map((id) => server(id, "nonvoter")),
      ],
    };
    const bootstrap: Entry = {
      index: 1,
      term: 1,
      type: "configuration",
      data: encodeConfiguration(configuration),
    };
    for (const id of [...voters, ...nonvoters, ...strangers]) {
      const entries = strangers.includes(id) ? [] : [bootstrap];
      this.servers.set(id, new TestServer(id, entries, this.#coreOptions(id), this.now));
    }
  }

  at(id: ServerId): TestServer {
    const found = this.servers.get(id);
    assert(found !== undefined, `no server ${id}`);
    return found;
  }

  get ids(): readonly ServerId[] {
    return [...this.servers.keys()];
  }

  get leaders(): readonly ServerId[] {
    return [...this.servers.values()]
      .filter(({ isUp, core }) => isUp && core.role === "leader")
      .map(({ id }) => id);
  }

  /** What the clock of `id` shows: the world's time, unless a test lets it drift. */
  timeAt(_id: ServerId): Instant {
    return this.now;
  }

  step(id: ServerId, input: Input): void {
    const target = this.at(id);
    assert(target.isUp, "nobody is there to ask");
    for (const effect of target.core.step(input, this.timeAt(id))) {
      this.#carryOut(target, effect);
      this.observe(target, effect);
    }
  }

  /** For a test that watches. */
  protected observe(_server: TestServer, _effect: Effect): void {}

  protected applied(_server: TestServer, _entry: Entry): void {}

  /** What of a write a disk keeps. For a test whose disks do not keep all. */
  protected kept(write: Write): Write {
    return write;
  }

  /** The state of `_server` is that of its snapshot: it has started, or was sent one. */
  protected restored(_server: TestServer): void {}

  /** @returns the call's name; what becomes of it is in `answers` */
  propose(id: ServerId, data: string): Call {
    const call = this.#call();
    const proposals = [{ call, type: "command" as const, data: Buffer.from(data) }];
    this.step(id, { kind: "propose", proposals });
    return call;
  }

  change(id: ServerId, change: Change, latestIndex: Index = 0): Call {
    const call = this.#call();
    this.step(id, { kind: "change", call, change, latestIndex });
    return call;
  }

  read(id: ServerId, safety: ReadSafety): Call {
    const call = this.#call();
    this.step(id, { kind: "read", calls: [call], safety });
    return call;
  }

  transfer(id: ServerId, to?: ServerId): Call {
    const call = this.#call();
    this.step(id, { kind: "transfer", call, to });
    return call;
  }

  /** Its state is to become that of these commands. */
  restore(id: ServerId, commands: readonly Entry[], index: Index): Call {
    const call = this.#call();
    this.at(id).given.set(call, commands);
    this.step(id, { kind: "restore", call, index });
    return call;
  }

  /** What it was given is durable, and takes the state's place if it is still wanted. */
  storeGiven(id: ServerId, call: Call): void {
    const target = this.at(id);
    const restoring = target.core.state.leadership?.restoring;
    if (restoring?.call !== call) return;
    target.snapshot = { ...restoring.snapshot, applied: target.given.get(call) ?? [] };
    this.step(id, { kind: "restoreStored", call, outcome: "stored" });
  }

  answer(id: ServerId, call: Call): Answer | undefined {
    return this.at(id).answers.get(call);
  }

  tick(id: ServerId): void {
    if (this.at(id).isUp) this.step(id, { kind: "tick" });
  }

  /** Moves time to when `id` would stand for election, and lets it, but nobody else. */
  timeOut(id: ServerId): void {
    this.now = Math.max(this.now, this.at(id).core.nextDueAt, this.#patienceEnd()) as Instant;
    this.tick(id);
  }

  /** Lets so much time pass, with everything arriving at once. */
  run(durationMs: number): void {
    const end = this.now + durationMs;
    this.settle();
    for (;;) {
      const next = [...this.servers.values()]
        .filter(({ isUp }) => isUp)
        .sort((a, b) => a.core.nextDueAt - b.core.nextDueAt)[0];
      if (next === undefined || next.core.nextDueAt > end) break;
      this.now = Math.max(this.now, next.core.nextDueAt) as Instant;
      this.tick(next.id);
      this.settle();
    }
    this.now = end as Instant;
  }

  /** Moves everything on until nothing is under way. */
  settle(): void {
    for (let moves = 0; moves < 100_000; moves += 1) {
      const writer = [...this.servers.values()].find(
        ({ isUp, writes }) => isUp && writes.length > 0,
      );
      if (writer !== undefined) this.sync(writer.id);
      else if (this.flights[0] !== undefined) this.deliver(0);
      else return;
    }
    assert.fail("the cluster does not come to rest");
  }

  /** `id` stands for election and wins. */
  elect(id: ServerId): void {
    this.timeOut(id);
    this.settle();
    assert.equal(this.at(id).core.role, "leader");
  }

  /** The oldest write of `id` becomes durable. */
  sync(id: ServerId): void {
    const target = this.at(id);
    const write = target.writes.shift();
    if (write === undefined) return;
    this.#keep(target, write);
    this.step(id, { kind: "persisted", ticket: write.ticket });
  }

  deliver(place: number): void {
    const [flight] = this.flights.splice(place, 1);
    if (flight === undefined) return;
    const target = this.at(flight.to);
    const arrives = target.isUp && !this.cuts.has(`${flight.from}>${flight.to}`);
    if (flight.kind === "request") {
      if (!arrives) this.#fail(flight);
      else {
        const rpc = this.#nextRpc++;
        target.asked.set(rpc, flight);
        this.step(target.id, { kind: "request", rpc, request: flight.request });
      }
    } else if (target.isUp && target.life === flight.life) {
      const { from, to, sent } = flight;
      if (flight.kind === "response" && arrives) {
        this.step(to, { kind: "response", from, sent, response: flight.response });
      } else this.step(to, { kind: "failed", to: from, sent });
    }
  }

  /** It does not arrive, and its sender learns that no response will come. */
  drop(place: number): void {
    const [flight] = this.flights.splice(place, 1);
    if (flight?.kind === "request") this.#fail(flight);
    else if (flight !== undefined) {
      this.flights.push({
        kind: "failure",
        from: flight.from,
        to: flight.to,
        sent: flight.sent,
        life: flight.life,
      });
    }
  }

  /** The same request arrives once more; its second reply is nobody's. */
  repeat(place: number): void {
    const flight = this.flights[place];
    if (flight?.kind === "request") this.flights.push({ ...flight, life: 0 });
  }

  isolate(id: ServerId): void {
    for (const other of this.ids) {
      this.cuts.add(`${id}>${other}`);
      this.cuts.add(`${other}>${id}`);
    }
  }

  heal(): void {
    this.cuts.clear();
  }

  /** Of what is under way to the disk the first `synced` writes survive. */
  crash(id: ServerId, synced = 0): void {
    const target = this.at(id);
    for (const write of target.writes.slice(0, synced)) this.#keep(target, write);
    target.writes = [];
    target.isUp = false;
    for (const flight of target.asked.values()) this.#fail(flight);
    target.asked.clear();
  }

  start(id: ServerId): void {
    const target = this.at(id);
    target.isUp = true;
    target.life += 1;
    target.dropWhatSnapshotReplaced();
    target.applied = [...target.snapshot.applied];
    target.appliedIndex = target.snapshot.index;
    const start = { hardState: target.hardState, log: target.stored(), lost: NOWHERE };
    target.core = new RaftCore(this.#coreOptions(id), start, this.timeAt(id));
    this.restored(target);
  }

  /** Takes a snapshot of what `id` has applied. */
  takeSnapshot(id: ServerId): void {
    const target = this.at(id);
    const { appliedIndex: index, core } = target;
    const { configuration, index: configurationIndex } = core.configurationAt(index);
    const term = core.termAt(index) ?? 0;
    const snapshot = { index, term, configuration, configurationIndex };
    target.snapshot = { ...snapshot, applied: [...target.applied] };
    this.step(id, { kind: "snapshotTaken", snapshot });
  }

  #keep(target: TestServer, given: Write): void {
    const write = this.kept(given);
    target.entries = after(target.entries, write);
    if (write.kind === "persist") target.hardState = write.hardState ?? target.hardState;
  }

  #carryOut(target: TestServer, effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        target.writes.push(effect);
        return;
      case "restore":
        target.writes.push(effect);
        target.applied = [...target.snapshot.applied];
        target.appliedIndex = effect.snapshot.index;
        this.restored(target);
        return;
      case "send":
        this.flights.push({
          kind: "request",
          from: target.id,
          to: effect.to,
          request: effect.request,
          sent: effect.sent,
          life: target.life,
        });
        return;
      case "sendSnapshot":
        this.#sendSnapshot(target, effect);
        return;
      case "reply":
        this.#reply(target, effect.rpc, effect.response);
        return;
      case "drop": {
        const flight = target.asked.get(effect.rpc);
        target.asked.delete(effect.rpc);
        if (flight !== undefined) this.#fail(flight);
        return;
      }
      case "load": {
        const { from, through, to } = effect;
        const entries = target.written().filter(({ index }) => index >= from && index <= through);
        this.step(target.id, { kind: "loaded", to, entries });
        return;
      }
      case "receiveSnapshot":
        this.#receiveSnapshot(target, effect);
        return;
      case "commit":
        this.#apply(target, effect.index);
        return;
      case "compact":
        target.entries = target.entries.filter(({ index }) => index > effect.through);
        return;
      case "accepted":
      case "refused":
      case "done":
        target.answers.set(effect.call, effect);
        return;
      case "role":
      case "storeSnapshot":
      case "overtaken":
        return;
    }
  }

  #apply(target: TestServer, through: Index): void {
    for (const entry of target.written()) {
      if (entry.index !== target.appliedIndex + 1 || entry.index > through) continue;
      target.appliedIndex = entry.index;
      if (entry.type === "command") target.applied.push(entry);
      this.applied(target, entry);
    }
  }

  #sendSnapshot(
    target: TestServer,
    { to, sent, term }: Extract<Effect, { kind: "sendSnapshot" }>,
  ): void {
    const { snapshot, id: leader, life } = target;
    const { index: lastIndex, term: lastTerm, configuration, configurationIndex } = snapshot;
    const kind = "installSnapshot";
    const request = {
      kind,
      term,
      leader,
      lastIndex,
      lastTerm,
      configuration,
      configurationIndex,
      sizeBytes: 0,
    } as const;
    this.flights.push({
      kind: "request",
      from: leader,
      to,
      request,
      sent: { ...sent, lastIndex },
      life,
      snapshot,
    });
  }

  #receiveSnapshot(
    target: TestServer,
    { rpc, request }: Extract<Effect, { kind: "receiveSnapshot" }>,
  ): void {
    const snapshot = target.asked.get(rpc)?.snapshot;
    if (snapshot !== undefined && snapshot.index > target.snapshot.index)
      target.snapshot = snapshot;
    this.step(target.id, { kind: "snapshotReceived", rpc, request, outcome: "stored" });
  }

  #reply(target: TestServer, rpc: number, response: Response): void {
    const flight = target.asked.get(rpc);
    target.asked.delete(rpc);
    if (flight === undefined) return;
    const { from, sent, life } = flight;
    const told = this.#options.tellsConflicts === false ? withoutConflict(response) : response;
    this.flights.push({ kind: "response", from: target.id, to: from, response: told, sent, life });
  }

  #fail({ from, to, sent, life }: Flight): void {
    this.flights.push({ kind: "failure", from: to, to: from, sent, life });
  }

  /** When nobody takes a leader for there that has fallen silent. */
  #patienceEnd(): number {
    const ends = [...this.servers.values()].map(({ core }) => core.state.ledUntil);
    return Math.max(...ends.filter((end) => end <= this.now + TIMINGS.heartbeatTimeoutMs));
  }

  #coreOptions(id: ServerId): CoreOptions {
    return {
      ...TIMINGS,
      ...LIMITS,
      rules: RULES,
      knowsPreVote: () => true,
      ...this.#options,
      id,
      random: this.random.fork(id),
    };
  }

  #call(): Call {
    return this.#nextCall++;
  }
}

function withoutConflict(response: Response): Response {
  if (response.kind !== "appendEntries") return response;
  const { conflict: _untold, ...told } = response;
  return told;
}

export function server(id: ServerId, suffrage: Server["suffrage"]): Server {
  return { id, address: `${id}:8300`, suffrage };
}
