/**
 * Every configuration key there is, one row each: its name, how it is written, what it is when not given,
 * and what becomes of it. A new key is one new row here (and, if something has to be made of its value
 * rather than copied, a few lines in derive.ts).
 *
 *     lands(key, type, default, path in RuntimeConfig)      derived(key, type, default)
 *     later(key, type, default, what its absence means)     enterprise(key, type)  moot(key, type)
 *
 * Names and defaults: Consul 1.8.7; keys of later releases are known too, so that a newer configuration
 * starts. Anything else is refused as a typing mistake.
 */
import { struct, type Shape, type StructShape } from "./decode.ts";
import {
  derived,
  enterprise,
  group,
  lands,
  landsLater,
  later,
  moot,
  TYPES,
  type KeyRow,
} from "./key-row.ts";

const NO_ACL = "requests are not authorized";
const NO_UI = "there is no web page";
const NO_TLS = "traffic is not encrypted";

export const KEYS: readonly KeyRow[] = [
  // Identity
  derived("datacenter", "text", "dc1"),
  derived("primary_datacenter", "text"),
  derived("acl_datacenter", "text"),
  derived("node_name", "text"),
  lands("node_id", "text", "", "nodeId"),
  lands("node_meta", "map", {}, "nodeMeta"),
  later("disable_host_node_id", "flag", true, "a node's ID is made up at random"),
  derived("server", "flag", false),
  derived("bootstrap", "flag", false),
  derived("bootstrap_expect", "int", 0),
  lands("data_dir", "text", "", "dataDir"),

  // Addresses and ports
  derived("bind_addr", "text", "0.0.0.0"),
  derived("client_addr", "text", "127.0.0.1"),
  derived("addresses.dns", "text"),
  derived("addresses.http", "text"),
  later("addresses.https", "text"),
  later("addresses.grpc", "text"),
  later("addresses.grpc_tls", "text"),
  derived("advertise_addr", "text"),
  derived("advertise_addr_ipv4", "text"),
  derived("advertise_addr_ipv6", "text"),
  derived("advertise_addr_wan", "text"),
  derived("advertise_addr_wan_ipv4", "text"),
  derived("advertise_addr_wan_ipv6", "text"),
  derived("tagged_addresses", "map", {}),
  lands("translate_wan_addrs", "flag", false, "translateWanAddrs"),
  derived("serf_lan", "text"),
  derived("serf_wan", "text"),
  lands("serf_lan_allowed_cidrs", "texts", [], "gossip.lan.allowedCidrs"),
  lands("serf_wan_allowed_cidrs", "texts", [], "gossip.wan.allowedCidrs"),
  lands("ports.dns", "port", 8600, "ports.dns"),
  lands("ports.http", "port", 8500, "ports.http"),
  landsLater("ports.https", "port", -1, "ports.https"),
  landsLater("ports.grpc", "port", -1, "ports.grpc"),
  later("ports.grpc_tls", "port", -1),
  lands("ports.serf_lan", "port", 8301, "ports.serfLan"),
  lands("ports.serf_wan", "port", 8302, "ports.serfWan"),
  lands("ports.server", "port", 8300, "ports.server"),
  later("ports.proxy_min_port", "port", 20000),
  later("ports.proxy_max_port", "port", 20255),
  later("ports.sidecar_min_port", "port", 21000),
  later("ports.sidecar_max_port", "port", 21255),
  later("ports.expose_min_port", "port", 21500),
  later("ports.expose_max_port", "port", 21755),
  lands("unix_sockets.user", "text", "", "unixSockets.user"),
  lands("unix_sockets.group", "text", "", "unixSockets.group"),
  lands("unix_sockets.mode", "text", "", "unixSockets.mode"),

  // Joining, gossip, Raft
  ...group("", "start_join start_join_wan retry_join retry_join_wan", (key) =>
    derived(key, "texts", []),
  ),
  lands("retry_interval", "duration", "30s", "gossip.lan.retryIntervalMs"),
  lands("retry_interval_wan", "duration", "30s", "gossip.wan.retryIntervalMs"),
  lands("retry_max", "int", 0, "gossip.lan.retryMax"),
  lands("retry_max_wan", "int", 0, "gossip.wan.retryMax"),
  lands("rejoin_after_leave", "flag", false, "gossip.rejoinAfterLeave"),
  lands("reconnect_timeout", "duration", "72h", "gossip.lan.reconnectTimeoutMs"),
  lands("reconnect_timeout_wan", "duration", "72h", "gossip.wan.reconnectTimeoutMs"),
  later("advertise_reconnect_timeout", "duration"),
  later("primary_gateways", "texts", []),
  later("primary_gateways_interval", "duration", "30s"),
  lands("encrypt", "text", "", "gossip.encrypt"),
  lands("encrypt_verify_incoming", "flag", true, "gossip.verifyIncoming"),
  lands("encrypt_verify_outgoing", "flag", true, "gossip.verifyOutgoing"),
  lands("disable_keyring_file", "flag", false, "gossip.disableKeyringFile"),
  lands("gossip_lan.gossip_interval", "duration", "200ms", "gossip.lan.gossipIntervalMs"),
  lands("gossip_lan.gossip_nodes", "int", 3, "gossip.lan.gossipNodes"),
  lands("gossip_lan.probe_interval", "duration", "1s", "gossip.lan.probeIntervalMs"),
  lands("gossip_lan.probe_timeout", "duration", "500ms", "gossip.lan.probeTimeoutMs"),
  lands("gossip_lan.retransmit_mult", "int", 4, "gossip.lan.retransmitMult"),
  lands("gossip_lan.suspicion_mult", "int", 4, "gossip.lan.suspicionMult"),
  lands("gossip_wan.gossip_interval", "duration", "500ms", "gossip.wan.gossipIntervalMs"),
  lands("gossip_wan.gossip_nodes", "int", 3, "gossip.wan.gossipNodes"),
  lands("gossip_wan.probe_interval", "duration", "5s", "gossip.wan.probeIntervalMs"),
  lands("gossip_wan.probe_timeout", "duration", "3s", "gossip.wan.probeTimeoutMs"),
  lands("gossip_wan.retransmit_mult", "int", 4, "gossip.wan.retransmitMult"),
  lands("gossip_wan.suspicion_mult", "int", 6, "gossip.wan.suspicionMult"),
  lands("performance.raft_multiplier", "int", 5, "raft.multiplier"),
  lands("performance.leave_drain_time", "duration", "5s", "leaveDrainTimeMs"),
  lands("performance.rpc_hold_timeout", "duration", "7s", "rpcHoldTimeoutMs"),
  later("protocol", "int", 2),
  later("raft_protocol", "int", 3),
  lands("raft_snapshot_threshold", "int", 16384, "raft.snapshotThreshold"),
  lands("raft_snapshot_interval", "duration", "30s", "raft.snapshotIntervalMs"),
  lands("raft_trailing_logs", "int", 10240, "raft.trailingLogs"),
  later("raft_logstore", "anything"),
  lands("autopilot.cleanup_dead_servers", "flag", true, "autopilot.cleanupDeadServers"),
  later("autopilot.disable_upgrade_migration", "flag", false),
  lands(
    "autopilot.last_contact_threshold",
    "duration",
    "200ms",
    "autopilot.lastContactThresholdMs",
  ),
  lands("autopilot.max_trailing_logs", "int", 250, "autopilot.maxTrailingLogs"),
  lands("autopilot.min_quorum", "uint", 0, "autopilot.minQuorum"),
  later("autopilot.redundancy_zone_tag", "text", ""),
  lands(
    "autopilot.server_stabilization_time",
    "duration",
    "10s",
    "autopilot.serverStabilizationTimeMs",
  ),
  later("autopilot.upgrade_version_tag", "text", ""),
  lands("disable_coordinates", "flag", false, "disableCoordinates"),
  later("server_rejoin_age_max", "duration", "168h"),

  // DNS
  lands("domain", "text", "consul.", "dnsDomain"),
  lands("alt_domain", "text", "", "dnsAltDomain"),
  derived("recursors", "texts", []),
  lands("dns_config.allow_stale", "flag", true, "dns.allowStale"),
  lands("dns_config.a_record_limit", "int", 0, "dns.aRecordLimit"),
  lands("dns_config.disable_compression", "flag", false, "dns.disableCompression"),
  lands("dns_config.enable_truncate", "flag", false, "dns.enableTruncate"),
  lands("dns_config.max_stale", "duration", "87600h", "dns.maxStaleMs"),
  lands("dns_config.node_ttl", "duration", "0s", "dns.nodeTtlS"),
  lands("dns_config.only_passing", "flag", false, "dns.onlyPassing"),
  lands("dns_config.recursor_timeout", "duration", "2s", "dns.recursion.timeoutMs"),
  lands("dns_config.recursor_strategy", "text", "sequential", "dns.recursion.strategy"),
  lands("dns_config.service_ttl", "durations", {}, "dns.serviceTtlS"),
  lands("dns_config.udp_answer_limit", "int", 3, "dns.udpAnswerLimit"),
  lands(
    "dns_config.enable_additional_node_meta_txt",
    "flag",
    true,
    "dns.enableAdditionalNodeMetaTxt",
  ),
  lands("dns_config.soa.refresh", "uint32", 3600, "dns.soa.refreshS"),
  lands("dns_config.soa.retry", "uint32", 600, "dns.soa.retryS"),
  lands("dns_config.soa.expire", "uint32", 86400, "dns.soa.expireS"),
  lands("dns_config.soa.min_ttl", "uint32", 0, "dns.soa.minTtlS"),
  // Every answer is kept for as long as it is true, so that a cached one is never old.
  moot("dns_config.use_cache", "flag"),
  moot("dns_config.cache_max_age", "duration"),
  enterprise("dns_config.prefer_namespace", "flag"),

  // HTTP, queries, limits
  lands("http_config.block_endpoints", "texts", [], "http.blockEndpoints"),
  lands("http_config.response_headers", "map", {}, "http.responseHeaders"),
  lands("http_config.allow_write_http_from", "texts", [], "http.allowWriteHttpFrom"),
  lands("http_config.use_cache", "flag", true, "http.useCache"),
  lands("http_config.max_header_bytes", "int", 1048576, "http.maxHeaderBytes"),
  lands("disable_http_unprintable_char_filter", "flag", false, "http.disableUnprintableCharFilter"),
  lands("default_query_time", "duration", "300s", "defaultQueryTimeMs"),
  lands("max_query_time", "duration", "600s", "maxQueryTimeMs"),
  lands("discovery_max_stale", "duration", "0s", "discoveryMaxStaleMs"),
  lands("session_ttl_min", "duration", "10s", "sessionTtlMinMs"),
  lands("limits.http_max_conns_per_client", "int", 200, "limits.httpMaxConnsPerClient"),
  lands("limits.kv_max_value_size", "uint64", 524288, "limits.kvMaxValueSizeBytes"),
  lands("limits.txn_max_req_len", "uint64", 524288, "limits.txnMaxReqLenBytes"),
  later("limits.https_handshake_timeout", "duration", "5s"),
  lands("limits.rpc_handshake_timeout", "duration", "5s", "limits.rpcHandshakeTimeoutMs"),
  later("limits.rpc_client_timeout", "duration", "60s"),
  later("limits.rpc_rate", "float", -1),
  later("limits.rpc_max_burst", "int", 1000),
  lands("limits.rpc_max_conns_per_client", "int", 100, "limits.rpcMaxConnsPerClient"),
  later("limits.request_limits.mode", "text", "disabled"),
  later("limits.request_limits.read_rate", "float", -1),
  later("limits.request_limits.write_rate", "float", -1),
  later("cache.entry_fetch_max_burst", "int", 2),
  later("cache.entry_fetch_rate", "float"),

  // Services and checks
  derived("service", "service"),
  derived("services", "services", []),
  derived("check", "check"),
  derived("checks", "checks", []),
  lands("watches", "anythings", [], "watches"),
  lands("check_output_max_size", "int", 4096, "checkOutputMaxSizeBytes"),
  lands("check_update_interval", "duration", "5m", "checkUpdateIntervalMs"),
  lands("discard_check_output", "flag", false, "discardCheckOutput"),
  derived("enable_script_checks", "flag", false),
  derived("enable_local_script_checks", "flag"),
  later("enable_agent_tls_for_checks", "flag", false),
  later("enable_central_service_config", "flag", false),
  later("config_entries.bootstrap", "anythings", []),
  later("disable_remote_exec", "flag", true, "no other agent's command is run"),

  // Process, logs, user interface
  later("ui", "flag", false, NO_UI),
  later("ui_dir", "text", "", NO_UI),
  later("ui_content_path", "text", "/ui/"),
  later("ui_config.enabled", "flag", undefined, NO_UI),
  ...group("ui_config.", "dir content_path metrics_provider metrics_provider_options_json", (key) =>
    later(key, "text", ""),
  ),
  later("ui_config.metrics_provider_files", "texts", []),
  later("ui_config.metrics_proxy", "anything"),
  later("ui_config.dashboard_url_templates", "map", {}),
  derived("log_level", "text", "INFO"),
  lands("log_json", "flag", false, "logJson"),
  lands("log_file", "text", "", "logFile.path"),
  lands("log_rotate_bytes", "int", 0, "logFile.rotateBytes"),
  lands("log_rotate_duration", "duration", "24h", "logFile.rotateDurationMs"),
  lands("log_rotate_max_files", "int", 0, "logFile.rotateMaxFiles"),
  later("enable_syslog", "flag", false, "logs go to standard output and to log_file only"),
  later("syslog_facility", "text", "LOCAL0"),
  lands("pid_file", "text", "", "pidFile"),
  derived("leave_on_terminate", "flag"),
  derived("skip_leave_on_interrupt", "flag"),
  moot("disable_update_check", "flag"),
  moot("disable_anonymous_signature", "flag"),
  landsLater("enable_debug", "flag", false, "enableDebug"),
  later("auto_reload_config", "flag", false),
  lands("telemetry.prefix_filter", "texts", [], "telemetry.prefixFilter"),
  lands("telemetry.disable_hostname", "flag", false, "telemetry.disableHostname"),
  lands("telemetry.filter_default", "flag", true, "telemetry.filterDefault"),
  lands("telemetry.metrics_prefix", "text", "consul", "telemetry.metricsPrefix"),
  lands("telemetry.prometheus_retention_time", "duration", "0s", "telemetry.prometheusRetentionMs"),
  lands("telemetry.dogstatsd_addr", "text", "", "telemetry.dogstatsdAddress"),
  lands("telemetry.dogstatsd_tags", "texts", [], "telemetry.dogstatsdTags"),
  lands("telemetry.statsd_address", "text", "", "telemetry.statsdAddress"),
  lands("telemetry.statsite_address", "text", "", "telemetry.statsiteAddress"),
  ...group(
    "telemetry.circonus_",
    "api_app api_token api_url broker_id broker_select_tag check_display_name check_force_metric_activation check_id check_instance_id check_search_tag check_tags submission_interval submission_url",
    (key) => later(key, "text", ""),
  ),

  // TLS
  ...group(
    "",
    "ca_file ca_path cert_file key_file server_name tls_min_version tls_cipher_suites",
    (key) => later(key, "text", "", NO_TLS),
  ),
  ...group(
    "",
    "verify_incoming verify_incoming_rpc verify_incoming_https verify_outgoing verify_server_hostname",
    (key) => later(key, "flag", false, NO_TLS),
  ),
  later("tls_prefer_server_cipher_suites", "flag", false),
  later("tls", "anything", undefined, NO_TLS),
  ...group("auto_encrypt.", "tls allow_tls", (key) => later(key, "flag", false, NO_TLS)),
  ...group("auto_encrypt.", "dns_san ip_san", (key) => later(key, "texts", [])),
  later("auto_config.enabled", "flag", false),
  ...group("auto_config.", "intro_token intro_token_file", (key) => later(key, "text", "")),
  ...group("auto_config.", "server_addresses dns_sans ip_sans", (key) => later(key, "texts", [])),
  later("auto_config.authorization.enabled", "flag", false),
  ...group(
    "auto_config.authorization.static.",
    "jwks_url jwks_ca_cert oidc_discovery_url oidc_discovery_ca_cert bound_issuer",
    (key) => later(key, "text", ""),
  ),
  ...group(
    "auto_config.authorization.static.",
    "jwt_validation_pub_keys bound_audiences claim_assertions jwt_supported_algs",
    (key) => later(key, "texts", []),
  ),
  ...group("auto_config.authorization.static.", "claim_mappings list_claim_mappings", (key) =>
    later(key, "map", {}),
  ),
  ...group(
    "auto_config.authorization.static.",
    "expiration_leeway not_before_leeway clock_skew_leeway",
    (key) => later(key, "duration", "0s"),
  ),
  later("auto_config.authorization.static.allow_reuse", "flag", false),

  // ACL
  later("acl.enabled", "flag", false, NO_ACL),
  later("acl.default_policy", "text", "allow", NO_ACL),
  later("acl.down_policy", "text", "extend-cache"),
  ...group("acl.", "token_ttl policy_ttl role_ttl", (key) => later(key, "duration", "30s")),
  later("acl.disabled_ttl", "duration", "120s"),
  ...group(
    "acl.",
    "enable_key_list_policy enable_token_persistence enable_token_replication",
    (key) => later(key, "flag", false),
  ),
  enterprise("acl.msp_disable_bootstrap", "flag"),
  ...group(
    "acl.tokens.",
    "default agent agent_master agent_recovery master initial_management replication config_file_service_registration dns",
    (key) => later(key, "text", ""),
  ),
  enterprise("acl.tokens.managed_service_provider", "anythings"),
  ...group("acl_", "agent_master_token agent_token master_token replication_token token", (key) =>
    later(key, "text", ""),
  ),
  later("acl_default_policy", "text", "allow", NO_ACL),
  later("acl_down_policy", "text", "extend-cache"),
  ...group("acl_", "ttl disabled_ttl", (key) => later(key, "duration")),
  later("acl_enable_key_list_policy", "flag", false),
  later("enable_acl_replication", "flag", false),
  derived("acl_enforce_version_8", "flag"),
  later("default_intention_policy", "text", ""),

  // Mesh and later releases
  later("connect.enabled", "flag", false),
  later("connect.ca_provider", "text", "consul"),
  later("connect.ca_config", "anything"),
  later("connect.enable_mesh_gateway_wan_federation", "flag", false),
  later("peering.enabled", "flag", false),
  later("xds.update_max_per_second", "float"),
  moot("use_streaming_backend", "flag"),
  moot("rpc.enable_streaming", "flag"),

  // Consul Enterprise
  ...group("", "non_voting_server read_replica", (key) => enterprise(key, "flag")),
  ...group("", "license_path partition", (key) => enterprise(key, "text")),
  ...group("", "audit reporting", (key) => enterprise(key, "anything")),
  moot("snapshot_agent", "anything"),
  derived("segment", "text", ""),
  derived("segments", "anythings", []),

  // Consul's own, which it lets nobody change
  ...group("", "segment_limit segment_name_limit", (key) => moot(key, "int")),
  ...group("", "version version_prerelease revision", (key) => moot(key, "text")),
  ...group(
    "",
    "ae_interval check_deregister_interval_min check_reap_interval sync_coordinate_interval_min",
    (key) => moot(key, "duration"),
  ),
  moot("sync_coordinate_rate_target", "float"),
  ...group("consul.coordinate.", "update_batch_size update_max_batches", (key) => moot(key, "int")),
  moot("consul.coordinate.update_period", "duration"),
  ...group("consul.raft.", "election_timeout heartbeat_timeout leader_lease_timeout", (key) =>
    moot(key, "duration"),
  ),
  moot("consul.server.health_interval", "duration"),
];

const BY_KEY: ReadonlyMap<string, KeyRow> = new Map(KEYS.map((row) => [row.key, row]));

export const keyRow = (key: string): KeyRow | undefined => BY_KEY.get(key);

/** The whole document, as decode.ts wants it. */
export const CONFIG_SHAPE: StructShape = shapeOf(KEYS.map((row) => [row.key.split("."), row]));

function shapeOf(rows: readonly (readonly [readonly string[], KeyRow])[]): StructShape {
  const fields: Record<string, Shape> = {};
  for (const [path, row] of rows) {
    const [name] = path;
    if (name === undefined || Object.hasOwn(fields, name)) continue;
    const below = rows
      .filter(([other]) => other[0] === name && other.length > 1)
      .map(([other, otherRow]) => [other.slice(1), otherRow] as const);
    fields[name] = below.length > 0 ? shapeOf(below) : TYPES[row.type];
  }
  return struct(fields);
}
