/**
 * The audit of the key table: for each key that has an effect the tests that show it, for each other one why it has
 * none. A new key fails here until it is in one of the two lists; a test that is renamed away from its keys, too.
 */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { KeyRow } from "./key-row.ts";
import { KEYS } from "./keys.ts";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);
const below = (parent: string, names: string): readonly string[] =>
  words(names).map((name) => `${parent}.${name}`);

/** Where each key's effect is shown, by a test that names it. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  "src/agent/settings.test.ts": [
    ...words(`datacenter primary_datacenter acl_datacenter node_name node_id node_meta
      server bootstrap bootstrap_expect data_dir
      bind_addr client_addr addresses.http addresses.dns advertise_addr advertise_addr_wan
      advertise_addr_ipv4 advertise_addr_ipv6 advertise_addr_wan_ipv4 advertise_addr_wan_ipv6
      tagged_addresses translate_wan_addrs default_query_time max_query_time discovery_max_stale
      session_ttl_min service services check checks check_output_max_size check_update_interval
      discard_check_output enable_script_checks enable_local_script_checks disable_coordinates
      disable_http_unprintable_char_filter log_level log_json acl_enforce_version_8`),
    ...below("ports", "http dns serf_lan serf_wan server"),
    ...below("unix_sockets", "user group mode"),
    ...below(
      "http_config",
      "block_endpoints response_headers allow_write_http_from max_header_bytes use_cache",
    ),
    ...below("limits", "http_max_conns_per_client kv_max_value_size txn_max_req_len"),
    ...below(
      "telemetry",
      `metrics_prefix prometheus_retention_time prefix_filter filter_default disable_hostname
       statsd_address statsite_address dogstatsd_addr dogstatsd_tags`,
    ),
  ],
  "src/agent/gossip-settings.test.ts": [
    ...words(`serf_lan serf_wan serf_lan_allowed_cidrs serf_wan_allowed_cidrs start_join start_join_wan retry_join retry_join_wan retry_interval
      retry_interval_wan retry_max retry_max_wan rejoin_after_leave reconnect_timeout
      reconnect_timeout_wan encrypt encrypt_verify_incoming encrypt_verify_outgoing
      disable_keyring_file`),
    ...["gossip_lan", "gossip_wan"].flatMap((pool) =>
      below(
        pool,
        "gossip_interval gossip_nodes probe_interval probe_timeout retransmit_mult suspicion_mult",
      ),
    ),
  ],
  "src/agent/server-settings.test.ts": [
    ...words("raft_snapshot_threshold raft_snapshot_interval raft_trailing_logs"),
    ...below("performance", "raft_multiplier leave_drain_time rpc_hold_timeout"),
    ...below("limits", "rpc_handshake_timeout rpc_max_conns_per_client"),
    ...below(
      "autopilot",
      `cleanup_dead_servers last_contact_threshold max_trailing_logs min_quorum
       server_stabilization_time`,
    ),
  ],
  "src/dns/settings.test.ts": [
    ...words("domain alt_domain"),
    ...below(
      "dns_config",
      `allow_stale max_stale node_ttl service_ttl only_passing a_record_limit udp_answer_limit
       enable_truncate disable_compression enable_additional_node_meta_txt recursor_timeout
       soa.refresh soa.retry soa.expire soa.min_ttl`,
    ),
  ],
  "src/dns/recursors.test.ts": ["recursors", "dns_config.recursor_strategy"],
  "src/agent/watches.test.ts": ["watches"],
  "src/cli/agent-command.test.ts": words(
    "leave_on_terminate skip_leave_on_interrupt pid_file log_file",
  ),
  "src/cli/log-file.test.ts": words("log_rotate_bytes log_rotate_duration log_rotate_max_files"),
  // Using them is an error, as in Consul's free edition.
  "src/config/testdata/consul-validate.json": words("segment segments"),
};

/** Why a key has no effect; `parent.*` stands for all below it. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  "what they ask for is so anyway": words(`dns_config.use_cache dns_config.cache_max_age
    disable_update_check disable_anonymous_signature use_streaming_backend rpc.enable_streaming
    snapshot_agent`),
  "nobody may set them": words(`segment_limit segment_name_limit version version_prerelease revision
    ae_interval check_deregister_interval_min check_reap_interval sync_coordinate_interval_min
    sync_coordinate_rate_target consul.*`),
  "only Consul Enterprise has it": words(`dns_config.prefer_namespace acl.msp_disable_bootstrap
    acl.tokens.managed_service_provider non_voting_server read_replica license_path partition audit
    reporting`),
  "only Consul's own log needs it": words("raft_logstore"),
  "there is one protocol": words("protocol raft_protocol"),
  "only Consul Enterprise acts on it": words(`autopilot.disable_upgrade_migration
    autopilot.redundancy_zone_tag autopilot.upgrade_version_tag`),
  "calls are not limited, nor kept, by clients yet":
    words(`limits.rpc_client_timeout limits.rpc_rate limits.rpc_max_burst
    limits.request_limits.* cache.entry_fetch_max_burst cache.entry_fetch_rate`),
  "not built": words("server_rejoin_age_max auto_reload_config disable_host_node_id"),
  "not in the gossip pools yet": words("advertise_reconnect_timeout"),
  "needs TLS": words(`addresses.https ports.https limits.https_handshake_timeout ca_file ca_path
    cert_file key_file server_name tls_min_version tls_cipher_suites tls_prefer_server_cipher_suites
    verify_incoming verify_incoming_rpc verify_incoming_https verify_outgoing verify_server_hostname
    tls auto_encrypt.* auto_config.* enable_agent_tls_for_checks`),
  "needs access control": words(`acl.* acl_agent_master_token acl_agent_token acl_master_token
    acl_replication_token acl_token acl_default_policy acl_down_policy acl_ttl acl_disabled_ttl
    acl_enable_key_list_policy enable_acl_replication default_intention_policy`),
  "needs the mesh": words(`addresses.grpc addresses.grpc_tls ports.grpc ports.grpc_tls
    ports.proxy_min_port ports.proxy_max_port ports.sidecar_min_port ports.sidecar_max_port
    ports.expose_min_port ports.expose_max_port primary_gateways primary_gateways_interval
    enable_central_service_config config_entries.bootstrap connect.* peering.enabled
    xds.update_max_per_second`),
  "there is no web page": words("ui ui_dir ui_content_path ui_config.*"),
  "programs are not run for others": ["disable_remote_exec"],
  "Go's profiles cannot be taken of it": ["enable_debug"],
  "Node reaches no socket of syslog's kind": words("enable_syslog syslog_facility"),
  "a service of one vendor": ["telemetry.circonus_*"],
};

const matches = (pattern: string, key: string): boolean =>
  pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : pattern === key;
const hasEffect = ({ effect }: KeyRow): boolean =>
  effect.kind === "derived" || (effect.kind === "lands" && effect.unused !== true);

test.each(KEYS.filter(hasEffect).map(({ key }) => key))("%s is shown to have an effect", (key) => {
  const files = Object.keys(SHOWN).filter((file) => SHOWN[file]?.includes(key));
  expect(files).toHaveLength(1);
});

test.each(Object.entries(SHOWN))("%s names its keys", (file, keys) => {
  const path = new URL(`../../${file}`, import.meta.url);
  expect(existsSync(path)).toBe(true);
  const text = readFileSync(path, "utf8");
  const known = new Set(KEYS.filter(hasEffect).map(({ key }) => key));
  for (const key of keys) {
    expect(known.has(key), `${key} has an effect`).toBe(true);
    const named = new RegExp(`(?<![\\w.])${key.replaceAll(".", "\\.")}(?![\\w.]*\\w)`);
    expect(text, key).toMatch(named);
  }
});

test.each(KEYS.filter((row) => !hasEffect(row)).map(({ key }) => key))(
  "%s has a reason to have none",
  (key) => {
    const reasons = Object.entries(WITHOUT).filter(([, patterns]) =>
      patterns.some((pattern) => pattern === key),
    );
    const wide = Object.entries(WITHOUT).filter(([, patterns]) =>
      patterns.some((pattern) => matches(pattern, key)),
    );
    expect(reasons.length === 1 || wide.length === 1, key).toBe(true);
  },
);

test("no reason is given for nothing", () => {
  const keys = KEYS.filter((row) => !hasEffect(row)).map(({ key }) => key);
  for (const pattern of Object.values(WITHOUT).flat()) {
    expect(
      keys.some((key) => matches(pattern, key)),
      pattern,
    ).toBe(true);
  }
});
