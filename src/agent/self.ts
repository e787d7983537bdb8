/** The body of `/v1/agent/self`: who this agent is, what it is configured to be, and how it does. */
import type { LoadedConfig } from "../config/index.ts";
import type { Member } from "../http/index.ts";
import { CONSUL_VERSION } from "../model/index.ts";
import { debugConfig, sortedByKey } from "./debug-config.ts";
import { statsOf, type StatsNeeds } from "./stats.ts";

export interface SelfNeeds extends StatsNeeds {
  readonly shown: LoadedConfig["shown"];
  readonly member: Member;
  readonly meta: Readonly<Record<string, string>>;
}

export function selfOf(needs: SelfNeeds): Record<string, unknown> {
  const { config, nodeId, member, meta } = needs;
  return {
    Config: {
      Datacenter: config.datacenter,
      NodeName: config.nodeName,
      NodeID: nodeId,
      Revision: "",
      Server: config.server,
      Version: CONSUL_VERSION,
    },
    DebugConfig: debugConfig({ config, shown: needs.shown, nodeId, version: CONSUL_VERSION }),
    Coord: config.disableCoordinates ? null : needs.pools.lan.coordinate(),
    Member: member,
    Stats: statsOf(needs),
    Meta: sortedByKey(meta),
  };
}
