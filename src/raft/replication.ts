/**
 * How a leader brings the others' logs to be its own (paper §5.3).
 *
 * A peer is probed, one request at a time, until one succeeds; from then on it is sent what there is without
 * waiting for responses. Any failure or refusal goes back to probing. Heartbeats run beside, without entries,
 * so that a peer that is busy writing still knows of its leader.
 *
 * A refusal tells which term the follower has where the logs part, and where that term begins: a whole term is
 * skipped at a time (paper, end of §5.3). hashicorp/raft tells only its last index: then the step doubles.
 */
import type { ServerId } from "./configuration.ts";
import type { CoreState, Leadership, Progress } from "./core-state.ts";
import type { Entry } from "./entry.ts";

/** To one peer, without a response. More would only queue up behind the first. */
const HEARTBEATS_MAX = 4;
const FIRST_RETRY_MS = 10;
const RETRY_DOUBLINGS_MAX = 10;

/** Keeps the book of peers as the configuration in force has them. */
export function syncProgress(core: CoreState, leadership: Leadership): void {
  const { progress } = leadership;
  for (const { id } of core.log.configuration.servers) {
    if (id === core.options.id) continue;
    const known = progress.get(id);
    if (known === undefined) progress.set(id, newProgress(core.log.lastIndex + 1));
    else known.removedBy = undefined;
  }
  for (const [id, peer] of progress) {
    if (!core.isMember(id)) peer.removedBy ??= core.log.configurationIndex;
  }
}

export function replicateToAll(core: CoreState): void {
  for (const id of core.leadership?.progress.keys() ?? []) replicateTo(core, id);
}

/** Sends what this peer lacks, as far as may be under way at once. */
export function replicateTo(core: CoreState, id: ServerId): void {
  const peer = core.leadership?.progress.get(id);
  if (peer === undefined || peer.mode === "snapshot" || peer.isLoading) return;
  if (core.now < peer.retryAt) return;
  const inflightMax = peer.mode === "probe" ? 1 : core.options.inflightMax;
  while (peer.inflight < inflightMax && peer.next <= core.log.lastIndex) {
    if (!sendFrom(core, id, peer)) return;
  }
  if (peer.mode === "probe" && peer.inflight === 0 && peer.sentCommit < core.commitIndex) {
    sendFrom(core, id, peer);
  }
}

/** Tells those who know of an older commit index, and have nothing coming that would tell them. */
export function spreadCommit(core: CoreState): void {
  for (const [id, peer] of core.leadership?.progress ?? []) {
    const isIdle = peer.mode === "pipeline" && peer.inflight < core.options.inflightMax;
    if (isIdle && peer.sentCommit < core.commitIndex) sendFrom(core, id, peer);
  }
}

export function heartbeatAll(core: CoreState): void {
  for (const id of core.leadership?.progress.keys() ?? []) heartbeat(core, id);
}

/** When a peer that failed is to be tried again. */
export function retryDueAt(core: CoreState, { progress }: Leadership): number {
  let due = Number.POSITIVE_INFINITY;
  for (const peer of progress.values()) {
    const isIdle = peer.mode !== "snapshot" && !peer.isLoading && peer.inflight === 0;
    const hasWork = peer.next <= core.log.lastIndex || peer.sentCommit < core.commitIndex;
    if (isIdle && hasWork && peer.mode === "probe") due = Math.min(due, peer.retryAt);
  }
  return due;
}

function newProgress(next: number): Progress {
  return {
    match: 0,
    next,
    mode: "probe",
    inflight: 0,
    heartbeats: 0,
    isLoading: false,
    sentCommit: 0,
    sentRound: 0,
    acceptedRound: 0,
    acceptedAt: Number.NEGATIVE_INFINITY,
    failures: 0,
    retryAt: Number.NEGATIVE_INFINITY,
    removedBy: undefined,
  };
}

/** @returns whether something was sent; if not, this peer has to wait for the disk or a snapshot */
function sendFrom(core: CoreState, to: ServerId, peer: Progress): boolean {
  const { log, options } = core;
  const { batchEntriesMax, batchBytesMax } = options;
  if (peer.next < log.firstIndex || log.termAt(peer.next - 1) === undefined) {
    sendSnapshot(core, to, peer);
    return false;
  }
  const entries = log.recent(peer.next, batchEntriesMax, batchBytesMax);
  if (entries === undefined) {
    peer.isLoading = true;
    const through = Math.min(log.lastIndex, peer.next + batchEntriesMax - 1);
    core.emit({ kind: "load", to, from: peer.next, through });
    return false;
  }
  sendEntries(core, to, peer, entries);
  return true;
}

/** Entries are gone, or cannot be read any more. @returns whether a snapshot covers them */
export function sendSnapshotInstead(core: CoreState, to: ServerId, peer: Progress): boolean {
  if (core.log.snapshot.index < peer.next) return false;
  sendSnapshot(core, to, peer);
  return true;
}

function sendSnapshot(core: CoreState, to: ServerId, peer: Progress): void {
  peer.mode = "snapshot";
  core.emit({ kind: "sendSnapshot", to, term: core.term, sent: core.sent("snapshot") });
}

export function sendEntries(
  core: CoreState,
  to: ServerId,
  peer: Progress,
  entries: readonly Entry[],
): void {
  const previousIndex = peer.next - 1;
  const previousTerm = core.log.termAt(previousIndex) ?? 0;
  const lastIndex = previousIndex + entries.length;
  const { term } = core;
  const commitIndex = core.options.rules.commitToSend(core.commitIndex, lastIndex);
  const leader = core.options.id;
  const sent = core.sent("append", previousIndex, lastIndex);
  peer.inflight += 1;
  peer.sentCommit = commitIndex;
  peer.sentRound = sent.round;
  if (peer.mode === "pipeline") peer.next = lastIndex + 1;
  const kind = "appendEntries";
  const request = {
    kind,
    term,
    leader,
    previousIndex,
    previousTerm,
    entries,
    commitIndex,
  } as const;
  core.emit({ kind: "send", to, request, sent });
}

export function heartbeat(core: CoreState, to: ServerId): void {
  const peer = core.leadership?.progress.get(to);
  if (peer === undefined || peer.heartbeats >= HEARTBEATS_MAX) return;
  const sent = core.sent("heartbeat");
  peer.heartbeats += 1;
  peer.sentRound = sent.round;
  const { term } = core;
  const request = {
    kind: "appendEntries",
    term,
    leader: core.options.id,
    previousIndex: 0,
    previousTerm: 0,
    entries: [],
    commitIndex: 0,
  } as const;
  core.emit({ kind: "send", to, request, sent });
}

export function backOff(core: CoreState, peer: Progress): void {
  const { heartbeatTimeoutMs } = core.options;
  const wait = FIRST_RETRY_MS * 2 ** Math.min(peer.failures, RETRY_DOUBLINGS_MAX);
  peer.failures += 1;
  peer.retryAt = core.now + Math.min(wait, heartbeatTimeoutMs);
}
