/**
 * `DebugConfig` of `/v1/agent/self`: the effective configuration under Consul's internal names, for people; tools read
 * only a few of them. What is configured and not used is shown too, as it is with Consul.
 */
import type { LoadedConfig, RuntimeConfig } from "../config/index.ts";
import { formatDuration, MILLISECOND, SECOND } from "../model/index.ts";

/** Consul's name, and the key whose value it is. */
const FROM_KEYS = `
ACLAgentMasterToken acl.tokens.agent_master
ACLAgentToken acl.tokens.agent
ACLDefaultPolicy acl.default_policy
ACLDisabledTTL acl.disabled_ttl
ACLDownPolicy acl.down_policy
ACLEnableKeyListPolicy acl.enable_key_list_policy
ACLEnableTokenPersistence acl.enable_token_persistence
ACLMasterToken acl.tokens.master
ACLPolicyTTL acl.policy_ttl
ACLReplicationToken acl.tokens.replication
ACLRoleTTL acl.role_ttl
ACLToken acl.tokens.default
ACLTokenReplication acl.enable_token_replication
ACLTokenTTL acl.token_ttl
AllowWriteHTTPFrom http_config.allow_write_http_from
AutoEncryptAllowTLS auto_encrypt.allow_tls
AutoEncryptDNSSAN auto_encrypt.dns_san
AutoEncryptIPSAN auto_encrypt.ip_san
AutoEncryptTLS auto_encrypt.tls
AutopilotCleanupDeadServers autopilot.cleanup_dead_servers
AutopilotDisableUpgradeMigration autopilot.disable_upgrade_migration
AutopilotLastContactThreshold autopilot.last_contact_threshold
AutopilotMaxTrailingLogs autopilot.max_trailing_logs
AutopilotMinQuorum autopilot.min_quorum
AutopilotRedundancyZoneTag autopilot.redundancy_zone_tag
AutopilotServerStabilizationTime autopilot.server_stabilization_time
AutopilotUpgradeVersionTag autopilot.upgrade_version_tag
CAFile ca_file
CAPath ca_path
CertFile cert_file
CheckUpdateInterval check_update_interval
ConfigEntryBootstrap config_entries.bootstrap
ConnectCAConfig connect.ca_config
ConnectEnabled connect.enabled
ConnectMeshGatewayWANFederationEnabled connect.enable_mesh_gateway_wan_federation
ConnectSidecarMaxPort ports.sidecar_max_port
ConnectSidecarMinPort ports.sidecar_min_port
DNSARecordLimit dns_config.a_record_limit
DNSAllowStale dns_config.allow_stale
DNSCacheMaxAge dns_config.cache_max_age
DNSDisableCompression dns_config.disable_compression
DNSEnableTruncate dns_config.enable_truncate
DNSMaxStale dns_config.max_stale
DNSNodeMetaTXT dns_config.enable_additional_node_meta_txt
DNSNodeTTL dns_config.node_ttl
DNSOnlyPassing dns_config.only_passing
DNSRecursorTimeout dns_config.recursor_timeout
DNSUDPAnswerLimit dns_config.udp_answer_limit
DNSUseCache dns_config.use_cache
DefaultQueryTime default_query_time
DisableAnonymousSignature disable_anonymous_signature
DisableCoordinates disable_coordinates
DisableHTTPUnprintableCharFilter disable_http_unprintable_char_filter
DisableKeyringFile disable_keyring_file
DisableUpdateCheck disable_update_check
DiscardCheckOutput discard_check_output
DiscoveryMaxStale discovery_max_stale
EnableAgentTLSForChecks enable_agent_tls_for_checks
EnableCentralServiceConfig enable_central_service_config
EncryptKey encrypt
EncryptVerifyIncoming encrypt_verify_incoming
EncryptVerifyOutgoing encrypt_verify_outgoing
ExposeMaxPort ports.expose_max_port
ExposeMinPort ports.expose_min_port
GossipLANGossipInterval gossip_lan.gossip_interval
GossipLANGossipNodes gossip_lan.gossip_nodes
GossipLANProbeInterval gossip_lan.probe_interval
GossipLANProbeTimeout gossip_lan.probe_timeout
GossipLANRetransmitMult gossip_lan.retransmit_mult
GossipLANSuspicionMult gossip_lan.suspicion_mult
GossipWANGossipInterval gossip_wan.gossip_interval
GossipWANGossipNodes gossip_wan.gossip_nodes
GossipWANProbeInterval gossip_wan.probe_interval
GossipWANProbeTimeout gossip_wan.probe_timeout
GossipWANRetransmitMult gossip_wan.retransmit_mult
GossipWANSuspicionMult gossip_wan.suspicion_mult
HTTPBlockEndpoints http_config.block_endpoints
HTTPResponseHeaders http_config.response_headers
HTTPSHandshakeTimeout limits.https_handshake_timeout
HTTPUseCache http_config.use_cache
KeyFile key_file
LeaveDrainTime performance.leave_drain_time
MaxQueryTime max_query_time
NonVotingServer non_voting_server
PidFile pid_file
PrimaryGateways primary_gateways
PrimaryGatewaysInterval primary_gateways_interval
RPCHandshakeTimeout limits.rpc_handshake_timeout
RPCHoldTimeout performance.rpc_hold_timeout
RPCMaxBurst limits.rpc_max_burst
RPCMaxConnsPerClient limits.rpc_max_conns_per_client
RPCProtocol protocol
RPCRateLimit limits.rpc_rate
ReconnectTimeoutLAN reconnect_timeout
ReconnectTimeoutWAN reconnect_timeout_wan
RejoinAfterLeave rejoin_after_leave
RetryJoinIntervalLAN retry_interval
RetryJoinIntervalWAN retry_interval_wan
RetryJoinLAN retry_join
RetryJoinMaxAttemptsLAN retry_max
RetryJoinMaxAttemptsWAN retry_max_wan
RetryJoinWAN retry_join_wan
SegmentName segment
Segments segments
SerfAllowedCIDRsLAN serf_lan_allowed_cidrs
SerfAllowedCIDRsWAN serf_wan_allowed_cidrs
ServerName server_name
SessionTTLMin session_ttl_min
StartJoinAddrsLAN start_join
StartJoinAddrsWAN start_join_wan
TLSPreferServerCipherSuites tls_prefer_server_cipher_suites
UIContentPath ui_content_path
UIDir ui_dir
UnixSocketGroup unix_sockets.group
UnixSocketMode unix_sockets.mode
UnixSocketUser unix_sockets.user
VerifyIncoming verify_incoming
VerifyIncomingHTTPS verify_incoming_https
VerifyIncomingRPC verify_incoming_rpc
VerifyOutgoing verify_outgoing
VerifyServerHostname verify_server_hostname
Watches watches
`
  .trim()
  .split("\n")
  .map((line) => line.split(" ") as [name: string, key: string]);

