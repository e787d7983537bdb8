/**
 * Who leads: from a follower whose patience ends to a leader with a majority of votes, and back.
 *
 *     follower ── no leader heard of ──▶ preCandidate ── a majority would vote ──▶ candidate ── votes ──▶ leader
 *        ▲                                   │                                        │                     │
 *        └──────── a leader, a newer term, or (leader) no majority that answers ◀─────┴─────────────────────┘
 *
 * Pre-votes (thesis §9.6) keep a server that was cut off from raising everybody's term when it comes back.
 * hashicorp/raft 1.1.2 does not know them, so such peers are not asked and are taken to agree.
 */
import type { ServerId } from "./configuration.ts";
import type { CoreState } from "./core-state.ts";
import type { Sent } from "./effects.ts";
import { NO_DATA, type Term } from "./entry.ts";
import type { VoteRequest, VoteResponse } from "./messages.ts";
import { replicateToAll, syncProgress } from "./replication.ts";
import { follow, waitForLeader } from "./roles.ts";

/** No leader was heard of for too long. */
export function standForElection(core: CoreState): void {
  core.leader = undefined;
  if (core.role !== "follower") core.role = "follower";
  if (!isAble(core)) {
    waitForLeader(core);
    return;
  }
  const { id, knowsPreVote } = core.options;
  core.role = "preCandidate";
  core.votes = new Map([[id, true]]);
  waitForVotes(core);
  for (const { id: other } of core.deciders) {
    if (other === id) continue;
    if (knowsPreVote(other)) askForVote(core, other, "preVote", "timeout");
    else core.votes.set(other, true);
  }
  countVotes(core);
}

/**
 * The leader of `term` wants this server to take its place (thesis §3.10). One of an earlier term has no say any
 * more: voters put up with a candidate that was sent, so it would break into the lease of the leader of today.
 */
export function standAtOnce(core: CoreState, term: Term): void {
  const isLate = term !== 0 && term < core.term;
  if (core.role !== "leader" && !isLate && isAble(core)) campaign(core, "transfer");
}

/** With the disk behind, nothing counts yet: called again when it has caught up. */
export function countVotes(core: CoreState): void {
  if (core.role !== "preCandidate" && core.role !== "candidate") return;
  const isAwaitingDisk = core.role === "candidate" && core.durableTerm !== core.term;
  const granted = core.majorityOf((id) => {
    if (id === core.options.id && isAwaitingDisk) return 0;
    return core.votes.get(id) === true ? 1 : 0;
  });
  if (granted < 1) return;
  if (core.role === "preCandidate") campaign(core, "timeout");
  else lead(core);
}

export function onVoteResponse(
  core: CoreState,
  from: ServerId,
  sent: Sent,
  { kind, term, granted }: VoteResponse,
): void {
  if (term > core.term && !granted) {
    follow(core, term, undefined);
    return;
  }
  const wanted = kind === "preVote" ? "preCandidate" : "candidate";
  if (core.role !== wanted || sent.term !== core.term || !granted) return;
  core.votes.set(from, true);
  countVotes(core);
}

function isAble(core: CoreState): boolean {
  const hasAllBack = core.options.rules.isUpToDate(core.lastPosition, core.lost);
  return core.mayStand && hasAllBack && core.installing === 0;
}

function campaign(core: CoreState, reason: VoteRequest["reason"]): void {
  const { id } = core.options;
  core.role = "candidate";
  core.leader = undefined;
  core.setHardState(core.term + 1, id);
  core.votes = new Map([[id, true]]);
  waitForVotes(core);
  for (const { id: other } of core.deciders) {
    if (other !== id) askForVote(core, other, "requestVote", reason);
  }
}

function askForVote(
  core: CoreState,
  to: ServerId,
  kind: VoteRequest["kind"],
  reason: VoteRequest["reason"],
): void {
  const { index: lastIndex, term: lastTerm } = core.lastPosition;
  const term = kind === "preVote" ? core.term + 1 : core.term;
  const request = { kind, term, candidate: core.options.id, lastIndex, lastTerm, reason };
  const sent = core.sent(kind === "preVote" ? "preVote" : "vote");
  core.emitWhenTermIsDurable({ kind: "send", to, request, sent });
}

function waitForVotes(core: CoreState): void {
  const { electionTimeoutMs, random } = core.options;
  core.electionAt = core.now + electionTimeoutMs * (1 + random.float());
}

/** Paper §5.2, and §8: an entry of its own term, empty, tells a new leader what is committed. */
function lead(core: CoreState): void {
  core.role = "leader";
  core.leader = core.options.id;
  core.votes.clear();
  const index = core.log.lastIndex + 1;
  core.leadership = {
    since: core.now,
    firstIndex: index,
    progress: new Map(),
    round: 0,
    reads: [],
    changes: [],
    transfer: undefined,
    restoring: undefined,
    hasTransferred: false,
    heartbeatAt: core.now,
    commitAt: Number.POSITIVE_INFINITY,
  };
  syncProgress(core, core.leadership);
  core.append([{ index, term: core.term, type: "noop", data: NO_DATA }]);
  replicateToAll(core);
}
