/** How a follower takes entries from its leader (paper §5.3). */
import { strict as assert } from "node:assert";
import { RollcallError } from "../errors/index.ts";
import { commitThrough } from "./commit.ts";
import type { CoreState } from "./core-state.ts";
import type { Rpc } from "./effects.ts";
import type { Entry, Index } from "./entry.ts";
import { isHeartbeat, type AppendEntriesRequest, type Conflict } from "./messages.ts";
import { hearLeader } from "./roles.ts";

export function onAppendEntries(core: CoreState, rpc: Rpc, request: AppendEntriesRequest): void {
  if (!isSound(request)) {
    core.emit({ kind: "drop", rpc });
    return;
  }
  // Nobody else leads in a term that this server leads in; who says so is not to be listened to.
  const isStale = request.term < core.term;
  if (isStale || (request.term === core.term && core.role === "leader")) {
    answer(core, rpc, { success: false, lastIndex: core.log.lastIndex });
    return;
  }
  hearLeader(core, request.term, request.leader);
  const { lastIndex } = core.log;
  if (isHeartbeat(request)) {
    const response = { kind: "appendEntries", term: core.term, success: true, lastIndex } as const;
    core.emitWhenTermIsDurable({ kind: "reply", rpc, response });
    return;
  }
  const conflict = conflictWith(core, request);
  if (conflict !== undefined) {
    answer(core, rpc, { success: false, lastIndex, ...conflict });
    return;
  }
  takeEntries(core, request.entries);
  const lastVerified = request.previousIndex + request.entries.length;
  const { followerCommit } = core.options.rules;
  commitThrough(core, followerCommit(request.commitIndex, lastVerified, core.log.lastIndex));
  answer(core, rpc, { success: true, lastIndex });
}

interface Outcome {
  readonly success: boolean;
  readonly lastIndex: Index;
  readonly conflict?: Conflict;
}

function answer(core: CoreState, rpc: Rpc, outcome: Outcome): void {
  const response = { kind: "appendEntries", term: core.term, ...outcome } as const;
  core.emitWhenDurable({ kind: "reply", rpc, response });
}

/** Entries follow the previous one, and none is newer than the leader. */
function isSound({ term, previousIndex, previousTerm, entries }: AppendEntriesRequest): boolean {
  let last = { index: previousIndex, term: previousTerm };
  for (const entry of entries) {
    if (entry.index !== last.index + 1 || entry.term < last.term || entry.term > term) return false;
    last = entry;
  }
  return true;
}

/** undefined: our log has the previous entry, or a snapshot that covers it. */
function conflictWith(
  core: CoreState,
  { previousIndex, previousTerm }: AppendEntriesRequest,
): { readonly conflict?: Conflict } | undefined {
  const { log } = core;
  if (previousIndex < log.snapshot.index) return undefined;
  const own = log.termAt(previousIndex);
  const previous = { index: previousIndex, term: previousTerm };
  if (core.options.rules.matchesPrevious(previous, own)) return undefined;
  if (own === undefined) return {};
  return { conflict: { term: own, firstIndex: log.runStart(previousIndex) } };
}

function takeEntries(core: CoreState, entries: readonly Entry[]): void {
  const { log } = core;
  for (const [place, entry] of entries.entries()) {
    if (entry.index <= log.snapshot.index) {
      demandNoOther(core, entry);
      continue;
    }
    const own = log.termAt(entry.index);
    if (own !== undefined && !core.options.rules.conflicts(own, entry.term)) continue;
    if (own !== undefined) {
      assert(entry.index > core.commitIndex, "what is committed is never cut");
      core.truncateFrom(entry.index);
    }
    core.append(entries.slice(place));
    return;
  }
}

/**
 * What a snapshot covers is committed, but for one that a leader restored from elsewhere when it was lost with
 * everybody it had told: the others have gone on without, and there is no way back to them from here.
 */
function demandNoOther({ log }: CoreState, { index, term }: Entry): void {
  const { snapshot } = log;
  if (index !== snapshot.index || term === snapshot.term) return;
  throw new RollcallError(
    "disk/failed",
    `the cluster has gone on without snapshot ${snapshot.term}-${snapshot.index} that was restored here: ` +
      "remove this server's raft directory and start it again",
  );
}
