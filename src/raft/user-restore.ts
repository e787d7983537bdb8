/**
 * A state from elsewhere in the place of ours (hashicorp/raft: `Restore`): an operator brings a backup back.
 *
 *     restore ─► the state is stored, nothing proposed ─► the log begins anew behind it, with a noop
 *
 * It gets an index that nobody's log has, so that whoever lags is sent it as a snapshot. It counts for the
 * leader's own at once, and is there to stay when the noop is committed: until then it is lost with the leader.
 */
import { commitThrough } from "./commit.ts";
import type { CoreState } from "./core-state.ts";
import type { Call, RefusalReason } from "./effects.ts";
import { NO_DATA, type Index } from "./entry.ts";
import { replicateToAll } from "./replication.ts";

/** @param index of the state elsewhere: whoever has seen it must not see time go back */
export function onRestore(core: CoreState, call: Call, index: Index): void {
  const reason = reasonAgainst(core);
  const { leadership, log, term } = core;
  if (leadership === undefined || reason !== undefined) {
    core.emit({ kind: "refused", call, reason: reason ?? "notLeader" });
    return;
  }
  const { configuration, configurationIndex } = log;
  const at = { index: Math.max(log.lastIndex, index) + 1, term };
  const snapshot = { ...at, configuration, configurationIndex };
  leadership.restoring = { call, snapshot };
  core.emit({ kind: "storeSnapshot", call, snapshot });
}

export function onRestoreStored(core: CoreState, call: Call, outcome: "stored" | "failed"): void {
  const { leadership, term } = core;
  const { restoring } = leadership ?? {};
  if (leadership === undefined || restoring?.call !== call) return;
  leadership.restoring = undefined;
  if (outcome === "failed") {
    core.emit({ kind: "refused", call, reason: "restoreFailed" });
    return;
  }
  const { snapshot } = restoring;
  core.emit({ kind: "overtaken" });
  core.flush();
  core.resetLogTo(snapshot);
  const ticket = core.takeTicket();
  core.emit({ kind: "restore", ticket, snapshot, log: "reset" });
  commitThrough(core, snapshot.index);
  const at = { index: snapshot.index + 1, term };
  core.append([{ ...at, type: "noop", data: NO_DATA }]);
  core.emit({ kind: "accepted", call, at });
  replicateToAll(core);
}

function reasonAgainst({ leadership, log, commitIndex }: CoreState): RefusalReason | undefined {
  if (leadership === undefined) return "notLeader";
  if (leadership.transfer !== undefined) return "transferring";
  if (leadership.restoring !== undefined) return "restored";
  return log.configurationIndex > commitIndex ? "configurationPending" : undefined;
}
