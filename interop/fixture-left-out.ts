/**
 * Recorded cases that are not held against our answers, and why. An entry goes when its reason does: the test fails
 * when an entry matches no case, and when a case that is left out passes.
 */
import type { Fixture } from "./fixture-replay.ts";

export interface LeftOut {
  /** `group/id`, or `group/*` for the cases of a group that no entry above names. */
  readonly cases: readonly string[];
  readonly reason: string;
}

const NO_WAN = "asks or shows a second datacenter, which is not built";
const NO_GOSSIP =
  "shows or reaches other members of the recorded cluster, which a lone stand-in has not";
const NO_MESH = "part of the service mesh, which is not built";
const NO_ACLS = "recorded with ACLs on, which are not built";
const NO_UI = "the web interface and its own endpoints are not built";

export const LEFT_OUT: readonly LeftOut[] = [
  {
    cases: [
      "kv/kv-remote-dc",
      "session/session-list",
      "status/status-leader-dc",
      "catalog/catalog-services",
      "query/query-execute-failover",
      "coordinate/coordinate-datacenters",
      "internal-ui/ui-nodes",
      "internal-ui/ui-services",
    ],
    reason: NO_WAN,
  },
  {
    cases: [
      "agent/agent-self",
      "agent/agent-members",
      "agent/agent-members-wan-client",
      "agent/agent-join",
    ],
    reason: NO_GOSSIP,
  },
  {
    cases: ["general/root-redirect-ui"],
    reason: NO_UI,
  },
  {
    cases: ["operator/operator-keyring-denied", "operator/operator-raft-denied"],
    reason: NO_ACLS,
  },
  {
    cases: ["agent/agent-services-type-map"],
    reason: NO_MESH,
  },
  {
    cases: ["agent/agent-host"],
    reason: "records the shape only, which src/http/agent-metrics.test.ts compares",
  },
];

/** Parts of bodies, by JSON pointer, of cases that are held otherwise. */
export const LEFT_OUT_PARTS: ReadonlyArray<{
  readonly of: string;
  readonly parts: readonly string[];
  readonly reason: string;
}> = [
  { of: "catalog/catalog-datacenters", parts: ["/1"], reason: NO_WAN },
  { of: "event/event-list-name", parts: ["/0/Name"], reason: "holds the number of the run" },
  { of: "agent/agent-members-wan", parts: ["/1"], reason: NO_WAN },
  {
    of: "agent/agent-self-server",
    parts: ["/Coord", "/xDS"],
    reason: "network coordinates need gossip; no proxy is supported without the mesh",
  },
];

export const leftOutParts = ({ group, id }: Fixture): readonly string[] =>
  LEFT_OUT_PARTS.find(({ of }) => of === `${group}/${id}`)?.parts ?? [];

/** Tiers of which nothing is held: the mesh. */
const LEFT_OUT_TIERS: Readonly<Record<string, string>> = { T3: NO_MESH };

/** What is held all the same: answers that say that there is no mesh. */
const HELD_WITHOUT_MESH: ReadonlySet<string> = new Set([
  "catalog/catalog-connect-unknown",
  "catalog/catalog-gateway-services-unknown",
  "health/health-connect-unknown",
  "health/health-ingress-unknown",
]);

export interface Verdict {
  readonly reason: string;
  /** Its pattern covers a whole group, of which a case may pass by chance: an unknown key, an unknown path. */
  readonly byGroup: boolean;
}

export function leftOut({ group, id, tier }: Fixture): Verdict | undefined {
  if (HELD_WITHOUT_MESH.has(`${group}/${id}`)) return undefined;
  const byTier = LEFT_OUT_TIERS[tier];
  if (byTier !== undefined) return { reason: byTier, byGroup: true };
  const named = LEFT_OUT.find(({ cases }) => cases.includes(`${group}/${id}`));
  if (named !== undefined) return { reason: named.reason, byGroup: false };
  const grouped = LEFT_OUT.find(({ cases }) => cases.includes(`${group}/*`));
  return grouped === undefined ? undefined : { reason: grouped.reason, byGroup: true };
}
