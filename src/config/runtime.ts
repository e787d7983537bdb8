/**
 * The configuration that an agent runs with: every source merged, checked and defaulted. Field names are
 * Consul's keys in camelCase; durations are milliseconds unless the name says otherwise.
 */
import type { CheckDefinition, ServiceDefinition } from "../model/index.ts";

export interface DnsConfig {
  readonly allowStale: boolean;
  readonly maxStaleMs: number;
  readonly nodeTtlS: number;
  /** Exact names, `prefix*` entries and `*`. */
  readonly serviceTtlS: Readonly<Record<string, number>>;
  readonly onlyPassing: boolean;
  readonly aRecordLimit: number;
  readonly udpAnswerLimit: number;
  readonly enableTruncate: boolean;
  readonly disableCompression: boolean;
  readonly enableAdditionalNodeMetaTxt: boolean;
  readonly soa: {
    readonly refreshS: number;
    readonly retryS: number;
    readonly expireS: number;
    readonly minTtlS: number;
  };
  /** Absent: nobody is asked about names outside the domain. */
  readonly recursion?: {
    /** Who is asked, each once, as `host`, `host:port` or `[host]:port`. */
    readonly recursors: readonly string[];
    /** How long each of them has for its answer. */
    readonly timeoutMs: number;
    /** "random" asks them in an order of chance; anything else in that of the list. */
    readonly strategy: string;
  };
}

/** One of the two gossip pools: of the datacenter, or of the servers of all datacenters. */
export interface PoolConfig {
  readonly bindAddr: string;
  /** `host` or `host:port`: joined once at the start. */
  readonly startJoin: readonly string[];
  /** Joined again and again until one of them answers. */
  readonly retryJoin: readonly string[];
  readonly retryIntervalMs: number;
  /** 0: without end. */
  readonly retryMax: number;
  /** Networks in CIDR notation that members may be in; none: anywhere. */
  readonly allowedCidrs: readonly string[];
  /** After so long a failed member is forgotten. */
  readonly reconnectTimeoutMs: number;
  readonly gossipIntervalMs: number;
  readonly gossipNodes: number;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly retransmitMult: number;
  readonly suspicionMult: number;
}

export interface GossipConfig {
  readonly lan: PoolConfig;
  readonly wan: PoolConfig;
  /** Base64; empty: gossip is not encrypted, unless there is a keyring file. */
  readonly encrypt: string;
  readonly verifyIncoming: boolean;
  readonly verifyOutgoing: boolean;
  readonly disableKeyringFile: boolean;
  readonly rejoinAfterLeave: boolean;
}

