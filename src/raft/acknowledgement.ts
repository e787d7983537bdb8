/** What responses tell a leader about its peers: how far their logs agree with its own, and that they follow it. */
import type { ServerId } from "./configuration.ts";
import type { CoreState, Progress } from "./core-state.ts";
import type { Sent } from "./effects.ts";
import type { Entry } from "./entry.ts";
import type { AppendEntriesResponse, InstallSnapshotResponse } from "./messages.ts";
import {
  backOff,
  heartbeat,
  replicateTo,
  sendEntries,
  sendSnapshotInstead,
} from "./replication.ts";
import { follow } from "./roles.ts";

export function onAppendResponse(
  core: CoreState,
  from: ServerId,
  sent: Sent,
  response: AppendEntriesResponse,
): void {
  const peer = answeringPeer(core, from, sent, response.term);
  if (peer === undefined) return;
  count(peer, sent);
  if (sent.kind === "heartbeat") {
    // It is there, so that waiting longer to try again is of no use.
    peer.retryAt = core.now;
    catchUpOnRounds(core, from, peer);
  } else if (response.success) onMatch(core, from, peer, sent.lastIndex);
  else onMismatch(core, peer, sent, response);
  replicateTo(core, from);
}

export function onSnapshotResponse(
  core: CoreState,
  from: ServerId,
  sent: Sent,
  response: InstallSnapshotResponse,
): void {
  const peer = answeringPeer(core, from, sent, response.term);
  if (peer === undefined) return;
  peer.mode = "probe";
  if (response.success) onMatch(core, from, peer, sent.lastIndex);
  else backOff(core, peer);
  replicateTo(core, from);
}

/** No response will come to that. */
export function onSendFailed(core: CoreState, to: ServerId, sent: Sent): void {
  const peer = core.leadership?.progress.get(to);
  if (peer === undefined || sent.term !== core.term) return;
  count(peer, sent);
  if (sent.kind !== "append" && sent.kind !== "snapshot") return;
  if (sent.kind === "append" && peer.mode === "snapshot") return;
  // Of several that were under way the first failure counts.
  const isNews = peer.mode !== "probe" || peer.inflight === 0;
  peer.mode = "probe";
  peer.next = peer.match + 1;
  peer.sentCommit = 0;
  if (isNews) backOff(core, peer);
  forgetIfRemoved(core, to, peer);
}

export function onLoaded(core: CoreState, to: ServerId, entries: readonly Entry[]): void {
  const peer = core.leadership?.progress.get(to);
  if (peer?.isLoading !== true) return;
  peer.isLoading = false;
  const first = entries[0];
  // The log may have been cut or compacted, or the peer be further by now: then it is looked at anew, later.
  const isUsable =
    first !== undefined &&
    first.index === peer.next &&
    entries.every(({ index, term }) => core.log.termAt(index) === term);
  if (isUsable) sendEntries(core, to, peer, entries);
  else if (first !== undefined || !sendSnapshotInstead(core, to, peer)) backOff(core, peer);
  replicateTo(core, to);
}

/** Reads came while as many heartbeats as may be were under way. */
function catchUpOnRounds(core: CoreState, to: ServerId, peer: Progress): void {
  const { reads = [], round = 0 } = core.leadership ?? {};
  if (reads.length > 0 && peer.sentRound < round) heartbeat(core, to);
}

/** One less under way. Not below none: a server that was removed and added again is counted anew. */
function count(peer: Progress, { kind }: Sent): void {
  if (kind === "heartbeat") peer.heartbeats = Math.max(0, peer.heartbeats - 1);
  if (kind === "append") peer.inflight = Math.max(0, peer.inflight - 1);
}

/** Whoever answers in our term has us for its leader. undefined: the answer is of no use any more. */
function answeringPeer(
  core: CoreState,
  from: ServerId,
  sent: Sent,
  responseTerm: number,
): Progress | undefined {
  if (responseTerm > core.term) {
    follow(core, responseTerm, undefined);
    return undefined;
  }
  const peer = core.leadership?.progress.get(from);
  if (peer === undefined || sent.term !== core.term) return undefined;
  peer.acceptedRound = Math.max(peer.acceptedRound, sent.round);
  peer.acceptedAt = Math.max(peer.acceptedAt, sent.at);
  return peer;
}

function onMatch(core: CoreState, id: ServerId, peer: Progress, lastIndex: number): void {
  peer.failures = 0;
  if (lastIndex > peer.match) peer.match = lastIndex;
  peer.next = Math.max(peer.next, peer.match + 1);
  if (peer.mode === "probe") peer.mode = "pipeline";
  tellCommitSoon(core, peer);
  forgetIfRemoved(core, id, peer);
}

/** What was committed while this peer was busy, it may have missed. */
function tellCommitSoon(
  { leadership, now, commitIndex, options }: CoreState,
  peer: Progress,
): void {
  if (leadership === undefined || peer.sentCommit >= commitIndex) return;
  leadership.commitAt = Math.min(leadership.commitAt, now + options.commitTimeoutMs);
}

function onMismatch(
  core: CoreState,
  peer: Progress,
  sent: Sent,
  { lastIndex, conflict }: AppendEntriesResponse,
): void {
  // Refusals of what was pipelined behind the first one that did not fit say nothing new.
  if (peer.mode === "snapshot" || sent.previousIndex >= peer.next) return;
  peer.mode = "probe";
  peer.sentCommit = 0;
  peer.failures += 1;
  let next = Math.min(sent.previousIndex, lastIndex + 1);
  if (conflict !== undefined) {
    const own = core.log.lastOfTerm(conflict.term);
    const isShared = own !== undefined && own >= conflict.firstIndex;
    next = Math.min(next, isShared ? own + 1 : conflict.firstIndex);
  } else if (lastIndex >= sent.previousIndex) {
    next = Math.min(next, sent.previousIndex + 1 - 2 ** Math.min(peer.failures - 1, 20));
  }
  peer.next = Math.max(1, next);
  // It has lost what it had: believe what it says, not what it once said.
  peer.match = Math.min(peer.match, peer.next - 1);
}

/** A removed server is told so, and that it is settled, if it can be; then it is no concern of ours. */
function forgetIfRemoved(core: CoreState, id: ServerId, peer: Progress): void {
  const { removedBy } = peer;
  if (removedBy === undefined) return;
  const isGone = peer.failures > 0 && removedBy <= core.commitIndex;
  const isTold = peer.match >= removedBy && peer.sentCommit >= removedBy;
  if (isTold || isGone) core.leadership?.progress.delete(id);
}
