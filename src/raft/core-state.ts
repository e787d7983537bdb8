/**
 * Everything the core remembers, and the two things every part of it does: emit an effect, and make one wait
 * until what it promises is durable.
 *
 * The rules of raft are functions over this state, one file a concern: election.ts, votes.ts, replication.ts,
 * append.ts, commit.ts, membership.ts, reads.ts, transfer.ts, snapshot-install.ts, user-restore.ts. Only they change it.
 *
 * Invariants:
 *   1. `term` never goes down; within a term, `vote` once given does not change.
 *   2. `commitIndex` never goes down, and what it covers is never cut from the log.
 *   3. `leadership` is there exactly while this server leads, and belongs to `term`.
 *   4. No reply leaves before what it promises is durable.
 */
import type { Instant, Random } from "../platform/index.ts";
import {
  isVoter,
  majorityValue,
  serverOf,
  type Change,
  type Server,
  type ServerId,
} from "./configuration.ts";
import type { Call, Effect, HardState, Role, Sent, Ticket } from "./effects.ts";
import type { Entry, Index, Position, Term } from "./entry.ts";
import { RaftLog, type SnapshotMeta, type StoredLog } from "./raft-log.ts";
import type { Rules } from "./rules.ts";

export interface RaftTimings {
  /** A follower that has heard of no leader for this long, and up to twice as long, stands for election. */
  readonly heartbeatTimeoutMs: number;
  /** A candidate tries again after this long, and up to twice as long. A transfer may take so long. */
  readonly electionTimeoutMs: number;
  /** A leader that a majority has not answered for this long steps down. Not above the heartbeat timeout. */
  readonly leaseTimeoutMs: number;
  /** Followers learn of a new commit index at the latest so much later. */
  readonly commitTimeoutMs: number;
}
export interface RaftLimits {
  /** Of one AppendEntries. */
  readonly batchEntriesMax: number;
  readonly batchBytesMax: number;
  /** AppendEntries to one follower that wait for their responses. */
  readonly inflightMax: number;
  /** Recent entries kept in memory. */
  readonly recentBytesMax: number;
  /** Entries that are not committed: more proposals are refused. */
  readonly uncommittedEntriesMax: number;
  /** Entries that stay in the log behind a snapshot, for followers that lag a little. */
  readonly trailingLogs: number;
}
export interface CoreOptions extends RaftTimings, RaftLimits {
  readonly id: ServerId;
  readonly random: Random;
  readonly rules: Rules;
  /** Whether that server understands pre-votes. One that does not is taken to grant them. */
  readonly knowsPreVote: (id: ServerId) => boolean;
}

/** What the leader knows of one other server. */
export interface Progress {
  /** Up to here its log is known to be ours. */
  match: Index;
  /** What it is sent next. */
  next: Index;
  /** "probe": one request at a time, to find out where the logs part. "pipeline": without waiting. */
  mode: "probe" | "pipeline" | "snapshot";
  inflight: number;
  heartbeats: number;
  /** Older entries are being read for it. */
  isLoading: boolean;
  sentCommit: Index;
  sentRound: number;
  /** The newest round that it has confirmed, and when the newest request was sent that it has answered. */
  acceptedRound: number;
  acceptedAt: number;
  /** In a row. */
  failures: number;
  retryAt: number;
  /** Removed by the entry there: it is told that much, then forgotten. */
  removedBy: Index | undefined;
}

export interface PendingRead {
  readonly call: Call;
  readonly round: number;
  readonly needsCommit: boolean;
}
export interface PendingChange {
  readonly call: Call;
  readonly change: Change;
  readonly latestIndex: Index;
}
export interface Transfer {
  readonly call: Call;
  readonly to: ServerId;
  readonly deadline: number;
  isTold: boolean;
}
/** A state from elsewhere that is being stored; nothing is proposed meanwhile. */
export interface Restoring {
  readonly call: Call;
  readonly snapshot: SnapshotMeta;
}

export interface Leadership {
  readonly since: Instant;
  /** Of its first entry, the noop. */
  readonly firstIndex: Index;
  readonly progress: Map<ServerId, Progress>;
  round: number;
  reads: PendingRead[];
  changes: PendingChange[];
  transfer: Transfer | undefined;
  restoring: Restoring | undefined;
  /** Somebody was told to stand for election, and may do so at any time. */
  hasTransferred: boolean;
  heartbeatAt: number;
  commitAt: number;
}

interface Deferred {
  readonly ticket: Ticket;
  readonly effect: Effect;
}
interface Unsynced {
  readonly ticket: Ticket;
  readonly term: Term | undefined;
  lastIndex: Index;
}
/** What this step has to make durable. */
interface Unsaved {
  hardState: HardState | undefined;
  truncateFrom: Index | undefined;
  entries: Entry[];
}

