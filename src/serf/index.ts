/**
 * Serf 0.9 on top of gossip: members with tags, user events, queries, the pool's key ring, network coordinates, and
 * a snapshot for coming back. Usable without Consul: `startSerf`. Read serf.ts first.
 */
export { Serf, startSerf } from "./serf.ts";
export type { SerfState } from "./serf.ts";
export type { SerfOptions, SerfSettings } from "./options.ts";
export type { CoalesceTiming } from "./coalescing.ts";
export type { SerfListener } from "./event-listeners.ts";
export type { IncomingQuery } from "./incoming-query.ts";
export type { KeyOutcome, KeyRequestOptions } from "./key-requests.ts";
export type { Candidate, SerfMember } from "./member.ts";
export type { OldEvents } from "./push-pull.ts";
export type { QueryParams } from "./queries.ts";
export type { CompilePattern } from "./query-filters.ts";
export type { QueryAnswer, RunningQuery } from "./running-query.ts";
export type {
  MemberEvent,
  MemberEventKind,
  QueryEvent,
  SerfEvent,
  SerfUserEvent,
} from "./serf-event.ts";
export type { SerfStats } from "./stats.ts";
