/** The state that two members exchange when they join, and now and then (serf.md §5). */
import type { SerfPushPull } from "../wire/index.ts";
import type { LamportClock } from "./lamport-clock.ts";
import type { Membership } from "./membership.ts";
import type { UserEvents } from "./user-events.ts";

/** The three clocks of a pool. */
export interface Clocks {
  readonly members: LamportClock;
  readonly events: LamportClock;
  readonly queries: LamportClock;
}
export interface PushPullParts {
  readonly clocks: Clocks;
  readonly membership: Membership;
  readonly userEvents: UserEvents;
}

/** What the one who joins makes of events from before: nothing, or news. */
export type OldEvents = "ignore" | "deliver";

export function localState({ clocks, membership, userEvents }: PushPullParts): SerfPushPull {
  return {
    LTime: clocks.members.time,
    StatusLTimes: membership.table.statusTimes(),
    LeftMembers: membership.table.named("left").map(({ name }) => name),
    EventLTime: clocks.events.time,
    Events: userEvents.forPushPull(),
    QueryLTime: clocks.queries.time,
  };
}

/**
 * Treats the other's state as intents and events that have just come in; nothing of it is passed on.
 * @throws {RollcallError} `wire/malformed` at a time that cannot be
 */
export function mergeState(
  state: SerfPushPull,
  { clocks, membership, userEvents }: PushPullParts,
  oldEvents: OldEvents,
): void {
  witnessBefore(clocks.members, state.LTime);
  witnessBefore(clocks.events, state.EventLTime);
  witnessBefore(clocks.queries, state.QueryLTime);
  const left = new Set(state.LeftMembers);
  for (const Node of left) {
    const LTime = (state.StatusLTimes[Node] ?? 0) + 1;
    membership.receiveLeave({ LTime, Node, Prune: false });
  }
  for (const [Node, LTime] of Object.entries(state.StatusLTimes)) {
    if (!left.has(Node)) membership.receiveJoin({ LTime, Node });
  }
  if (oldEvents === "ignore") userEvents.ignoreBefore(state.EventLTime);
  userEvents.merge(state.Events);
}

/** A clock shows a time at which nothing was sent yet. */
function witnessBefore(clock: LamportClock, time: number): void {
  if (time > 0) clock.witness(time - 1);
}
