/** Following: how a server comes to follow another, or nobody yet, and what it gives up by that. */
import type { ServerId } from "./configuration.ts";
import type { CoreState } from "./core-state.ts";
import type { Term } from "./entry.ts";

/** Follows `leader`, or nobody yet, in `term`, which is this server's or a newer one. */
export function follow(core: CoreState, term: Term, leader: ServerId | undefined): void {
  if (term > core.term) core.setHardState(term, "");
  endLeadership(core);
  core.role = "follower";
  core.leader = leader;
  core.votes.clear();
  waitForLeader(core);
}

/** A request of the leader came: it is there. */
export function hearLeader(core: CoreState, term: Term, leader: ServerId): void {
  if (term > core.term || core.role !== "follower") follow(core, term, leader);
  core.leader = leader;
  core.heardAt = core.now;
  core.ledUntil = core.now + core.options.heartbeatTimeoutMs;
  waitForLeader(core);
}

export function waitForLeader(core: CoreState): void {
  const { heartbeatTimeoutMs, random } = core.options;
  core.electionAt = core.now + heartbeatTimeoutMs * (1 + random.float());
}

/** What this server gave up by no longer leading: whoever waits for it hears so. */
function endLeadership(core: CoreState): void {
  const { leadership } = core;
  if (leadership === undefined) return;
  core.leadership = undefined;
  for (const { call } of [...leadership.reads, ...leadership.changes]) {
    core.emit({ kind: "refused", call, reason: "leadershipLost" });
  }
  const { transfer, restoring } = leadership;
  if (restoring !== undefined) {
    core.emit({ kind: "refused", call: restoring.call, reason: "leadershipLost" });
  }
  if (transfer?.isTold === true) core.emit({ kind: "done", call: transfer.call, index: 0 });
  else if (transfer !== undefined) {
    core.emit({ kind: "refused", call: transfer.call, reason: "leadershipLost" });
  }
}
