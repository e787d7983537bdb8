/** Handing leadership over (thesis §3.10): bring the target up to date, tell it to stand, wait to be deposed. */
import { isVoter, votersOf, type ServerId } from "./configuration.ts";
import type { CoreState, Leadership } from "./core-state.ts";
import type { Call } from "./effects.ts";
import { replicateTo } from "./replication.ts";

export function onTransfer(core: CoreState, call: Call, wanted: ServerId | undefined): void {
  const { leadership } = core;
  if (leadership === undefined) {
    core.emit({ kind: "refused", call, reason: "notLeader" });
    return;
  }
  if (leadership.transfer !== undefined) {
    core.emit({ kind: "refused", call, reason: "transferring" });
    return;
  }
  if (leadership.restoring !== undefined) {
    core.emit({ kind: "refused", call, reason: "restored" });
    return;
  }
  const to = wanted ?? furthest(core, leadership);
  if (to === undefined || to === core.options.id || !isVoter(core.log.configuration, to)) {
    core.emit({ kind: "refused", call, reason: "noTarget" });
    return;
  }
  const deadline = core.now + core.options.electionTimeoutMs;
  leadership.transfer = { call, to, deadline, isTold: false };
  replicateTo(core, to);
}

/** Once it has everything. Nothing is added meanwhile, so it will have. */
export function tellTarget(core: CoreState): void {
  const { leadership } = core;
  const transfer = leadership?.transfer;
  if (leadership === undefined || transfer === undefined || transfer.isTold) return;
  if (leadership.progress.get(transfer.to)?.match !== core.log.lastIndex) return;
  transfer.isTold = true;
  leadership.hasTransferred = true;
  const sent = core.sent("timeoutNow");
  const request = { kind: "timeoutNow", term: core.term } as const;
  core.emit({ kind: "send", to: transfer.to, request, sent });
}

/** It did not come to it in time: go on leading. */
export function checkTransfer(core: CoreState): void {
  const { leadership } = core;
  const transfer = leadership?.transfer;
  if (leadership === undefined || transfer === undefined || core.now < transfer.deadline) return;
  leadership.transfer = undefined;
  core.emit({ kind: "refused", call: transfer.call, reason: "timeout" });
}

function furthest(core: CoreState, { progress }: Leadership): ServerId | undefined {
  let best: ServerId | undefined;
  for (const { id } of votersOf(core.log.configuration)) {
    if (id === core.options.id) continue;
    const match = progress.get(id)?.match ?? -1;
    if (best === undefined || match > (progress.get(best)?.match ?? -1)) best = id;
  }
  return best;
}