export interface CoreStart {
  readonly hardState: HardState;
  readonly log: StoredLog | RaftLog;
  /**
   * The last entry that this server may have acknowledged and has lost. Until it has got it back it votes as
   * if it had it, and does not stand for election.
   */
  readonly lost: Position;
}

/** Of a cluster's first entry, which its servers begin with. */
const BOOTSTRAP_TERM = 1;
/** So many times sooner than elsewhere its first election comes. */
const NEW_CLUSTER_HASTE = 4;

export class CoreState {
  readonly options: CoreOptions;
  /** Of the step under way. */
  now: Instant;
  effects: Effect[] = [];

  term: Term;
  vote: string;
  readonly log: RaftLog;
  lost: Position;
  commitIndex: Index;

  role: Role = "follower";
  leader: ServerId | undefined;
  /** Until then the leader is taken to be there. */
  ledUntil: number;
  /** When a leader was last heard of, for people to read. */
  heardAt: Instant | undefined;
  electionAt: number;
  /** Of the election under way. */
  votes = new Map<ServerId, boolean>();
  leadership: Leadership | undefined;

  lastTicket: Ticket = 0;
  doneTicket: Ticket = 0;
  deferred: Deferred[] = [];
  unsynced: Unsynced[] = [];
  unsaved: Unsaved | undefined;
  durableIndex: Index;
  durableTerm: Term;
  /** Snapshots that are being received or restored. */
  installing = 0;
  #hardStateTicket: Ticket = 0;

  constructor(options: CoreOptions, { hardState, log, lost }: CoreStart, now: Instant) {
    this.options = options;
    this.now = now;
    this.log = log instanceof RaftLog ? log : new RaftLog(log);
    // A crash may have kept an entry of a term and not the term: who has the entry had the term.
    const { term } = this.log.last;
    this.term = Math.max(hardState.term, term);
    this.vote = hardState.term === this.term ? hardState.vote : "";
    this.lost = lost;
    this.commitIndex = this.log.snapshot.index;
    this.durableIndex = this.log.lastIndex;
    this.durableTerm = this.term;
    const { heartbeatTimeoutMs, random, rules } = options;
    // Whoever was never asked for anything has promised nothing to a leader, and none can rely on it.
    const isUntouched = this.term <= BOOTSTRAP_TERM;
    const isLed = rules.ledAtStart() && !isUntouched;
    this.ledUntil = isLed ? now + heartbeatTimeoutMs : now;
    // Who decides alone need not wait to hear of others, and a new cluster need not wait for long.
    const [first, second] = this.deciders;
    const isAlone = first?.id === options.id && second === undefined;
    const patience = isUntouched ? random.float() / NEW_CLUSTER_HASTE : 1 + random.float();
    this.electionAt = isAlone ? now : now + heartbeatTimeoutMs * patience;
  }

