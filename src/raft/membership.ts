/** Adding, removing, promoting and demoting servers, one at a time (thesis §4). */
import { changed, faultOf } from "./configuration.ts";
import { encodeConfiguration } from "./configuration-codec.ts";
import type { CoreState, PendingChange } from "./core-state.ts";
import { replicateToAll, syncProgress } from "./replication.ts";

/** Changes that wait for the one before them. */
const CHANGES_MAX = 64;

export function onChange(core: CoreState, pending: PendingChange): void {
  const { leadership } = core;
  const { call } = pending;
  if (leadership === undefined) core.emit({ kind: "refused", call, reason: "notLeader" });
  else if (leadership.transfer !== undefined) {
    core.emit({ kind: "refused", call, reason: "transferring" });
  } else if (leadership.changes.length >= CHANGES_MAX) {
    core.emit({ kind: "refused", call, reason: "busy" });
  } else {
    leadership.changes.push(pending);
  }
}

/** The next change, if the one before it is settled. @returns whether one was begun */
export function startChange(core: CoreState): boolean {
  const { leadership, options, log } = core;
  const next = leadership?.changes[0];
  if (leadership === undefined || next === undefined) return false;
  if (leadership.restoring !== undefined) return false;
  const { mayChangeMembers } = options.rules;
  if (!mayChangeMembers(log.configurationIndex, core.commitIndex, leadership.firstIndex)) {
    return false;
  }
  leadership.changes.shift();
  start(core, next);
  return true;
}

function start(core: CoreState, { call, change, latestIndex }: PendingChange): void {
  const { log, leadership } = core;
  if (leadership === undefined) return;
  if (latestIndex !== 0 && latestIndex !== log.configurationIndex) {
    core.emit({ kind: "refused", call, reason: "configurationChanged" });
    return;
  }
  const configuration = changed(log.configuration, change);
  if (faultOf(configuration) !== undefined) {
    core.emit({ kind: "refused", call, reason: "invalidConfiguration" });
    return;
  }
  const at = { index: log.lastIndex + 1, term: core.term };
  const data = encodeConfiguration(configuration);
  core.append([{ ...at, type: "configuration", data }]);
  core.emit({ kind: "accepted", call, at });
  syncProgress(core, leadership);
  replicateToAll(core);
}