/** Not configurable. */
const FIXED = {
  ACLsEnabled: false,
  AEInterval: "1m0s",
  CheckDeregisterIntervalMin: "1m0s",
  CheckReapInterval: "30s",
  ConsulCoordinateUpdateBatchSize: 128,
  ConsulCoordinateUpdateMaxBatches: 5,
  EnterpriseRuntimeConfig: {},
  Revision: "",
  SegmentLimit: 64,
  SegmentNameLimit: 64,
  SyncCoordinateIntervalMin: "15s",
  SyncCoordinateRateTarget: 64,
  VersionPrerelease: "",
} as const;

export interface DebugConfigNeeds {
  readonly config: RuntimeConfig;
  readonly shown: LoadedConfig["shown"];
  readonly nodeId: string;
  readonly version: string;
}

/** Texts that are secrets, empty ones too, are "hidden". Names are sorted, as Go prints a map. */
export function debugConfig({
  config,
  shown,
  nodeId,
  version,
}: DebugConfigNeeds): Record<string, unknown> {
  const all = {
    ...FIXED,
    ...Object.fromEntries(FROM_KEYS.map(([name, key]) => [name, shown[key]])),
    ...identity(config, nodeId, version),
    ...addresses(config),
    ...limits(config),
    ACLDatacenter: config.primaryDatacenter,
    DNSRecursors: config.dns.recursion?.recursors ?? [],
    DNSSOA: {
      Expire: config.dns.soa.expireS,
      Minttl: config.dns.soa.minTtlS,
      Refresh: config.dns.soa.refreshS,
      Retry: config.dns.soa.retryS,
    },
    DNSServiceTTL: goDurations(config.dns.serviceTtlS),
    Logging: logging(config, shown),
    Telemetry: telemetry(config, shown),
    Checks: config.checks,
    Services: config.services,
    TLSCipherSuites: String(shown.tls_cipher_suites).split(",").filter(Boolean),
    TLSMinVersion: shown.tls_min_version || "tls12",
  };
  return sortedByKey(Object.fromEntries(Object.entries(all).map(withoutSecrets)));
}

