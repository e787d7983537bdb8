/**
 * Reads that see everything committed before they were asked, without an entry in the log (thesis §6.4).
 *
 * By rounds: a leader that a majority accepts after the question has not been replaced before it. Rounds are
 * counted, and everything that is sent says which round it belongs to, so that no clock is trusted. By lease:
 * followers that heard of their leader refuse to elect another for the heartbeat timeout, so a leader that a
 * majority accepted less than the lease ago is the only one, as long as no clock runs twice as fast as another.
 */
import type { CoreState, Leadership } from "./core-state.ts";
import type { Call, ReadSafety } from "./effects.ts";
import { heartbeatAll } from "./replication.ts";
import { follow } from "./roles.ts";

/** Reads that wait for a round. */
const READS_MAX = 16_384;

export function onRead(core: CoreState, calls: readonly Call[], safety: ReadSafety): void {
  const { leadership, options } = core;
  if (leadership === undefined || leadership.reads.length + calls.length > READS_MAX) {
    const reason = leadership === undefined ? "notLeader" : "busy";
    for (const call of calls) core.emit({ kind: "refused", call, reason });
    return;
  }
  const { commitIndex } = core;
  const knowsCommitted = options.rules.knowsCommitted(commitIndex, leadership.firstIndex);
  if (safety === "lease" && knowsCommitted && hasLease(core, leadership)) {
    for (const call of calls) core.emit({ kind: "done", call, index: commitIndex });
    return;
  }
  leadership.round += 1;
  const { round } = leadership;
  const needsCommit = safety !== "verify";
  leadership.reads.push(...calls.map((call) => ({ call, round, needsCommit })));
  heartbeatAll(core);
}

/** Those whose round a majority has confirmed. */
export function answerReads(core: CoreState): void {
  const { leadership, options, commitIndex } = core;
  if (leadership === undefined || leadership.reads.length === 0) return;
  const { progress, firstIndex, round } = leadership;
  const { rules } = options;
  const accepted = core.majorityOf((id) =>
    id === options.id ? round : (progress.get(id)?.acceptedRound ?? 0),
  );
  const knowsCommitted = rules.knowsCommitted(commitIndex, firstIndex);
  leadership.reads = leadership.reads.filter((read) => {
    if (!rules.confirms(accepted, read.round)) return true;
    if (read.needsCommit && !knowsCommitted) return true;
    core.emit({ kind: "done", call: read.call, index: commitIndex });
    return false;
  });
}

/** When the leader has gone unanswered by a majority for too long. */
export function leaseDueAt(core: CoreState, { progress, since }: Leadership): number {
  const { id: self, leaseTimeoutMs } = core.options;
  const acceptedAt = core.majorityOf((id) =>
    id === self ? core.now : Math.max(progress.get(id)?.acceptedAt ?? since, since),
  );
  return acceptedAt + leaseTimeoutMs;
}

/** Check-quorum: a leader that cannot commit makes room, and stops promising. */
export function checkQuorum(core: CoreState): void {
  const { leadership } = core;
  if (leadership === undefined || core.now < leaseDueAt(core, leadership)) return;
  follow(core, core.term, undefined);
}

function hasLease(core: CoreState, { progress, hasTransferred }: Leadership): boolean {
  const { id: self, rules, leaseTimeoutMs } = core.options;
  if (hasTransferred && !rules.leaseOutlivesTransfer()) return false;
  const acceptedAt = core.majorityOf((id) =>
    id === self ? core.now : (progress.get(id)?.acceptedAt ?? Number.NEGATIVE_INFINITY),
  );
  return rules.leaseHolds(core.now, acceptedAt, leaseTimeoutMs);
}