export interface RuntimeConfig {
  readonly devMode: boolean;
  readonly server: boolean;
  readonly bootstrap: boolean;
  readonly bootstrapExpect: number;
  readonly datacenter: string;
  readonly primaryDatacenter: string;
  readonly nodeName: string;
  /** Empty: taken from `<dataDir>/node-id`, or made. */
  readonly nodeId: string;
  readonly nodeMeta: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly bindAddr: string;
  readonly advertiseAddr: string;
  readonly advertiseAddrWan: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly translateWanAddrs: boolean;
  /** IP addresses, or `unix:///path` for http. */
  readonly clientAddrs: readonly string[];
  readonly httpAddrs: readonly string[];
  readonly dnsAddrs: readonly string[];
  /** -1: disabled. */
  readonly ports: {
    readonly dns: number;
    readonly http: number;
    readonly https: number;
    readonly grpc: number;
    readonly serfLan: number;
    readonly serfWan: number;
    readonly server: number;
  };
  /** Of the files of `unix://` addresses, each "" for the system's own: a user's name or number, a group's number, octal. */
  readonly unixSockets: { readonly user: string; readonly group: string; readonly mode: string };
  readonly gossip: GossipConfig;
  readonly dnsDomain: string;
  readonly dnsAltDomain: string;
  readonly dns: DnsConfig;
  /** Consensus among servers. */
  readonly raft: {
    /** Times Raft's shortest timeouts: 1 where the network is fast, up to 10. */
    readonly multiplier: number;
    /** Entries since the last snapshot that make the next one due. */
    readonly snapshotThreshold: number;
    readonly snapshotIntervalMs: number;
    /** Entries that stay in the log behind a snapshot. */
    readonly trailingLogs: number;
  };
  /** What a new cluster looks after its servers by; later it is the operator's to change. */
  readonly autopilot: {
    readonly cleanupDeadServers: boolean;
    readonly lastContactThresholdMs: number;
    readonly maxTrailingLogs: number;
    readonly minQuorum: number;
    readonly serverStabilizationTimeMs: number;
  };
  readonly limits: {
    readonly httpMaxConnsPerClient: number;
    readonly rpcMaxConnsPerClient: number;
    readonly rpcHandshakeTimeoutMs: number;
    readonly kvMaxValueSizeBytes: number;
    readonly txnMaxReqLenBytes: number;
  };
  readonly http: {
    readonly blockEndpoints: readonly string[];
    readonly responseHeaders: Readonly<Record<string, string>>;
    readonly allowWriteHttpFrom: readonly string[];
    readonly maxHeaderBytes: number;
    readonly disableUnprintableCharFilter: boolean;
    /** Otherwise `?cached` counts for nothing. */
    readonly useCache: boolean;
  };
  readonly defaultQueryTimeMs: number;
  readonly maxQueryTimeMs: number;
  readonly discoveryMaxStaleMs: number;
  readonly sessionTtlMinMs: number;
  readonly checkUpdateIntervalMs: number;
  readonly checkOutputMaxSizeBytes: number;
  readonly discardCheckOutput: boolean;
  readonly enableLocalScriptChecks: boolean;
  readonly enableRemoteScriptChecks: boolean;
  readonly leaveOnTerminate: boolean;
  readonly skipLeaveOnInterrupt: boolean;
  /** How long a call waits for a leader. */
  readonly rpcHoldTimeoutMs: number;
  readonly leaveDrainTimeMs: number;
  readonly logLevel: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERR";
  readonly logJson: boolean;
  readonly logFile: {
    /** Empty: no file. */
    readonly path: string;
    /** 0: however many. */
    readonly rotateBytes: number;
    readonly rotateDurationMs: number;
    /** Old files that stay; 0: all, -1: none. */
    readonly rotateMaxFiles: number;
  };
  readonly pidFile: string;
  readonly telemetry: {
    readonly metricsPrefix: string;
    /** Gauges are called without the machine's name, also outside. */
    readonly disableHostname: boolean;
    /** `+prefix` and `-prefix`: names that are measured, and that are not. The longest decides. */
    readonly prefixFilter: readonly string[];
    /** Whether names are measured that no rule speaks of. */
    readonly filterDefault: boolean;
    /** 0: not for Prometheus. */
    readonly prometheusRetentionMs: number;
    /** `host:port`, each empty for none: lines in datagrams, in a stream, and in datagrams with tags. */
    readonly statsdAddress: string;
    readonly statsiteAddress: string;
    readonly dogstatsdAddress: string;
    readonly dogstatsdTags: readonly string[];
  };
  /** No network coordinates: `?near=` sorts nothing. */
  readonly disableCoordinates: boolean;
  readonly enableDebug: boolean;
  readonly ui: boolean;
  readonly services: readonly ServiceDefinition[];
  readonly checks: readonly CheckDefinition[];
  /** As they are written; what they may say is checked when the agent starts them. */
  readonly watches: readonly Readonly<Record<string, unknown>>[];
}

/** What reading the configuration has to say besides the configuration. */
export interface LoadedConfig {
  readonly config: RuntimeConfig;
  /**
   * By key, what was set or else is its default, for people to read: durations in Go's words, `null` where Go has no
   * value. Keys are among them that nothing here makes use of.
   */
  readonly shown: Readonly<Record<string, unknown>>;
  /** Logged as WARN once logging runs. */
  readonly warnings: readonly string[];
}
