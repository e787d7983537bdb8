/** A machine for the tests of this room: some files, a private and a public address. */
import type { GossipConfig, PoolConfig, RuntimeConfig } from "./runtime.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";

export const PRIVATE_ADDRESS = "10.0.0.5";

/** @param files text by path; directories come into being with their files */
export async function machine(files: Readonly<Record<string, string>> = {}): Promise<SimPlatform> {
  const platform = simPlatform({ seed: "config", hostname: "host-1" });
  platform.network.addInterface({ name: "eth0", address: PRIVATE_ADDRESS, internal: false });
  for (const [path, text] of Object.entries(files)) {
    const directory = path.slice(0, path.lastIndexOf("/"));
    if (directory !== "") await platform.disk.makeDirectory(directory);
    await platform.disk.replace(path, new TextEncoder().encode(text));
  }
  return platform;
}

const pool: PoolConfig = {
  bindAddr: "127.0.0.1",
  startJoin: [],
  retryJoin: [],
  retryIntervalMs: 30_000,
  retryMax: 0,
  allowedCidrs: [],
  reconnectTimeoutMs: 259_200_000,
  gossipIntervalMs: 100,
  gossipNodes: 3,
  probeIntervalMs: 100,
  probeTimeoutMs: 100,
  retransmitMult: 4,
  suspicionMult: 3,
};

/** Gossip as a development agent has it, with nobody to join. */
const quietGossip: GossipConfig = {
  lan: pool,
  wan: pool,
  encrypt: "",
  verifyIncoming: true,
  verifyOutgoing: true,
  disableKeyringFile: true,
  rejoinAfterLeave: false,
};

/** A server in development mode on loopback: Consul's defaults. */
export const testConfig: RuntimeConfig = {
  devMode: true,
  server: true,
  bootstrap: false,
  bootstrapExpect: 0,
  datacenter: "dc1",
  primaryDatacenter: "dc1",
  nodeName: "n1",
  nodeId: "",
  nodeMeta: {},
  dataDir: "",
  bindAddr: "127.0.0.1",
  advertiseAddr: "127.0.0.1",
  advertiseAddrWan: "127.0.0.1",
  taggedAddresses: { lan: "127.0.0.1", wan: "127.0.0.1" },
  translateWanAddrs: false,
  clientAddrs: ["127.0.0.1"],
  httpAddrs: ["127.0.0.1"],
  dnsAddrs: ["127.0.0.1"],
  ports: { dns: 8600, http: 8500, https: -1, grpc: -1, serfLan: 8301, serfWan: 8302, server: 8300 },
  gossip: quietGossip,
  unixSockets: { user: "", group: "", mode: "" },
  dnsDomain: "consul.",
  dnsAltDomain: "",
  dns: {
    allowStale: true,
    maxStaleMs: 0,
    nodeTtlS: 0,
    serviceTtlS: {},
    onlyPassing: false,
    aRecordLimit: 0,
    udpAnswerLimit: 3,
    enableTruncate: false,
    disableCompression: false,
    enableAdditionalNodeMetaTxt: true,
    soa: { refreshS: 3600, retryS: 600, expireS: 86_400, minTtlS: 0 },
  },
  raft: {
    multiplier: 1,
    snapshotThreshold: 16_384,
    snapshotIntervalMs: 30_000,
    trailingLogs: 10_240,
  },
  autopilot: {
    cleanupDeadServers: true,
    lastContactThresholdMs: 200,
    maxTrailingLogs: 250,
    minQuorum: 0,
    serverStabilizationTimeMs: 10_000,
  },
  limits: {
    httpMaxConnsPerClient: 200,
    rpcMaxConnsPerClient: 100,
    rpcHandshakeTimeoutMs: 5000,
    kvMaxValueSizeBytes: 524_288,
    txnMaxReqLenBytes: 524_288,
  },
  http: {
    blockEndpoints: [],
    responseHeaders: {},
    allowWriteHttpFrom: [],
    maxHeaderBytes: 1_048_576,
    disableUnprintableCharFilter: false,
    useCache: true,
  },
  defaultQueryTimeMs: 300_000,
  maxQueryTimeMs: 600_000,
  discoveryMaxStaleMs: 0,
  sessionTtlMinMs: 10_000,
  checkUpdateIntervalMs: 300_000,
  checkOutputMaxSizeBytes: 4096,
  discardCheckOutput: false,
  enableLocalScriptChecks: false,
  enableRemoteScriptChecks: false,
  leaveOnTerminate: false,
  skipLeaveOnInterrupt: true,
  rpcHoldTimeoutMs: 7000,
  leaveDrainTimeMs: 5000,
  logLevel: "DEBUG",
  logJson: false,
  logFile: { path: "", rotateBytes: 0, rotateDurationMs: 86_400_000, rotateMaxFiles: 0 },
  pidFile: "",
  telemetry: {
    metricsPrefix: "consul",
    disableHostname: false,
    prefixFilter: [],
    filterDefault: true,
    prometheusRetentionMs: 0,
    statsdAddress: "",
    statsiteAddress: "",
    dogstatsdAddress: "",
    dogstatsdTags: [],
  },
  disableCoordinates: false,
  enableDebug: false,
  ui: false,
  services: [],
  checks: [],
  watches: [],
};