  /** Another one in the same state, between two steps. What happens to one does not touch the other. */
  clone(): CoreState {
    const { term, vote, lost } = this;
    const start = { hardState: { term, vote }, log: this.log.clone(), lost };
    const copy = new CoreState(this.options, start, this.now);
    copy.commitIndex = this.commitIndex;
    copy.role = this.role;
    copy.leader = this.leader;
    copy.ledUntil = this.ledUntil;
    copy.heardAt = this.heardAt;
    copy.electionAt = this.electionAt;
    copy.votes = new Map(this.votes);
    copy.leadership = this.leadership && cloneLeadership(this.leadership);
    copy.lastTicket = this.lastTicket;
    copy.doneTicket = this.doneTicket;
    copy.deferred = [...this.deferred];
    copy.unsynced = this.unsynced.map((write) => ({ ...write }));
    copy.durableIndex = this.durableIndex;
    copy.durableTerm = this.durableTerm;
    copy.installing = this.installing;
    copy.#hardStateTicket = this.#hardStateTicket;
    return copy;
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  /** Emits it once everything is durable that was decided until now. */
  emitWhenDurable(effect: Effect): void {
    this.#defer(effect, this.unsaved === undefined ? this.lastTicket : this.lastTicket + 1);
  }

  /** The same, but what was appended may be on its way yet: for what says nothing about logs. */
  emitWhenTermIsDurable(effect: Effect): void {
    const isUnsaved = this.unsaved?.hardState !== undefined;
    this.#defer(effect, isUnsaved ? this.lastTicket + 1 : this.#hardStateTicket);
  }

  setHardState(term: Term, vote: string): void {
    this.term = term;
    this.vote = vote;
    this.#unsavedNow().hardState = { term, vote };
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.log.append(entries);
    this.#unsavedNow().entries.push(...entries);
  }

  truncateFrom(index: Index): void {
    this.log.truncateFrom(index);
    this.durableIndex = Math.min(this.durableIndex, index - 1);
    for (const write of this.unsynced) write.lastIndex = Math.min(write.lastIndex, index - 1);
    const unsaved = this.#unsavedNow();
    unsaved.truncateFrom = index;
    unsaved.entries = unsaved.entries.filter((entry) => entry.index < index);
  }

  /** Nothing of the log is left; what of it is on its way to the disk will be gone when the snapshot is there. */
  resetLogTo(snapshot: SnapshotMeta): void {
    this.log.resetTo(snapshot);
    this.durableIndex = snapshot.index;
    for (const write of this.unsynced) write.lastIndex = Math.min(write.lastIndex, snapshot.index);
  }

  /** A ticket for something that is made durable otherwise, in order with the rest. */
  takeTicket(): Ticket {
    this.flush();
    this.lastTicket += 1;
    this.unsynced.push({ ticket: this.lastTicket, term: undefined, lastIndex: this.log.lastIndex });
    return this.lastTicket;
  }

  /** Ends the step's decisions: what is to be durable becomes one effect. */
  flush(): void {
    const unsaved = this.unsaved;
    if (unsaved === undefined) return;
    this.unsaved = undefined;
    this.lastTicket += 1;
    const ticket = this.lastTicket;
    if (unsaved.hardState !== undefined) this.#hardStateTicket = ticket;
    this.unsynced.push({ ticket, term: unsaved.hardState?.term, lastIndex: this.log.lastIndex });
    this.emit({ kind: "persist", ticket, ...unsaved });
  }

  /** @returns nothing; `durableIndex` and `durableTerm` have risen, and what waited is emitted */
  persisted(ticket: Ticket): void {
    this.doneTicket = Math.max(this.doneTicket, ticket);
    while (this.unsynced[0] !== undefined && this.unsynced[0].ticket <= ticket) {
      const { lastIndex, term } = this.unsynced.shift() as Unsynced;
      this.durableIndex = Math.max(this.durableIndex, lastIndex);
      this.durableTerm = Math.max(this.durableTerm, term ?? 0);
    }
    if (this.deferred.length === 0) return;
    const waiting = this.deferred;
    this.deferred = waiting.filter((deferred) => deferred.ticket > ticket);
    for (const deferred of waiting) if (deferred.ticket <= ticket) this.emit(deferred.effect);
  }

  get lastPosition(): Position {
    return this.log.last;
  }

  /** Who decides, in the configuration in force. */
  get deciders(): readonly Server[] {
    const { servers } = this.log.configuration;
    return servers.filter(({ suffrage }) => this.options.rules.countsForMajority(suffrage));
  }

  /** Of what each decider has, the most that a majority has. */
  majorityOf(value: (id: ServerId) => number): number {
    const deciders = this.deciders;
    const majority = this.options.rules.majorityOf(deciders.length);
    return majorityValue(
      deciders.map(({ id }) => value(id)),
      majority,
    );
  }

  isMember(id: ServerId): boolean {
    return serverOf(this.log.configuration, id) !== undefined;
  }

  /**
   * A voter of the configuration in force may stand for election, and one of the configuration before while
   * the change is not known to be committed: it may be the only one that has the entry which removes it.
   */
  get mayStand(): boolean {
    const { id } = this.options;
    if (isVoter(this.log.configuration, id)) return true;
    const isSettled = this.log.configurationIndex <= this.commitIndex;
    return (
      !isSettled &&
      isVoter(this.log.configurationAt(this.log.configurationIndex - 1).configuration, id)
    );
  }

  sent(kind: Sent["kind"], previousIndex: Index = 0, lastIndex: Index = 0): Sent {
    const round = this.leadership?.round ?? 0;
    return { kind, term: this.term, at: this.now, round, previousIndex, lastIndex };
  }

  #defer(effect: Effect, ticket: Ticket): void {
    if (ticket <= this.doneTicket) this.effects.push(effect);
    else this.deferred.push({ ticket, effect });
  }

  #unsavedNow(): Unsaved {
    this.unsaved ??= { hardState: undefined, truncateFrom: undefined, entries: [] };
    return this.unsaved;
  }
}

function cloneLeadership(leadership: Leadership): Leadership {
  const { progress, reads, changes, transfer } = leadership;
  return {
    ...leadership,
    progress: new Map([...progress].map(([id, peer]) => [id, { ...peer }])),
    reads: [...reads],
    changes: [...changes],
    transfer: transfer && { ...transfer },
  };
}
