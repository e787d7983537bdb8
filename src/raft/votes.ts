/** How a server answers who asks for its vote. The order of the checks is hashicorp/raft's. */
import type { CoreState } from "./core-state.ts";
import type { Rpc } from "./effects.ts";
import type { VoteRequest } from "./messages.ts";
import { follow, waitForLeader } from "./roles.ts";

export function onRequestVote(core: CoreState, rpc: Rpc, request: VoteRequest): void {
  const { rules } = core.options;
  const { term, candidate } = request;
  if (term < core.term || (request.reason === "timeout" && isLed(core, candidate))) {
    // The newer term of a refused candidate is not taken over: it shall not disturb a leader that is there.
    answer(core, rpc, "requestVote", false);
    return;
  }
  if (term > core.term) follow(core, term, undefined);
  const granted = rules.mayVoteFor(core.vote, candidate) && hasAllOfOurs(core, request);
  if (granted) {
    if (core.vote !== candidate) core.setHardState(core.term, candidate);
    waitForLeader(core);
  }
  answer(core, rpc, "requestVote", granted);
}

export function onPreVote(core: CoreState, rpc: Rpc, request: VoteRequest): void {
  const { rules } = core.options;
  const { term, candidate } = request;
  const couldVote =
    term > core.term || (term === core.term && rules.mayVoteFor(core.vote, candidate));
  const granted = couldVote && !isLed(core, candidate) && hasAllOfOurs(core, request);
  answer(core, rpc, "preVote", granted);
}

function answer(core: CoreState, rpc: Rpc, kind: VoteRequest["kind"], granted: boolean): void {
  core.emitWhenTermIsDurable({ kind: "reply", rpc, response: { kind, term: core.term, granted } });
}

/** By somebody else than the candidate. */
function isLed(core: CoreState, candidate: string): boolean {
  if (core.role === "leader") return true;
  return core.leader !== candidate && core.options.rules.refusesWhileLed(core.now, core.ledUntil);
}

function hasAllOfOurs(core: CoreState, { lastIndex, lastTerm }: VoteRequest): boolean {
  const { isUpToDate } = core.options.rules;
  const candidate = { index: lastIndex, term: lastTerm };
  return isUpToDate(candidate, core.lastPosition) && isUpToDate(candidate, core.lost);
}
