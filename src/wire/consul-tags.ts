/**
 * The serf tags of Consul's agents, and how others read a server from them (Consul: agent/metadata/server.go).
 * A tag that does not apply is absent, not empty. Who lacks a required tag, or has one that cannot be read, is
 * no server, whatever its role says.
 */
import type { Tags } from "./serf-tags.ts";

/** Of the tag `acls`. Index = value: append only. */
export const ACL_MODES = ["disabled", "enabled", "legacy", "unknown"] as const;
export type AclMode = (typeof ACL_MODES)[number];

export interface AgentTags {
  readonly Datacenter: string;
  /** Empty for the default one. */
  readonly Segment: string;
  readonly NodeID: string;
  /** `1.8.7:` and the first eight characters of the revision, if there is one. */
  readonly Build: string;
  readonly Acls: AclMode;
}
export interface ServerTags extends AgentTags {
  readonly Port: number;
  /** 0 where there is no WAN pool. */
  readonly WanJoinPort: number;
  readonly RaftVersion: number;
  readonly Bootstrap: boolean;
  /** `bootstrap_expect`; 0 if it was not given. */
  readonly Expect: number;
  readonly NonVoter: boolean;
  /** Others are to dial its RPC port with TLS. */
  readonly UseTLS: boolean;
  /** By feature, without the prefix `ft_`. */
  readonly Features: Readonly<Record<string, number>>;
}
export interface ConsulServer extends ServerTags {
  /** The part of `Build` that can be compared. */
  readonly Version: string;
}

/** The protocol that Consul has spoken since 0.7, and the span that it understands. */
const PROTOCOL = { vsn: "2", vsn_min: "2", vsn_max: "3" } as const;
const FEATURE_PREFIX = "ft_";
const SEGMENT_PREFIX = "sl_";
const VERSION = /\d+\.\d+\.\d+/;

export function clientTags(agent: AgentTags): Tags {
  return { role: "node", ...agentTags(agent) };
}

/** The same for both pools; in the WAN, `wan_join_port` is left out. */
export function serverTags(server: ServerTags, pool: "lan" | "wan"): Tags {
  const { Port, WanJoinPort, RaftVersion, Bootstrap, Expect, NonVoter, UseTLS } = server;
  const features = Object.entries(server.Features).map(([feature, value]) => {
    return [FEATURE_PREFIX + feature, String(value)] as const;
  });
  return {
    role: "consul",
    ...agentTags(server),
    port: String(Port),
    raft_vsn: String(RaftVersion),
    ...(pool === "lan" && WanJoinPort > 0 ? { wan_join_port: String(WanJoinPort) } : {}),
    ...(Bootstrap ? { bootstrap: "1" } : {}),
    ...(Expect > 0 ? { expect: String(Expect) } : {}),
    ...(NonVoter ? { nonvoter: "1" } : {}),
    ...(UseTLS ? { use_tls: "1" } : {}),
    ...Object.fromEntries(features),
  };
}

/** @returns undefined when whoever has these tags is no server */
export function serverOf(tags: Tags): ConsulServer | undefined {
  if (tags["role"] !== "consul") return undefined;
  const port = integerOf(tags["port"]);
  const protocol = integerOf(tags["vsn"]);
  const expect = integerOf(tags["expect"] ?? "0");
  const raftVersion = integerOf(tags["raft_vsn"] ?? "0");
  const wanJoinPort = integerOf(tags["wan_join_port"] ?? "0");
  const version = VERSION.exec(tags["build"] ?? "")?.[0];
  const features = featuresOf(tags);
  if (
    port === undefined ||
    protocol === undefined ||
    expect === undefined ||
    raftVersion === undefined ||
    wanJoinPort === undefined ||
    version === undefined ||
    features === undefined ||
    !hasGoodSegments(tags)
  ) {
    return undefined;
  }
  return {
    Datacenter: tags["dc"] ?? "",
    Segment: tags["segment"] ?? "",
    NodeID: tags["id"] ?? "",
    Build: tags["build"] ?? "",
    Version: version,
    Acls: ACL_MODES[Number(tags["acls"])] ?? "unknown",
    Port: port,
    WanJoinPort: wanJoinPort,
    RaftVersion: raftVersion,
    Expect: expect,
    Bootstrap: Object.hasOwn(tags, "bootstrap"),
    NonVoter: Object.hasOwn(tags, "nonvoter") || Object.hasOwn(tags, "read_replica"),
    UseTLS: Object.hasOwn(tags, "use_tls"),
    Features: features,
  };
}

function agentTags({ Datacenter, Segment, NodeID, Build, Acls }: AgentTags): Tags {
  return {
    dc: Datacenter,
    segment: Segment,
    id: NodeID,
    ...PROTOCOL,
    build: Build,
    acls: String(ACL_MODES.indexOf(Acls)),
  };
}

function featuresOf(tags: Tags): Readonly<Record<string, number>> | undefined {
  const features = Object.create(null) as Record<string, number>;
  for (const [tag, text] of Object.entries(tags)) {
    if (!tag.startsWith(FEATURE_PREFIX)) continue;
    const value = integerOf(text);
    if (value === undefined) return undefined;
    features[tag.slice(FEATURE_PREFIX.length)] = value;
  }
  return features;
}

/** Addresses of further LAN segments, `host:port`: not used here, and checked as others check them. */
function hasGoodSegments(tags: Tags): boolean {
  return Object.entries(tags).every(([tag, address]) => {
    return !tag.startsWith(SEGMENT_PREFIX) || /^(\[[^\]]*\]|[^:[\]]*):[+-]?\d+$/.test(address);
  });
}

/** As Go's strconv.Atoi. */
function integerOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
