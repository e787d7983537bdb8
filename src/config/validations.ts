/**
 * What a configuration as a whole may not say, in Consul's words. A row answers with its complaint or with
 * undefined; the first complaint is the one reported.
 */
import { errorList } from "../errors/index.ts";
import { goQuote, uuidFault, validateMetadata } from "../model/index.ts";
import { isSocket } from "./addresses.ts";
import { cipherProblem } from "./cipher-suites.ts";
import { readLogLevel } from "./derive.ts";
import { isAnyAddress, isCidr } from "./ip.ts";
import type { RuntimeConfig } from "./runtime.ts";
import type { Settings } from "./settings.ts";

type Rule = (config: RuntimeConfig, settings: Settings) => string | undefined;

const DATACENTER = /^[a-z0-9_-]+$/;
const RAFT_MULTIPLIER_MAX = 10;
const nonNegative =
  (key: string): Rule =>
  (_, settings) =>
    settings.number(key) < 0
      ? `${key} cannot be ${settings.number(key)}. Must be greater than or equal to zero`
      : undefined;
const positive =
  (key: string): Rule =>
  (_, settings) =>
    settings.has(key) && settings.number(key) <= 0
      ? `${key} must be strictly positive, was: ${settings.number(key)}`
      : undefined;
const ordered =
  (what: string): Rule =>
  (_, settings) =>
    settings.number(`ports.${what}_min_port`) > settings.number(`ports.${what}_max_port`)
      ? `${what}_min_port must be less than ${what}_max_port. To disable, set both to zero.`
      : undefined;
const networks =
  (key: string): Rule =>
  (_, settings) => {
    const bad = settings.texts(key).filter((cidr) => !isCidr(cidr));
    if (bad.length === 0) return undefined;
    return `${key}: ${errorList(bad.map((cidr) => `invalid cidr: ${cidr}`))}`;
  };

/** Rules of `validate` and of the start alike. */
const RULES: readonly Rule[] = [
  ordered("proxy"),
  ordered("sidecar"),
  ordered("expose"),
  networks("serf_lan_allowed_cidrs"),
  networks("serf_wan_allowed_cidrs"),
  ({ http }) => {
    const bad = http.allowWriteHttpFrom.find((cidr) => !isCidr(cidr));
    if (bad === undefined) return undefined;
    return errorList([`allow_write_http_from: invalid cidr: ${bad}`]);
  },
  (_, settings) => cipherProblem(settings.text("tls_cipher_suites")),
  positive("cache.entry_fetch_rate"),
  positive("cache.entry_fetch_max_burst"),
  (_, settings) => {
    const provider = settings.text("connect.ca_provider");
    const known = ["", "consul", "vault", "aws-pca"].includes(provider);
    return known ? undefined : `${provider} is not a valid CA provider`;
  },
  (_, settings) => {
    const path = `/${settings.text("ui_content_path").replaceAll(/^\/+|\/+$/g, "")}/`;
    if (!/^[A-Za-z0-9/_-]+$/.test(path)) {
      return `ui-content-path can only contain alphanumeric, -, _, or /. received: ${path}`;
    }
    if (!/^\/v\d+\/$/.test(path)) return undefined;
    return `ui-content-path cannot have 'v[0-9]'. received: ${path}`;
  },
  ({ datacenter }) => {
    if (datacenter === "") return "datacenter cannot be empty";
    if (DATACENTER.test(datacenter)) return undefined;
    return `datacenter cannot be ${goQuote(datacenter)}. Please use only [a-z0-9-_]`;
  },
  ({ dataDir, devMode }) => (dataDir === "" && !devMode ? "data_dir cannot be empty" : undefined),
  ({ primaryDatacenter }) =>
    DATACENTER.test(primaryDatacenter)
      ? undefined
      : `acl_datacenter cannot be ${goQuote(primaryDatacenter)}. Please use only [a-z0-9-_]`,
  ({ ui }, settings) =>
    ui && settings.text("ui_dir") !== ""
      ? "Both the ui and ui-dir flags were specified, please provide only one.\nIf trying to use your own web UI resources, use the ui-dir flag.\nThe web UI is included in the binary so use ui to enable it"
      : undefined,
  nonNegative("dns_config.udp_answer_limit"),
  nonNegative("dns_config.a_record_limit"),
  ({ dnsAltDomain, datacenter }) => {
    const reserved = ["service", "connect", "node", "query", "addr", datacenter];
    const taken = reserved.some((name) => dnsAltDomain.startsWith(`${name}.`));
    return taken ? `alt_domain cannot start with {${reserved.join(",")}}` : undefined;
  },
  (_, settings) => {
    const multiplier = settings.number("performance.raft_multiplier");
    if (multiplier >= 1 && multiplier <= RAFT_MULTIPLIER_MAX) return undefined;
    return `performance.raft_multiplier cannot be ${multiplier}. Must be between 1 and ${RAFT_MULTIPLIER_MAX}`;
  },
  nonNegative("autopilot.max_trailing_logs"),
  ({ advertiseAddr }) =>
    isAnyAddress(advertiseAddr) ? "Advertise address cannot be 0.0.0.0, :: or [::]" : undefined,
  ({ advertiseAddrWan }) =>
    isAnyAddress(advertiseAddrWan)
      ? "Advertise WAN address cannot be 0.0.0.0, :: or [::]"
      : undefined,
  (_, settings) =>
    settings.text("segment") !== "" || settings.list("segments").length > 0
      ? "Network segments are not supported in this version of Consul"
      : undefined,
  ({ dnsAddrs }) => (dnsAddrs.some(isSocket) ? "DNS address cannot be a unix socket" : undefined),
  ({ dns }) => {
    const recursors = dns.recursion?.recursors ?? [];
    const socket = recursors.find(isSocket);
    if (socket !== undefined) return `DNS Recursors cannot be unix sockets: ${socket}`;
    if (!recursors.some(isAnyAddress)) return undefined;
    return "DNS recursor address cannot be 0.0.0.0, :: or [::]";
  },
  ({ bootstrap, server }, settings) =>
    bootstrap && !server && settings.flag("bootstrap")
      ? "'bootstrap = true' requires 'server = true'"
      : undefined,
  ({ server, devMode, bootstrap }, settings) => {
    const expect = settings.number("bootstrap_expect");
    if (expect < 0) {
      return `bootstrap_expect cannot be ${expect}. Must be greater than or equal to zero`;
    }
    if (expect === 0) return undefined;
    if (!server) return "'bootstrap_expect > 0' requires 'server = true'";
    if (devMode) return "'bootstrap_expect > 0' not allowed in dev mode";
    if (!settings.flag("bootstrap") || !bootstrap) return undefined;
    return "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive";
  },
  ({ checkOutputMaxSizeBytes }) =>
    checkOutputMaxSizeBytes < 1
      ? "check_output_max_size must be positive, to discard check output use the discard_check_output flag"
      : undefined,
  ({ server }, settings) =>
    server && settings.flag("auto_encrypt.tls")
      ? "auto_encrypt.tls can only be used on a client."
      : undefined,
  ({ server }, settings) =>
    !server && settings.flag("auto_encrypt.allow_tls")
      ? "auto_encrypt.allow_tls can only be used on a server."
      : undefined,
  ({ nodeMeta }) =>
    prefixed("node_meta invalid: ", validateMetadata(nodeMeta, { allowConsulPrefix: false })),
  (_, settings) => prefixed("encrypt has invalid key: ", base64Problem(settings.text("encrypt"))),
  addressTwice,
];

