/** What the layer above is told, in the order in which it happened here. */
import type { IncomingQuery } from "./incoming-query.ts";
import type { SerfMember } from "./member.ts";

export type MemberEventKind = "join" | "leave" | "failed" | "update" | "reap";

/** One member's change, with the member as it is after it. */
export interface MemberChange {
  readonly kind: MemberEventKind;
  readonly member: SerfMember;
}
/** One or more members with the same change: several only where events are coalesced. */
export interface MemberEvent {
  readonly kind: MemberEventKind;
  readonly members: readonly SerfMember[];
}
export interface SerfUserEvent {
  readonly kind: "user";
  readonly ltime: number;
  readonly name: string;
  readonly payload: Uint8Array;
  /** Of several with this name the latest will do. */
  readonly coalesce: boolean;
}
export interface QueryEvent {
  readonly kind: "query";
  readonly query: IncomingQuery;
}
export type SerfEvent = MemberEvent | SerfUserEvent | QueryEvent;