function identity(config: RuntimeConfig, nodeId: string, version: string): object {
  return {
    Bootstrap: config.bootstrap,
    BootstrapExpect: config.bootstrapExpect,
    DNSAltDomain: config.dnsAltDomain,
    DNSDomain: config.dnsDomain,
    DataDir: config.dataDir,
    Datacenter: config.datacenter,
    DevMode: config.devMode,
    DisableHostNodeID: true,
    DisableRemoteExec: true,
    EnableDebug: config.enableDebug,
    EnableLocalScriptChecks: config.enableLocalScriptChecks,
    EnableRemoteScriptChecks: config.enableRemoteScriptChecks,
    EnableUI: config.ui,
    LeaveOnTerm: config.leaveOnTerminate,
    NodeID: nodeId,
    NodeMeta: sortedByKey(config.nodeMeta),
    NodeName: config.nodeName,
    PrimaryDatacenter: config.primaryDatacenter,
    ServerMode: config.server,
    SkipLeaveOnInt: config.skipLeaveOnInterrupt,
    TranslateWANAddrs: config.translateWanAddrs,
    Version: version,
  };
}

function addresses(config: RuntimeConfig): object {
  const { ports, advertiseAddr, advertiseAddrWan, bindAddr, gossip } = config;
  return {
    AdvertiseAddrLAN: advertiseAddr,
    AdvertiseAddrWAN: advertiseAddrWan,
    BindAddr: bindAddr,
    ClientAddrs: config.clientAddrs,
    DNSAddrs: ["tcp", "udp"].flatMap((network) => urls(network, config.dnsAddrs, ports.dns)),
    DNSPort: ports.dns,
    GRPCAddrs: urls("tcp", config.clientAddrs, ports.grpc),
    GRPCPort: ports.grpc,
    HTTPAddrs: urls("tcp", config.httpAddrs, ports.http),
    HTTPPort: ports.http,
    HTTPSAddrs: urls("tcp", config.clientAddrs, ports.https),
    HTTPSPort: ports.https,
    RPCAdvertiseAddr: tcpUrl(advertiseAddr, ports.server),
    RPCBindAddr: tcpUrl(bindAddr, ports.server),
    SerfAdvertiseAddrLAN: tcpUrl(advertiseAddr, ports.serfLan),
    SerfAdvertiseAddrWAN: tcpUrl(advertiseAddrWan, ports.serfWan),
    SerfBindAddrLAN: tcpUrl(gossip.lan.bindAddr, ports.serfLan),
    SerfBindAddrWAN: tcpUrl(gossip.wan.bindAddr, ports.serfWan),
    SerfPortLAN: ports.serfLan,
    SerfPortWAN: ports.serfWan,
    ServerPort: ports.server,
    TaggedAddresses: config.taggedAddresses,
  };
}

