/** The flags of `agent`: each stands for a configuration key, but for the few that say where to look. */
import type { FlagSpec } from "./flags.ts";

export interface AgentFlag extends FlagSpec {
  /** The key that the flag sets; absent on -dev, -hcl and the -config ones. */
  readonly key?: string;
}

/** The name under which `Flags` holds the values of -config-file and -config-dir, in their order. */
export const CONFIG_PATHS = "config-paths";

const flag = (name: string, key: string, kind: FlagSpec["kind"], help: string): AgentFlag => ({
  name,
  key,
  kind,
  help,
  wording: "strconv",
});
const text = (name: string, key: string, help: string) => flag(name, key, "text", help);
const bool = (name: string, key: string, help: string) => flag(name, key, "bool", help);
const int = (name: string, key: string, help: string) => flag(name, key, "int", help);
const list = (name: string, key: string, help: string) =>
  flag(name, key, "list", `${help} May be given more than once.`);

export const agentFlags: readonly AgentFlag[] = [
  text("advertise", "advertise_addr", "Address that other agents reach this one at."),
  text("advertise-wan", "advertise_addr_wan", "The same, for agents of other datacenters."),
  list(
    "allow-write-http-from",
    "http_config.allow_write_http_from",
    "Network (CIDR) that may change things over HTTP.",
  ),
  text("alt-domain", "alt_domain", "Second domain that DNS answers for."),
  text("bind", "bind_addr", "Address for traffic within the cluster."),
  bool("bootstrap", "bootstrap", "Be the one server that elects itself."),
  int("bootstrap-expect", "bootstrap_expect", "Number of servers to wait for."),
  int(
    "check_output_max_size",
    "check_output_max_size",
    "Longest output kept of a check, in bytes.",
  ),
  text("client", "client_addr", "Addresses for HTTP and DNS clients."),
  {
    name: "config-dir",
    kind: "list",
    joins: CONFIG_PATHS,
    help: "Directory whose .hcl and .json files are read by name. May be given more than once.",
  },
  {
    name: "config-file",
    kind: "list",
    joins: CONFIG_PATHS,
    help: "File to read, .hcl or .json. May be given more than once.",
  },
  { name: "config-format", kind: "text", help: "Read every file as this: hcl or json." },
  text("data-dir", "data_dir", "Directory for the agent's state."),
  text("datacenter", "datacenter", "Datacenter of the agent."),
  text("default-query-time", "default_query_time", "How long a blocking query waits by default."),
  {
    name: "dev",
    kind: "bool",
    wording: "strconv",
    help: "Run a server in memory, for trying out.",
  },
  bool("disable-host-node-id", "disable_host_node_id", "Make up the node ID at random."),
  bool("disable-keyring-file", "disable_keyring_file", "Keep gossip keys in memory only."),
  int("dns-port", "ports.dns", "Port of DNS."),
  text("domain", "domain", "Domain that DNS answers for."),
  bool(
    "enable-local-script-checks",
    "enable_local_script_checks",
    "Run check scripts from configuration files.",
  ),
  bool("enable-script-checks", "enable_script_checks", "Run check scripts from anywhere."),
  text("encrypt", "encrypt", "Key for gossip."),
  int("grpc-port", "ports.grpc", "Port of gRPC."),
  { name: "hcl", kind: "list", help: "Configuration in HCL. May be given more than once." },
  int("http-port", "ports.http", "Port of HTTP."),
  int("https-port", "ports.https", "Port of HTTPS."),
  list("join", "start_join", "Agent to join at start."),
  list("join-wan", "start_join_wan", "Server of another datacenter to join at start."),
  text("log-file", "log_file", "File to log to."),
  bool("log-json", "log_json", "Log as JSON."),
  text("log-level", "log_level", "trace, debug, info, warn or err."),
  int("log-rotate-bytes", "log_rotate_bytes", "Size at which a log file is changed for a new one."),
  text("log-rotate-duration", "log_rotate_duration", "Age at which it is."),
  int("log-rotate-max-files", "log_rotate_max_files", "How many old log files are kept."),
  text("max-query-time", "max_query_time", "How long a blocking query may wait."),
  text("node", "node_name", "Name of this node, unique in the cluster."),
  text("node-id", "node_id", "UUID of this node."),
  {
    ...flag(
      "node-meta",
      "node_meta",
      "pairs",
      "key:value about this node. May be given more than once.",
    ),
    separator: ":",
  },
  bool("non-voting-server", "non_voting_server", "Consul Enterprise only."),
  text("pid-file", "pid_file", "File to write the process ID to."),
  list("primary-gateway", "primary_gateways", "Mesh gateway of the primary datacenter."),
  int("protocol", "protocol", "Protocol version."),
  int("raft-protocol", "raft_protocol", "Raft protocol version."),
  list("recursor", "recursors", "DNS server for names outside the domain."),
  bool("rejoin", "rejoin_after_leave", "Join again although the agent had left."),
  text("retry-interval", "retry_interval", "Time between attempts to join."),
  text("retry-interval-wan", "retry_interval_wan", "The same, for other datacenters."),
  list("retry-join", "retry_join", "Agent to join, tried until it succeeds."),
  list("retry-join-wan", "retry_join_wan", "Server of another datacenter to join, likewise."),
  int("retry-max", "retry_max", "How many attempts to join; 0 for no limit."),
  int("retry-max-wan", "retry_max_wan", "The same, for other datacenters."),
  text("segment", "segment", "Consul Enterprise only."),
  list("serf-lan-allowed-cidrs", "serf_lan_allowed_cidrs", "Network that may gossip."),
  text("serf-lan-bind", "serf_lan", "Address for gossip."),
  int("serf-lan-port", "ports.serf_lan", "Port of gossip."),
  list(
    "serf-wan-allowed-cidrs",
    "serf_wan_allowed_cidrs",
    "Network that may gossip between datacenters.",
  ),
  text("serf-wan-bind", "serf_wan", "Address for gossip between datacenters."),
  int("serf-wan-port", "ports.serf_wan", "Port of gossip between datacenters."),
  bool("server", "server", "Be a server."),
  int("server-port", "ports.server", "Port of the servers' RPC."),
  bool("syslog", "enable_syslog", "Log to syslog too."),
  bool("ui", "ui", "Serve the web page."),
  text("ui-content-path", "ui_content_path", "Path of the web page."),
  text("ui-dir", "ui_dir", "Directory with a web page of your own."),
];
