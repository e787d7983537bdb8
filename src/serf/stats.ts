/** Figures for operators (`serf info`, Consul's `serf_lan`), as Serf names them. */
import type { Gossip, Keyring } from "../gossip/index.ts";
import type { Parts } from "./parts.ts";

export interface SerfStats {
  readonly members: number;
  readonly failed: number;
  readonly left: number;
  readonly health_score: number;
  readonly member_time: number;
  readonly event_time: number;
  readonly query_time: number;
  readonly intent_queue: number;
  readonly event_queue: number;
  readonly query_queue: number;
  readonly encrypted: boolean;
  /** How often our coordinate had become nonsense; not there where coordinates are disabled. */
  readonly coordinate_resets?: number;
}

export function serfStats(
  { membership, clocks, broadcasts, coordinates }: Parts,
  { healthScore }: Gossip,
  keyring: Keyring | undefined,
): SerfStats {
  const { table } = membership;
  return {
    members: table.size,
    failed: table.named("failed").length,
    left: table.named("left").length,
    health_score: healthScore,
    member_time: clocks.members.time,
    event_time: clocks.events.time,
    query_time: clocks.queries.time,
    intent_queue: broadcasts.depth("intent"),
    event_queue: broadcasts.depth("event"),
    query_queue: broadcasts.depth("query"),
    encrypted: (keyring?.keys.length ?? 0) > 0,
    ...(coordinates === undefined ? {} : { coordinate_resets: coordinates.resets }),
  };
}
