/**
 * A server of a replicated log: the core (core.ts) with a clock, a disk and a network.
 *
 *     apply ─► proposals of a turn ─► core.step ─► effects ─┬─ send ───► transport ─► core.step
 *                                                           ├─ persist ─► DiskWriter ─► core.step
 *                                                           └─ commit ──► Applier ─► the state machine, the caller
 *
 * Everything that the core decides passes through `#step`; nothing else here decides anything.
 */
import { messageOf, RollcallError, unreachable } from "../errors/index.ts";
import type { Clock, Instant, Logger, Random } from "../platform/index.ts";
import type { Wal, WalState } from "../wal/index.ts";
import { Applier } from "./applier.ts";
import { serverOf, type Change, type Configuration, type ServerId } from "./configuration.ts";
import { RaftCore } from "./core.ts";
import type { CoreOptions } from "./core-state.ts";
import { DiskWriter } from "./disk-writer.ts";
import type { Call, Effect, Input, Proposal, ReadSafety, Role, Rpc, Sent } from "./effects.ts";
import { NO_DATA, NOWHERE, type Entry, type Index, type Position, type Term } from "./entry.ts";
import type { InstallSnapshotRequest, Response } from "./messages.ts";
import type { Peer, SnapshotStore, StateMachine, StoredSnapshot, Transport } from "./ports.ts";
import { RaftRefusal } from "./refusal.ts";
import { RULES, type Rules } from "./rules.ts";
import { Snapshotter } from "./snapshotter.ts";
import { forgetLost, readStoredLog, type LogHome } from "./stored-log.ts";
import { inTurns } from "./turns.ts";
import { fromWalEntry } from "./wal-entry.ts";
import { writeSnapshot } from "./write-snapshot.ts";

/** Commands that wait to be applied. */
const PENDING_MAX = 65_536;
const LOAD_BYTES_MAX = 256 * 1024;

export interface RaftOptions<Result> extends Omit<
  CoreOptions,
  "rules" | "random" | "knowsPreVote"
> {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Holds the log's notes beside `wal` and `snapshots`, which the caller has opened. */
  readonly disk: LogHome["disk"];
  readonly directory: string;
  readonly wal: Wal;
  readonly snapshots: SnapshotStore;
  readonly transport: Transport;
  readonly stateMachine: StateMachine<Result>;
  readonly snapshotIntervalMs: number;
  readonly snapshotThreshold: number;
  /** Whether that server understands pre-votes; hashicorp/raft before 1.7 does not. Everybody, if not given. */
  readonly knowsPreVote?: (id: ServerId) => boolean;
  /** Where a server is now, if better known than by the configuration. */
  readonly addressOf?: (id: ServerId) => string | undefined;
  readonly rules?: Rules;
}

export interface RaftStanding {
  readonly role: Role;
  readonly term: Term;
  readonly leader: ServerId | undefined;
}
export type RaftEvent =
  | Readonly<{ kind: "standing" } & RaftStanding>
  /** There is no going on; `stats` says so too. */
  | Readonly<{ kind: "failed"; error: Error }>;

export interface Raft<Result> extends AsyncDisposable {
  readonly standing: RaftStanding;
  readonly configuration: Configuration;
  readonly configurationIndex: Index;
  readonly lastIndex: Index;
  readonly commitIndex: Index;
  readonly applied: Position;
  /** Milliseconds since a leader was heard of: 0 on the leader, undefined if none ever was. */
  readonly lastContactMs: number | undefined;
  /** Of the last entry. */
  readonly lastTerm: Term;
  /** Who leads and where, as far as this server knows. */
  leader(): Peer | undefined;
  subscribe(listener: (event: RaftEvent) => void): Disposable;

  /**
   * Resolves with what the state machine of this server returns, once the command is committed and applied.
   * @throws {RaftRefusal}
   */
  apply(data: Uint8Array, extensions?: Uint8Array): Promise<Result>;
  /** Resolves once everything that was applied for before is applied here. */
  barrier(): Promise<void>;
  /** Resolves once the state here shows everything that was acknowledged, by anybody, before this was called. */
  readIndex(safety: Exclude<ReadSafety, "verify">): Promise<Index>;
  /** Resolves if this server is still the leader. */
  verifyLeader(): Promise<void>;
  /** Resolves once the change is committed. @param latestIndex 0: whatever the configuration is by then */
  change(change: Change, latestIndex?: Index): Promise<Index>;
  transferLeadership(to?: ServerId): Promise<void>;
  snapshot(): Promise<StoredSnapshot>;
  /**
   * On the leader: this state takes the place of the cluster's. Resolves once a majority has it; writes that are
   * under way are refused as "restored".
   * @param index that it has elsewhere: here it gets a greater one
   * @throws {RaftRefusal} with "leadershipLost" it may yet have been done
   */
  restore(slices: AsyncIterable<Uint8Array>, index: Index): Promise<void>;
}

