/** What goes into the core and what comes out of it. Read this before core.ts. */
import type { Instant } from "../platform/index.ts";
import type { LogType } from "../wire/index.ts";
import type { Change, ServerId } from "./configuration.ts";
import type { Entry, Index, Position, Term } from "./entry.ts";
import type { InstallSnapshotRequest, Request, Response } from "./messages.ts";
import type { SnapshotMeta } from "./raft-log.ts";

export type Role = "follower" | "preCandidate" | "candidate" | "leader";

/** Names a caller's question, so that the answer finds back. Chosen by the driver, never 0. */
export type Call = number;
/** Names a request of another server that waits for its reply. */
export type Rpc = number;
/** Numbers what is to be made durable, in order, from 1. */
export type Ticket = number;

export interface HardState {
  readonly term: Term;
  /** Whom this server voted for in `term`; "" for nobody. */
  readonly vote: string;
}

/** What the core needs to know again of a request it sent, when the response comes. */
export interface Sent {
  readonly kind: "append" | "heartbeat" | "vote" | "preVote" | "snapshot" | "timeoutNow";
  readonly term: Term;
  readonly at: Instant;
  /** The newest round of reads that had been asked for by then. */
  readonly round: number;
  /** Of an append or a snapshot: what the other has if it succeeds, and where its log must match. */
  readonly lastIndex: Index;
  readonly previousIndex: Index;
}

export interface Proposal {
  readonly call: Call;
  readonly type: LogType;
  readonly data: Uint8Array;
  readonly extensions?: Uint8Array;
}

/**
 * How a read is made safe. "lease": by the clock where that is enough, else as "round". "round": a majority
 * says that nobody else leads. "verify": the same, but without waiting for an entry of this term.
 */
export type ReadSafety = "lease" | "round" | "verify";

export type Input =
  /** Time has passed: `nextDueAt` is reached. */
  | Readonly<{ kind: "tick" }>
  | Readonly<{ kind: "request"; rpc: Rpc; request: Request }>
  | Readonly<{ kind: "response"; from: ServerId; sent: Sent; response: Response }>
  /** No response will come. Every "send" ends in this or in a response. */
  | Readonly<{ kind: "failed"; to: ServerId; sent: Sent }>
  | Readonly<{ kind: "propose"; proposals: readonly Proposal[] }>
  /** @param latestIndex if not 0, only while the configuration in force is the one of that index */
  | Readonly<{ kind: "change"; call: Call; change: Change; latestIndex: Index }>
  | Readonly<{ kind: "read"; calls: readonly Call[]; safety: ReadSafety }>
  | Readonly<{ kind: "transfer"; call: Call; to: ServerId | undefined }>
  | Readonly<{ kind: "persisted"; ticket: Ticket }>
  /** Answers "load". Empty when they are no longer there. */
  | Readonly<{ kind: "loaded"; to: ServerId; entries: readonly Entry[] }>
  | Readonly<{ kind: "snapshotTaken"; snapshot: SnapshotMeta }>
  /** A state from elsewhere is to take the place of ours. @param index of that state: ours goes beyond it */
  | Readonly<{ kind: "restore"; call: Call; index: Index }>
  /** Answers "storeSnapshot". */
  | Readonly<{ kind: "restoreStored"; call: Call; outcome: "stored" | "failed" }>
  /** Answers "receiveSnapshot": its bytes are all there and durable, or will not be. */
  | Readonly<{
      kind: "snapshotReceived";
      rpc: Rpc;
      request: InstallSnapshotRequest;
      outcome: "stored" | "failed";
    }>;

export type RefusalReason =
  | "notLeader"
  | "transferring"
  | "busy"
  | "leadershipLost"
  | "restored"
  | "restoreFailed"
  | "configurationPending"
  | "configurationChanged"
  | "invalidConfiguration"
  | "noTarget"
  | "timeout";

export type Effect =
  /**
   * Make durable: the hard state first, then the log's change. Answered by "persisted", in the order of the
   * tickets; several may be under way.
   */
  | Readonly<{
      kind: "persist";
      ticket: Ticket;
      hardState: HardState | undefined;
      truncateFrom: Index | undefined;
      entries: readonly Entry[];
    }>
  /** The snapshot takes the place of the state and, with "reset", of the log. Takes its turn among the tickets. */
  | Readonly<{ kind: "restore"; ticket: Ticket; snapshot: SnapshotMeta; log: "reset" | "keep" }>
  /** Make the state that was given with the call durable as this snapshot. Answered by "restoreStored". */
  | Readonly<{ kind: "storeSnapshot"; call: Call; snapshot: SnapshotMeta }>
  /** What was accepted and is not applied yet comes to nothing: a "restore" follows. */
  | Readonly<{ kind: "overtaken" }>
  | Readonly<{ kind: "send"; to: ServerId; request: Request; sent: Sent }>
  | Readonly<{ kind: "reply"; rpc: Rpc; response: Response }>
  /** No reply to this one: it was given up. */
  | Readonly<{ kind: "drop"; rpc: Rpc }>
  /** Read entries from the log's home for a server that lags. Answered by "loaded". */
  | Readonly<{ kind: "load"; to: ServerId; from: Index; through: Index }>
  /** Send the newest snapshot, which is at least this one. Answered as a "send" is, `sent` naming the one sent. */
  | Readonly<{ kind: "sendSnapshot"; to: ServerId; term: Term; sent: Sent }>
  | Readonly<{ kind: "receiveSnapshot"; rpc: Rpc; request: InstallSnapshotRequest }>
  /** Entries up to here may be applied. */
  | Readonly<{ kind: "commit"; index: Index }>
  /** Entries up to here may be dropped from the log. */
  | Readonly<{ kind: "compact"; through: Index }>
  /** The proposal or change is in the log there; whether it stays is known when it is applied. */
  | Readonly<{ kind: "accepted"; call: Call; at: Position }>
  | Readonly<{ kind: "refused"; call: Call; reason: RefusalReason }>
  /** A read may be answered from the state once that is applied; a transfer is done. */
  | Readonly<{ kind: "done"; call: Call; index: Index }>
  /** Who leads, as far as this server knows, or its own role has changed. */
  | Readonly<{ kind: "role"; role: Role; term: Term; leader: ServerId | undefined }>;
