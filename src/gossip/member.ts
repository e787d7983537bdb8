/** One member as this node knows it, and what the six bytes of its `vsn` mean. */
import type { Instant, IpAddress } from "../platform/index.ts";
import type { NodeState } from "../wire/index.ts";
import { hostOf } from "./ip-bytes.ts";

/** Immutable: a new object whenever something changes. */
export interface GossipMember {
  readonly name: string;
  /** 4 or 16 bytes, exactly as received: peers compare them as they are. */
  readonly addr: Uint8Array;
  readonly port: number;
  /** For the layer above: Serf's tags. */
  readonly meta: Uint8Array;
  /** Protocol lowest, highest, current; then the same of the layer above. */
  readonly vsn: Uint8Array;
  readonly state: NodeState;
  readonly incarnation: number;
}

/** What a table has of one member. */
export interface Entry {
  member: GossipMember;
  /** When its state last changed. */
  changedAt: Instant;
}

/** What a member can do follows from the highest protocol it speaks, not from the current one. */
export const TCP_PING_PROTOCOL = 3;
export const NACK_PROTOCOL = 4;
export const CRC_PROTOCOL = 5;

export const META_BYTES_MAX = 512;
export const VSN_BYTES = 6;

export function addressOf({ addr, port }: Pick<GossipMember, "addr" | "port">): IpAddress {
  return { host: hostOf(addr), port };
}

export function highestProtocol({ vsn }: Pick<GossipMember, "vsn">): number {
  return vsn[1] ?? 0;
}

/** Whether it counts among those that are here. */
export function isPresent({ state }: Pick<GossipMember, "state">): boolean {
  return state === "alive" || state === "suspect";
}
