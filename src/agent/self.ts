/** The body of `/v1/agent/self`: who this agent is, what it is configured to be, and how it does. */
import type { RuntimeConfig } from "../config/index.ts";
import type { Member } from "../http/index.ts";
import { CONSUL_VERSION } from "../model/index.ts";
import type { Host } from "../platform/index.ts";

export interface SelfNeeds {
  readonly config: RuntimeConfig;
  readonly nodeId: string;
  readonly member: Member;
  readonly meta: Readonly<Record<string, string>>;
  readonly host: Host;
  readonly counts: {
    readonly services: number;
    readonly checks: number;
    readonly ttlChecks: number;
    readonly monitors: number;
  };
  readonly server: { readonly leaderAddress: string; readonly lastIndex: number };
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
    DebugConfig: debugConfig(config),
    Coord: null,
    Member: member,
    Stats: stats(needs),
    Meta: sortedByKey(meta),
  };
}

/** As Go prints a map. */
function sortedByKey(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function stats(needs: SelfNeeds): Record<string, Record<string, string>> {
  const { config, host, counts, server } = needs;
  const index = String(server.lastIndex);
  return {
    agent: {
      check_monitors: String(counts.monitors),
      check_ttls: String(counts.ttlChecks),
      checks: String(counts.checks),
      services: String(counts.services),
    },
    build: { prerelease: "", revision: "", version: CONSUL_VERSION },
    consul: {
      acl: "disabled",
      bootstrap: String(config.bootstrap || config.devMode),
      known_datacenters: "1",
      leader: "true",
      leader_addr: server.leaderAddress,
      server: String(config.server),
    },
    raft: {
      applied_index: index,
      commit_index: index,
      fsm_pending: "0",
      last_log_index: index,
      num_peers: "0",
      state: "Leader",
    },
    runtime: { arch: host.arch, cpu_count: String(host.cpuCount), os: host.os },
  };
}

const ADDRESS_KEYS: Readonly<Record<string, keyof RuntimeConfig>> = {
  DNSAddrs: "dnsAddrs",
  HTTPAddrs: "httpAddrs",
  ClientAddrs: "clientAddrs",
};

/** The effective configuration under Consul's internal names, for people; tools read only a few of them. */
function debugConfig(config: RuntimeConfig): Record<string, unknown> {
  const addresses = Object.entries(ADDRESS_KEYS).map(([name, key]) => [name, config[key]]);
  return {
    ACLsEnabled: false,
    AdvertiseAddrLAN: config.advertiseAddr,
    AdvertiseAddrWAN: config.advertiseAddrWan,
    BindAddr: config.bindAddr,
    Bootstrap: config.bootstrap,
    BootstrapExpect: config.bootstrapExpect,
    CheckOutputMaxSize: config.checkOutputMaxSizeBytes,
    DNSDomain: config.dnsDomain,
    DNSAltDomain: config.dnsAltDomain,
    DNSPort: config.ports.dns,
    DataDir: config.dataDir,
    Datacenter: config.datacenter,
    DevMode: config.devMode,
    EnableDebug: config.enableDebug,
    EnableLocalScriptChecks: config.enableLocalScriptChecks,
    EnableRemoteScriptChecks: config.enableRemoteScriptChecks,
    EnableUI: config.ui,
    GRPCPort: config.ports.grpc,
    HTTPMaxConnsPerClient: config.limits.httpMaxConnsPerClient,
    HTTPPort: config.ports.http,
    HTTPSPort: config.ports.https,
    KVMaxValueSize: config.limits.kvMaxValueSizeBytes,
    LeaveOnTerm: config.leaveOnTerminate,
    Logging: { LogJSON: config.logJson, LogLevel: config.logLevel },
    NodeMeta: sortedByKey(config.nodeMeta),
    NodeName: config.nodeName,
    PrimaryDatacenter: config.primaryDatacenter,
    SerfPortLAN: config.ports.serfLan,
    SerfPortWAN: config.ports.serfWan,
    ServerMode: config.server,
    ServerPort: config.ports.server,
    SkipLeaveOnInt: config.skipLeaveOnInterrupt,
    TaggedAddresses: config.taggedAddresses,
    TranslateWANAddrs: config.translateWanAddrs,
    TxnMaxReqLen: config.limits.txnMaxReqLenBytes,
    ...Object.fromEntries(addresses),
  };
}