/** None on a port that is off; a socket's path stands for itself. */
function urls(network: string, hosts: readonly string[], port: number): readonly string[] {
  return hosts.flatMap((host) => {
    if (host.startsWith("unix://")) return [host];
    return port < 0 ? [] : [`${network}://${hostPort(host, port)}`];
  });
}
const hostPort = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
const tcpUrl = (host: string, port: number): string => `tcp://${hostPort(host, port)}`;

function limits({ limits, checkOutputMaxSizeBytes }: RuntimeConfig): object {
  return {
    CheckOutputMaxSize: checkOutputMaxSizeBytes,
    HTTPMaxConnsPerClient: limits.httpMaxConnsPerClient,
    KVMaxValueSize: limits.kvMaxValueSizeBytes,
    TxnMaxReqLen: limits.txnMaxReqLenBytes,
  };
}

function goDurations(seconds: Readonly<Record<string, number>>): Record<string, string> {
  const texts = Object.entries(seconds).map(([name, s]) => [name, formatDuration(s * SECOND)]);
  return sortedByKey(Object.fromEntries(texts) as Record<string, string>);
}

function logging(
  { logJson, logLevel, logFile }: RuntimeConfig,
  shown: LoadedConfig["shown"],
): object {
  return {
    EnableSyslog: shown.enable_syslog,
    LogFilePath: logFile.path,
    LogJSON: logJson,
    LogLevel: logLevel,
    LogRotateBytes: logFile.rotateBytes,
    LogRotateDuration: formatDuration(logFile.rotateDurationMs * MILLISECOND),
    LogRotateMaxFiles: logFile.rotateMaxFiles,
    Name: "",
    SyslogFacility: shown.syslog_facility,
  };
}

const CIRCONUS = {
  APIApp: "api_app",
  APIToken: "api_token",
  APIURL: "api_url",
  BrokerID: "broker_id",
  BrokerSelectTag: "broker_select_tag",
  CheckDisplayName: "check_display_name",
  CheckForceMetricActivation: "check_force_metric_activation",
  CheckID: "check_id",
  CheckInstanceID: "check_instance_id",
  CheckSearchTag: "check_search_tag",
  CheckTags: "check_tags",
  SubmissionInterval: "submission_interval",
  SubmissionURL: "submission_url",
} as const;

function telemetry(config: RuntimeConfig, shown: LoadedConfig["shown"]): Record<string, unknown> {
  const { prefixFilter, prometheusRetentionMs, ...of } = config.telemetry;
  const ruled = (sign: string): readonly string[] =>
    prefixFilter.filter((rule) => rule.startsWith(sign)).map((rule) => rule.slice(1));
  const circonus = Object.entries(CIRCONUS).map(
    ([name, key]) => [`Circonus${name}`, shown[`telemetry.circonus_${key}`]] as const,
  );
  const all = {
    ...Object.fromEntries(circonus),
    AllowedPrefixes: ruled("+"),
    BlockedPrefixes: ruled("-"),
    Disable: false,
    DisableHostname: of.disableHostname,
    DogstatsdAddr: of.dogstatsdAddress,
    DogstatsdTags: of.dogstatsdTags,
    FilterDefault: of.filterDefault,
    MetricsPrefix: of.metricsPrefix,
    PrometheusRetentionTime: formatDuration(prometheusRetentionMs * MILLISECOND),
    StatsdAddr: of.statsdAddress,
    StatsiteAddr: of.statsiteAddress,
  };
  return sortedByKey(all);
}

/** As Go prints a map. */
export function sortedByKey<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const SECRET = /key|token|secret/i;

function withoutSecrets([name, value]: readonly [string, unknown]): [string, unknown] {
  if (typeof value === "string") return [name, SECRET.test(name) ? "hidden" : value];
  return [name, hiding(value)];
}
function hiding(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hiding);
  // What is joined through a provider of machines names its keys.
  if (typeof value === "string")
    return value.replace(/(key|token|secret)(\w*)=\S+/gi, "$1$2=hidden");
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(withoutSecrets));
}