/** @throws {RollcallError} `disk/failed` when what is on the disk is not enough to go on from */
export async function startRaft<Result>(options: RaftOptions<Result>): Promise<Raft<Result>> {
  const { snapshots, stateMachine, wal, clock } = options;
  const { newest } = snapshots;
  const { log, lost } = await readStoredLog(options, newest);
  if (newest !== undefined) await stateMachine.restore(inTurns(snapshots.read(newest), clock));
  const { rules = RULES, knowsPreVote = () => true } = options;
  const core = new RaftCore(
    { ...options, rules, knowsPreVote },
    { hardState: wal.hardState, log, lost },
    clock.now(),
  );
  return new RaftServer(options, core, newest ?? NOWHERE);
}

interface Caller {
  readonly done: (index: Index) => void;
  readonly accepted: (at: Position) => void;
  readonly refused: (error: RaftRefusal) => void;
}
interface Outcome<Result> {
  readonly index: Index;
  readonly result: Result | undefined;
}
interface Asked {
  readonly answer: (response: Response) => void;
  readonly giveUp: (error: Error) => void;
  readonly body: AsyncIterable<Uint8Array> | undefined;
}

class RaftServer<Result> implements Raft<Result> {
  readonly #options: RaftOptions<Result>;
  readonly #core: RaftCore;
  readonly #applier: Applier<Result>;
  readonly #writer: DiskWriter;
  readonly #snapshotter: Snapshotter;
  readonly #serving: Disposable;
  readonly #watching: Disposable;
  readonly #listeners = new Set<(event: RaftEvent) => void>();
  readonly #callers = new Map<Call, Caller>();
  readonly #asked = new Map<Rpc, Asked>();
  /** What calls to restore were given. */
  readonly #given = new Map<Call, AsyncIterable<Uint8Array>>();
  #nextCall = 1;
  #nextRpc = 1;
  /** What was asked for in this turn of the event loop, given to the core together. */
  #proposals: Proposal[] = [];
  readonly #reads = new Map<ReadSafety, Call[]>();
  #turn: Disposable | undefined;
  #timer: Disposable | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #hasLost: boolean;
  #stopped: RaftRefusal | undefined;

