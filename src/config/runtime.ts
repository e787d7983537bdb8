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
  readonly dnsDomain: string;
  readonly dnsAltDomain: string;
  readonly dns: DnsConfig;
  readonly limits: {
    readonly httpMaxConnsPerClient: number;
    readonly kvMaxValueSizeBytes: number;
    readonly txnMaxReqLenBytes: number;
  };
  readonly http: {
    readonly blockEndpoints: readonly string[];
    readonly responseHeaders: Readonly<Record<string, string>>;
    readonly allowWriteHttpFrom: readonly string[];
    readonly maxHeaderBytes: number;
    readonly disableUnprintableCharFilter: boolean;
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
  readonly rpcHoldTimeoutMs: number;
  readonly logLevel: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERR";
  readonly logJson: boolean;
  readonly pidFile: string;
  readonly telemetry: {
    readonly metricsPrefix: string;
    /** 0: not for Prometheus. */
    readonly prometheusRetentionMs: number;
  };
  /** No network coordinates: `?near=` sorts nothing. */
  readonly disableCoordinates: boolean;
  readonly enableDebug: boolean;
  readonly ui: boolean;
  readonly services: readonly ServiceDefinition[];
  readonly checks: readonly CheckDefinition[];
}

/** What reading the configuration has to say besides the configuration. */
export interface LoadedConfig {
  readonly config: RuntimeConfig;
  /** Logged as WARN once logging runs. */
  readonly warnings: readonly string[];
}
