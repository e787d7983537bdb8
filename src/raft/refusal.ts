/** Why raft did not do what it was asked to, in hashicorp/raft's words where clients match on them. */
import type { RefusalReason } from "./effects.ts";

export type RaftRefusalReason = RefusalReason | "shutdown" | "nothingToSnapshot" | "disk";

const TEXTS: Readonly<Record<RaftRefusalReason, string>> = {
  notLeader: "node is not the leader",
  leadershipLost: "leadership lost while committing log",
  restored: "snapshot restored while committing log",
  restoreFailed: "failed to restore snapshot",
  transferring: "leadership transfer in progress",
  timeout: "leadership transfer timeout",
  noTarget: "cannot find peer",
  busy: "timed out enqueuing operation",
  configurationChanged: "configuration changed since prevIndex",
  invalidConfiguration: "need at least one voter in configuration",
  shutdown: "raft is already shutdown",
  nothingToSnapshot: "nothing new to snapshot",
  configurationPending: "cannot take snapshot now, wait until the configuration entry is committed",
  disk: "failed to write to the log",
};

/** With "leadershipLost", "restored" and "shutdown" it may yet have been done. */
export class RaftRefusal extends Error {
  readonly reason: RaftRefusalReason;
  constructor(reason: RaftRefusalReason, detail?: string) {
    super(detail === undefined ? TEXTS[reason] : `${TEXTS[reason]}: ${detail}`);
    this.name = "RaftRefusal";
    this.reason = reason;
  }
}
