/** Snapshots in the place of entries: taken here, or sent by the leader to who lags too far (paper §7). */
import { commitThrough } from "./commit.ts";
import type { CoreState } from "./core-state.ts";
import type { Rpc } from "./effects.ts";
import type { InstallSnapshotRequest } from "./messages.ts";
import type { SnapshotMeta } from "./raft-log.ts";
import { hearLeader, waitForLeader } from "./roles.ts";

/** Its bytes follow; whether they are wanted is decided here. */
export function onInstallSnapshot(
  core: CoreState,
  rpc: Rpc,
  request: InstallSnapshotRequest,
): void {
  if (request.term < core.term || core.role === "leader") {
    if (request.term <= core.term) {
      answer(core, rpc, false);
      return;
    }
  }
  hearLeader(core, request.term, request.leader);
  if (request.lastIndex <= core.commitIndex) {
    answer(core, rpc, true);
    return;
  }
  core.installing += 1;
  core.emit({ kind: "receiveSnapshot", rpc, request });
}

/**
 * Everything in a snapshot is committed, so it is good whatever the term is by now. If our log has its last
 * entry, what follows it may have been acknowledged, and stays. If not, what we have is of no use.
 */
export function onSnapshotReceived(
  core: CoreState,
  rpc: Rpc,
  request: InstallSnapshotRequest,
  outcome: "stored" | "failed",
): void {
  core.installing -= 1;
  waitForLeader(core);
  if (outcome === "failed") {
    core.emit({ kind: "drop", rpc });
    return;
  }
  if (request.lastIndex > core.commitIndex) install(core, request);
  answer(core, rpc, true);
}

/** One of this server's own is durable: the entries that it covers can go, but for those that lag may want. */
export function onSnapshotTaken(core: CoreState, snapshot: SnapshotMeta): void {
  const { log, options } = core;
  if (snapshot.index <= log.snapshot.index) return;
  const through = Math.min(snapshot.index, log.lastIndex - options.trailingLogs);
  log.compact(snapshot, Math.max(0, through));
  if (through > 0) core.emit({ kind: "compact", through });
}

function install(core: CoreState, request: InstallSnapshotRequest): void {
  const { lastIndex: index, lastTerm: term, configuration, configurationIndex } = request;
  const snapshot: SnapshotMeta = { index, term, configuration, configurationIndex };
  const keeps = core.log.termAt(index) === term;
  core.flush();
  if (keeps) core.log.compact(snapshot, 0);
  else core.resetLogTo(snapshot);
  const ticket = core.takeTicket();
  core.emit({ kind: "restore", ticket, snapshot, log: keeps ? "keep" : "reset" });
  commitThrough(core, index);
}

function answer(core: CoreState, rpc: Rpc, success: boolean): void {
  const response = { kind: "installSnapshot", term: core.term, success } as const;
  core.emitWhenDurable({ kind: "reply", rpc, response });
}
