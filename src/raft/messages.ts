/**
 * What servers say to each other: requests that are answered once or not at all, as hashicorp/raft's transport
 * has it. Servers are named by ID; the transport adds addresses (transport.ts).
 */
import type { Configuration, ServerId } from "./configuration.ts";
import type { Entry, Index, Term } from "./entry.ts";

/** Without `previous`, entries and commit index it is a heartbeat, which says nothing about logs. */
export interface AppendEntriesRequest {
  readonly kind: "appendEntries";
  readonly term: Term;
  readonly leader: ServerId;
  readonly previousIndex: Index;
  readonly previousTerm: Term;
  readonly entries: readonly Entry[];
  readonly commitIndex: Index;
}
/** `preVote`: would you vote for me in that term? Changes nothing (thesis §9.6). */
export interface VoteRequest {
  readonly kind: "requestVote" | "preVote";
  readonly term: Term;
  readonly candidate: ServerId;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** "transfer": its leader told the candidate to stand, so having a leader is no reason to refuse. */
  readonly reason: "timeout" | "transfer";
}
/** Followed by `sizeBytes` of the state machine's snapshot. */
export interface InstallSnapshotRequest {
  readonly kind: "installSnapshot";
  readonly term: Term;
  readonly leader: ServerId;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  readonly configuration: Configuration;
  readonly configurationIndex: Index;
  readonly sizeBytes: number;
}
/** `term`: of the leader that says so; 0 if it does not tell, as hashicorp/raft does not. */
export interface TimeoutNowRequest {
  readonly kind: "timeoutNow";
  readonly term: Term;
}
export type Request =
  | AppendEntriesRequest
  | VoteRequest
  | InstallSnapshotRequest
  | TimeoutNowRequest;

/** The follower's entry at the previous index is of another term: where that term begins in its log. */
export interface Conflict {
  readonly term: Term;
  readonly firstIndex: Index;
}
export interface AppendEntriesResponse {
  readonly kind: "appendEntries";
  readonly term: Term;
  readonly success: boolean;
  /** The follower's last index before it looked at the request. */
  readonly lastIndex: Index;
  /** hashicorp/raft does not say. */
  readonly conflict?: Conflict;
}
export interface VoteResponse {
  readonly kind: "requestVote" | "preVote";
  readonly term: Term;
  readonly granted: boolean;
}
export interface InstallSnapshotResponse {
  readonly kind: "installSnapshot";
  readonly term: Term;
  readonly success: boolean;
}
export interface TimeoutNowResponse {
  readonly kind: "timeoutNow";
}
export type Response =
  | AppendEntriesResponse
  | VoteResponse
  | InstallSnapshotResponse
  | TimeoutNowResponse;

export function isHeartbeat(request: AppendEntriesRequest): boolean {
  const { previousIndex, previousTerm, entries, commitIndex } = request;
  return previousIndex === 0 && previousTerm === 0 && entries.length === 0 && commitIndex === 0;
}
