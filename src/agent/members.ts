/** The members of the pools as far as this agent knows them. Without gossip it knows itself. */
import { CONSUL_VERSION } from "../model/index.ts";
import type { RuntimeConfig } from "../config/index.ts";
import type { Member } from "../http/index.ts";

const ALIVE = 1;

export function ownMember(config: RuntimeConfig, nodeId: string, pool: "lan" | "wan"): Member {
  const isLan = pool === "lan";
  const tags = serverTags(config, nodeId);
  return {
    Name: isLan ? config.nodeName : `${config.nodeName}.${config.datacenter}`,
    Addr: isLan ? config.advertiseAddr : config.advertiseAddrWan,
    Port: isLan ? config.ports.serfLan : config.ports.serfWan,
    Tags: isLan ? { ...tags, wan_join_port: String(config.ports.serfWan) } : tags,
    Status: ALIVE,
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}

function serverTags(config: RuntimeConfig, nodeId: string): Record<string, string> {
  return {
    acls: "0",
    ...(config.bootstrap || config.devMode ? { bootstrap: "1" } : {}),
    build: `${CONSUL_VERSION}:`,
    dc: config.datacenter,
    ...(config.bootstrapExpect > 0 ? { expect: String(config.bootstrapExpect) } : {}),
    ft_fs: "1",
    id: nodeId,
    port: String(config.ports.server),
    raft_vsn: "3",
    role: "consul",
    segment: "",
    vsn: "2",
    vsn_max: "3",
    vsn_min: "2",
  };
}