/** Rules that only a start applies; `validate` lets these pass, as Consul's does. */
const START_RULES: readonly Rule[] = [
  (_, settings) => {
    const name = settings.text("log_level");
    if (readLogLevel(name) !== undefined) return undefined;
    return `Invalid log level: ${name}. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]`;
  },
  ({ nodeId }) => {
    if (nodeId === "") return undefined;
    return prefixed("failed to setup node ID: specified NodeID is invalid: ", uuidFault(nodeId));
  },
];

/** @returns the first complaint, or undefined */
export function configProblem(
  config: RuntimeConfig,
  settings: Settings,
  purpose: "start" | "validate",
): string | undefined {
  const rules = purpose === "start" ? [...RULES, ...START_RULES] : RULES;
  for (const rule of rules) {
    const complaint = rule(config, settings);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

const prefixed = (prefix: string, text: string | undefined): string | undefined =>
  text === undefined ? undefined : `${prefix}${text}`;

/** As Go's decoder counts: at the first character that cannot be, or where the last group starts. */
function base64Problem(text: string): string | undefined {
  const body = text.replace(/={1,2}$/, "");
  const stray = body.search(/[^A-Za-z0-9+/]/);
  const at = stray >= 0 ? stray : Math.floor(text.length / 4) * 4;
  const wrong = stray >= 0 || text.length % 4 !== 0;
  return wrong ? `illegal base64 data at input byte ${at}` : undefined;
}

/** Two listeners, or a listener and an advertised address, that would be one and the same. */
function addressTwice(config: RuntimeConfig): string | undefined {
  const { ports, advertiseAddr, advertiseAddrWan, server } = config;
  const taken = new Map<string, string>();
  const wanted: readonly (readonly [string, readonly string[], number])[] = [
    ["DNS", config.dnsAddrs, ports.dns],
    ["HTTP", config.httpAddrs, ports.http],
    ["HTTPS", config.clientAddrs, ports.https],
    ["RPC Advertise", server ? [advertiseAddr] : [], ports.server],
    ["Serf Advertise LAN", [advertiseAddr], ports.serfLan],
    ["Serf Advertise WAN", server ? [advertiseAddrWan] : [], ports.serfWan],
  ];
  for (const [name, hosts, port] of wanted) {
    for (const host of hosts) {
      if (port <= 0 && !isSocket(host)) continue;
      const address = isSocket(host) ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`;
      const owner = taken.get(address);
      if (owner !== undefined) return `${name} address ${address} already configured for ${owner}`;
      taken.set(address, name);
    }
  }
  return undefined;
}
