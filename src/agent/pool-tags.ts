/** What this agent tells of itself in a pool: its serf name and tags. */
import type { RuntimeConfig } from "../config/index.ts";
import { CONSUL_VERSION } from "../model/index.ts";
import { clientTags, serverTags, type Tags } from "../wire/index.ts";

export type PoolName = "lan" | "wan";

/** The default network segment. */
export const SEGMENT = "";

export function poolNodeName({ nodeName, datacenter }: RuntimeConfig, pool: PoolName): string {
  return pool === "lan" ? nodeName : `${nodeName}.${datacenter}`;
}

export function poolTags(config: RuntimeConfig, nodeId: string, pool: PoolName): Tags {
  const agent = {
    Datacenter: config.datacenter,
    Segment: SEGMENT,
    NodeID: nodeId,
    Build: `${CONSUL_VERSION}:`,
    Acls: "disabled",
  } as const;
  if (!config.server) return clientTags(agent);
  const server = {
    ...agent,
    Port: config.ports.server,
    WanJoinPort: Math.max(config.ports.serfWan, 0),
    RaftVersion: 3,
    Bootstrap: config.bootstrap,
    Expect: config.bootstrapExpect,
    NonVoter: false,
    UseTLS: false,
    // Federation states, as Consul has them; votes that are asked for before they are meant.
    Features: config.devMode ? { fs: 1 } : { fs: 1, pv: 1 },
  };
  return serverTags(server, pool);
}