  constructor(options: RaftOptions<Result>, core: RaftCore, applied: Position) {
    this.#options = options;
    this.#core = core;
    this.#hasLost = core.state.lost.index > 0;
    const { clock, wal, snapshots, stateMachine, transport, logger, random } = options;
    const onFailure = (error: Error): void => this.#fail(error);
    this.#writer = new DiskWriter({
      wal,
      onDurable: (ticket) => this.#step({ kind: "persisted", ticket }),
      onFailure,
    });
    const onApplied = (): void => {};
    this.#applier = new Applier(
      { clock, wal, snapshots, stateMachine, onFailure, onApplied },
      { index: applied.index, term: applied.term },
    );
    this.#snapshotter = new Snapshotter({
      clock,
      random,
      logger,
      snapshots,
      stateMachine,
      intervalMs: options.snapshotIntervalMs,
      threshold: options.snapshotThreshold,
      applied: () => this.#applier.applied,
      configurationAt: (index) => core.configurationAt(index),
      latestConfigurationIndex: () => core.configurationIndex,
      onTaken: (snapshot) => this.#step({ kind: "snapshotTaken", snapshot }),
    });
    this.#serving = transport.serve((request, body) => {
      if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
      return new Promise((answer, giveUp) => {
        const rpc = this.#nextRpc++;
        this.#asked.set(rpc, { answer, giveUp, body });
        this.#step({ kind: "request", rpc, request });
      });
    });
    this.#watching = wal.subscribe((state) => this.#diskIs(state));
    this.#arm();
  }

  get standing(): RaftStanding {
    const { role, term, leader } = this.#core;
    return { role, term, leader };
  }

  get configuration(): Configuration {
    return this.#core.configuration;
  }

  get configurationIndex(): Index {
    return this.#core.configurationIndex;
  }

  get lastIndex(): Index {
    return this.#core.lastIndex;
  }

  get commitIndex(): Index {
    return this.#core.commitIndex;
  }

  get applied(): Position {
    return this.#applier.applied;
  }

  get lastContactMs(): number | undefined {
    const { role, heardAt } = this.#core;
    if (role === "leader") return 0;
    return heardAt === undefined ? undefined : this.#options.clock.now() - heardAt;
  }

  get lastTerm(): Term {
    return this.#core.termAt(this.#core.lastIndex) ?? 0;
  }

  leader(): Peer | undefined {
    const { leader } = this.#core;
    return leader === undefined ? undefined : this.#peer(leader);
  }

  subscribe(listener: (event: RaftEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async apply(data: Uint8Array, extensions?: Uint8Array): Promise<Result> {
    const proposal = { type: "command", data, ...(extensions && { extensions }) } as const;
    return (await this.#propose(proposal)) as Result;
  }

  async barrier(): Promise<void> {
    await this.#propose({ type: "barrier", data: NO_DATA });
  }

  async readIndex(safety: Exclude<ReadSafety, "verify">): Promise<Index> {
    const index = await this.#read(safety);
    await this.#applier.reached(index);
    return index;
  }

  async verifyLeader(): Promise<void> {
    await this.#read("verify");
  }

  async change(change: Change, latestIndex: Index = 0): Promise<Index> {
    const at = await this.#askUntilApplied((call) => {
      this.#step({ kind: "change", call, change, latestIndex });
    });
    return at.index;
  }

  async transferLeadership(to?: ServerId): Promise<void> {
    await this.#ask((call) => this.#step({ kind: "transfer", call, to }));
  }

  snapshot(): Promise<StoredSnapshot> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return this.#snapshotter.take();
  }

  async restore(slices: AsyncIterable<Uint8Array>, index: Index): Promise<void> {
    await this.#askUntilApplied((call) => {
      this.#given.set(call, slices);
      this.#step({ kind: "restore", call, index });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop(new RaftRefusal("shutdown"));
  }

  async #propose(proposal: Omit<Proposal, "call">): Promise<Result | undefined> {
    const { state } = this.#options.wal;
    if (state !== "ok" && state.kind !== "corrupt") throw new RaftRefusal("disk", state.reason);
    if (this.#callers.size >= PENDING_MAX) throw new RaftRefusal("busy");
    const { result } = await this.#askUntilApplied((call) => {
      this.#proposals.push({ ...proposal, call });
      this.#endTurnSoon();
    });
    return result;
  }

  #read(safety: ReadSafety): Promise<Index> {
    return this.#ask((call) => {
      const calls = this.#reads.get(safety);
      if (calls === undefined) this.#reads.set(safety, [call]);
      else calls.push(call);
      this.#endTurnSoon();
    });
  }

  /** Resolves with the index that answers a read; with 0 when a transfer is done. */
  #ask(begin: (call: Call) => void): Promise<Index> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((done, refused) => {
      const call = this.#nextCall++;
      this.#callers.set(call, { done, refused, accepted: () => {} });
      begin(call);
    });
  }

  /** Resolves once the entry that it becomes is applied. */
  #askUntilApplied(begin: (call: Call) => void): Promise<Outcome<Result>> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, refused) => {
      const call = this.#nextCall++;
      // Waits from this very moment on, lest leadership be lost in between.
      const accepted = (at: Position): void => {
        const applied = this.#applier.resultAt(at);
        resolve(applied.then((result) => ({ index: at.index, result })));
      };
      this.#callers.set(call, { done: () => {}, refused, accepted });
      begin(call);
    });
  }

  #endTurnSoon(): void {
    this.#turn ??= this.#options.clock.after(0, () => {
      this.#turn = undefined;
      const proposals = this.#proposals;
      const reads = [...this.#reads];
      this.#proposals = [];
      this.#reads.clear();
      if (proposals.length > 0) this.#step({ kind: "propose", proposals });
      for (const [safety, calls] of reads) this.#step({ kind: "read", calls, safety });
    });
  }

  #step(input: Input): void {
    if (this.#stopped !== undefined) return;
    try {
      const effects = this.#core.step(input, this.#options.clock.now());
      for (const effect of effects) this.#carryOut(effect);
    } catch (error) {
      // The core or the state machine contradicts itself: going on could only do harm.
      this.#fail(error as Error);
      return;
    }
    this.#arm();
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        return this.#writer.persist(effect);
      case "restore":
        return this.#restore(effect);
      case "storeSnapshot":
        return void this.#storeGiven(effect);
      case "overtaken":
        return this.#applier.overtaken();
      case "send":
        return this.#send(effect);
      case "sendSnapshot":
        return void this.#sendSnapshot(effect);
      case "receiveSnapshot":
        return void this.#receiveSnapshot(effect);
      case "reply":
        this.#asked.get(effect.rpc)?.answer(effect.response);
        this.#asked.delete(effect.rpc);
        return;
      case "drop":
        this.#asked.get(effect.rpc)?.giveUp(new Error("request refused"));
        this.#asked.delete(effect.rpc);
        return;
      case "load":
        return void this.#load(effect);
      case "commit":
        return this.#applier.commit(effect.index);
      case "compact":
        return this.#compact(effect.through);
      case "accepted":
        return this.#answer(effect.call)?.accepted(effect.at);
      case "refused":
        return this.#answer(effect.call)?.refused(new RaftRefusal(effect.reason));
      case "done":
        return this.#answer(effect.call)?.done(effect.index);
      case "role":
        return this.#standingChanged(effect);
      default:
        return unreachable(effect);
    }
  }

  #answer(call: Call): Caller | undefined {
    const caller = this.#callers.get(call);
    this.#callers.delete(call);
    this.#given.delete(call);
    return caller;
  }

  #restore(effect: Extract<Effect, { kind: "restore" }>): void {
    const { newest } = this.#options.snapshots;
    // Stored before the core was told, so it is there, or one that reaches further.
    if (newest !== undefined) this.#applier.restore(newest);
    this.#writer.restore(effect);
  }

  #send({ to, request, sent }: Extract<Effect, { kind: "send" }>): void {
    const peer = this.#peer(to);
    const answered =
      peer === undefined
        ? Promise.reject(new Error(`no address of ${to}`))
        : this.#options.transport.send(peer, request);
    answered.then(
      (response) => this.#step({ kind: "response", from: to, sent, response }),
      (error: unknown) => this.#sendFailed(to, sent, error),
    );
  }

  #sendFailed(to: ServerId, sent: Sent, error: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#options.logger.debug("failed to reach", {
      peer: to,
      what: sent.kind,
      error: messageOf(error),
    });
    this.#step({ kind: "failed", to, sent });
  }

  async #sendSnapshot({
    to,
    term,
    sent,
  }: Extract<Effect, { kind: "sendSnapshot" }>): Promise<void> {
    const { snapshots, transport, id: leader, logger } = this.#options;
    const peer = this.#peer(to);
    const { newest } = snapshots;
    if (peer === undefined || newest === undefined) {
      this.#sendFailed(to, sent, new Error("no address, or no snapshot"));
      return;
    }
    const {
      index: lastIndex,
      term: lastTerm,
      configuration,
      configurationIndex,
      sizeBytes,
    } = newest;
    const kind = "installSnapshot";
    const position = { term, leader, lastIndex, lastTerm };
    const request = { kind, ...position, configuration, configurationIndex, sizeBytes } as const;
    logger.info("sending snapshot", { peer: to, id: newest.id });
    try {
      const response = await transport.sendSnapshot(peer, request, snapshots.read(newest));
      this.#step({ kind: "response", from: to, sent: { ...sent, lastIndex }, response });
    } catch (error) {
      this.#sendFailed(to, sent, error);
    }
  }

  async #receiveSnapshot({
    rpc,
    request,
  }: Extract<Effect, { kind: "receiveSnapshot" }>): Promise<void> {
    const body = this.#asked.get(rpc)?.body;
    const { logger } = this.#options;
    let outcome: "stored" | "failed" = "failed";
    try {
      if (body !== undefined) await this.#store(request, body);
      outcome = "stored";
    } catch (error) {
      logger.warn("failed to receive snapshot", { error: messageOf(error) });
    }
    this.#step({ kind: "snapshotReceived", rpc, request, outcome });
  }

  async #store(request: InstallSnapshotRequest, body: AsyncIterable<Uint8Array>): Promise<void> {
    const { lastIndex: index, lastTerm: term, configuration, configurationIndex } = request;
    const meta = { index, term, configuration, configurationIndex };
    const sink = await this.#options.snapshots.create(meta);
    try {
      let left = request.sizeBytes;
      for await (const bytes of body) {
        left -= bytes.byteLength;
        await sink.write(bytes);
      }
      if (left !== 0) throw new RollcallError("wire/malformed", "short read");
      await sink.commit();
    } catch (error) {
      await sink.abort().catch(() => undefined);
      throw error;
    }
  }

  /** If nobody waits for it any more when it is there, it must not stay: it is nobody's state. */
  async #storeGiven({
    call,
    snapshot: meta,
  }: Extract<Effect, { kind: "storeSnapshot" }>): Promise<void> {
    const { snapshots, clock, logger } = this.#options;
    try {
      const slices = this.#whileRestoring(call, inTurns(this.#given.get(call) ?? [], clock));
      const stored = await writeSnapshot(snapshots, meta, slices);
      if (!this.#isRestoring(call)) await snapshots.remove(stored);
      else this.#step({ kind: "restoreStored", call, outcome: "stored" });
    } catch (error) {
      logger.error("failed to restore snapshot", { error: messageOf(error) });
      this.#callers.get(call)?.refused(new RaftRefusal("restoreFailed", messageOf(error)));
      this.#step({ kind: "restoreStored", call, outcome: "failed" });
    }
  }

  async *#whileRestoring(
    call: Call,
    slices: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void> {
    for await (const slice of slices) {
      yield slice;
      if (!this.#isRestoring(call)) throw new RaftRefusal("leadershipLost");
    }
  }

  #isRestoring(call: Call): boolean {
    return this.#stopped === undefined && this.#core.restoring === call;
  }

  async #load({ to, from, through }: Extract<Effect, { kind: "load" }>): Promise<void> {
    const { wal } = this.#options;
    let entries: readonly Entry[] = [];
    try {
      const isThere = from >= wal.firstIndex && from <= wal.lastIndex;
      if (isThere) entries = (await wal.read(from, through, LOAD_BYTES_MAX)).map(fromWalEntry);
    } catch (error) {
      this.#options.logger.error("failed to read the log", { from, error: messageOf(error) });
    }
    this.#step({ kind: "loaded", to, entries });
  }

  #compact(through: Index): void {
    const { wal, logger } = this.#options;
    wal.dropThrough(through).catch((error: unknown) => {
      logger.warn("failed to shorten the log", { error: messageOf(error) });
    });
  }

  #standingChanged({ role, term, leader }: Extract<Effect, { kind: "role" }>): void {
    if (role !== "leader") this.#applier.loseLeadership();
    this.#options.logger.info("standing", { role, term, leader: leader ?? "" });
    this.#tell({ kind: "standing", role, term, leader });
  }

  #diskIs(state: WalState): void {
    if (state === "ok") return;
    const { logger } = this.#options;
    if (state.kind === "corrupt") {
      logger.error("entries of the log are corrupt", { ...state });
      return;
    }
    logger.error("the log cannot be written", { reason: state.reason });
    // Somebody whose disk takes entries makes a better leader.
    if (this.#core.role === "leader") this.transferLeadership().catch(() => undefined);
  }

  #peer(id: ServerId): Peer | undefined {
    const address =
      this.#options.addressOf?.(id) ?? serverOf(this.#core.configuration, id)?.address;
    return address === undefined ? undefined : { id, address };
  }

  /** One timer, armed anew only for something sooner. */
  #arm(): void {
    const due = this.#core.nextDueAt;
    this.#forgetLost();
    if (this.#timer !== undefined && due >= this.#timerAt) return;
    this.#timer?.[Symbol.dispose]();
    const { clock } = this.#options;
    this.#timerAt = due;
    this.#timer = clock.after(Math.max(0, due - clock.now()), () => this.#timerFired());
  }

  #timerFired(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#stopped !== undefined) return;
    const now: Instant = this.#options.clock.now();
    if (now >= this.#core.nextDueAt) this.#step({ kind: "tick" });
    else this.#arm();
  }

  #forgetLost(): void {
    if (!this.#hasLost || !this.#core.hasAllBack) return;
    this.#hasLost = false;
    forgetLost(this.#options).catch((error: unknown) => {
      this.#options.logger.warn("failed to clear a note", { error: messageOf(error) });
    });
  }

  #tell(event: RaftEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #fail(error: Error): void {
    if (this.#stopped !== undefined) return;
    this.#options.logger.error("raft has failed", { error: error.stack ?? messageOf(error) });
    this.#stop(error);
    this.#tell({ kind: "failed", error });
  }

  #stop(error: Error): void {
    if (this.#stopped !== undefined) return;
    const refusal = error instanceof RaftRefusal ? error : new RaftRefusal("shutdown");
    this.#stopped = refusal;
    this.#timer?.[Symbol.dispose]();
    this.#turn?.[Symbol.dispose]();
    this.#snapshotter[Symbol.dispose]();
    this.#serving[Symbol.dispose]();
    this.#watching[Symbol.dispose]();
    this.#applier.stop(refusal);
    for (const { giveUp } of this.#asked.values()) giveUp(refusal);
    this.#asked.clear();
    for (const { refused } of this.#callers.values()) refused(refusal);
    this.#callers.clear();
    this.#given.clear();
  }
}
