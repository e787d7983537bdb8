/**
 * Merged settings to the configuration that the agent runs with: rows that land are copied, the rest is made
 * here, and everything that is not used is said.
 */
import { goQuote, SECOND, type CheckDefinition, type ServiceDefinition } from "../model/index.ts";
import type { Platform } from "../platform/index.ts";
import { deriveAddresses, recursorsOf } from "./addresses.ts";
import { manyErrors } from "./decode.ts";
import { checkDefinition, serviceDefinition, type Findings } from "./definitions.ts";
import { readDuration, toMs } from "./durations.ts";
import { KEYS } from "./keys.ts";
import type { KeyRow, RuntimePath } from "./key-row.ts";
import type { LoadedConfig, RuntimeConfig } from "./runtime.ts";
import { isPlainMap, type Settings } from "./settings.ts";
import { shownSettings } from "./shown-settings.ts";

export interface DeriveInput {
  readonly settings: Settings;
  readonly devMode: boolean;
  readonly platform: Pick<Platform, "network" | "host">;
}

/** @throws {RollcallError} `config/invalid`, with all mistakes that can be told together */
export function deriveConfig({ settings, devMode, platform }: DeriveInput): LoadedConfig {
  const findings: Findings = { errors: [], warnings: [] };
  const interfaces = platform.network.interfaces();
  const { pools, ...addresses } = deriveAddresses(settings, interfaces, findings.errors);
  const derived: Derived = {
    devMode,
    ...identity(settings, platform.host.hostname, findings),
    ...bootstrapping(settings, findings),
    ...leaving(settings),
    ...scripts(settings, findings),
    logLevel: logLevel(settings.text("log_level")),
    ui: settings.flag("ui_config.enabled", settings.flag("ui")),
    ...addresses,
    services: services(settings, findings),
    checks: checks(settings, findings),
  };
  const landed = landedSettings(settings, findings.errors);
  putAt(landed, "dns.recursion.recursors", recursorsOf(settings, interfaces, findings.errors));
  for (const [pool, known] of Object.entries(pools)) {
    for (const [field, value] of Object.entries(known)) {
      putAt(landed, `gossip.${pool}.${field}` as RuntimePath, value);
    }
  }
  filterRules(settings, findings);
  if (findings.errors.length > 0) throw manyErrors(findings.errors);
  return {
    config: { ...landed, ...derived } as RuntimeConfig,
    shown: shownSettings(settings),
    warnings: findings.warnings,
  };
}

type Derived = Pick<
  RuntimeConfig,
  | "devMode"
  | "server"
  | "bootstrap"
  | "bootstrapExpect"
  | "datacenter"
  | "primaryDatacenter"
  | "nodeName"
  | "leaveOnTerminate"
  | "skipLeaveOnInterrupt"
  | "enableLocalScriptChecks"
  | "enableRemoteScriptChecks"
  | "logLevel"
  | "ui"
  | "bindAddr"
  | "advertiseAddr"
  | "advertiseAddrWan"
  | "taggedAddresses"
  | "clientAddrs"
  | "httpAddrs"
  | "dnsAddrs"
  | "services"
  | "checks"
>;

function identity(
  settings: Settings,
  hostname: string,
  { warnings }: Findings,
): Pick<RuntimeConfig, "datacenter" | "primaryDatacenter" | "nodeName"> {
  const datacenter = settings.text("datacenter").toLowerCase();
  const formerly = settings.text("acl_datacenter").toLowerCase();
  if (formerly !== "") {
    warnings.push(
      "The 'acl_datacenter' field is deprecated. Use the 'primary_datacenter' field instead.",
    );
  }
  if (settings.has("acl_enforce_version_8")) {
    warnings.push('config key "acl_enforce_version_8" is deprecated and should be removed');
  }
  const nodeName = settings.text("node_name") || hostname;
  const unfit = `Node name ${goQuote(nodeName)} will not be discoverable via DNS due to`;
  if (!/^[A-Za-z0-9-]+$/.test(nodeName)) {
    warnings.push(
      `${unfit} invalid characters. Valid characters include all alpha-numerics and dashes.`,
    );
  } else if (nodeName.length > 63) {
    warnings.push(`${unfit} it being too long. Valid lengths are between 1 and 63 bytes.`);
  }
  const primary = settings.text("primary_datacenter").toLowerCase();
  return { datacenter, primaryDatacenter: primary || formerly || datacenter, nodeName };
}

const DEPLOYMENT_TABLE = "See https://www.consul.io/docs/internals/consensus.html#deployment-table";

function bootstrapping(
  settings: Settings,
  { warnings }: Findings,
): Pick<RuntimeConfig, "server" | "bootstrap" | "bootstrapExpect"> {
  const server = settings.flag("server");
  const expect = settings.number("bootstrap_expect");
  const alone = settings.flag("bootstrap");
  if (expect === 1 && server && !alone) {
    warnings.push(
      "BootstrapExpect is set to 1; this is the same as Bootstrap mode.",
      "bootstrap = true: do not enable unless necessary",
    );
    return { server, bootstrap: true, bootstrapExpect: 0 };
  }
  if (expect === 2) {
    warnings.push(
      `bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance. ${DEPLOYMENT_TABLE}`,
    );
  } else if (expect > 2 && expect % 2 === 0) {
    warnings.push(
      `bootstrap_expect is even number: A cluster with an even number of servers does not achieve optimum fault tolerance. ${DEPLOYMENT_TABLE}`,
    );
  }
  if (expect > 1) warnings.push(`bootstrap_expect > 0: expecting ${expect} servers`);
  if (alone) warnings.push("bootstrap = true: do not enable unless necessary");
  return { server, bootstrap: alone, bootstrapExpect: expect };
}

/** A client that is stopped leaves for good only on SIGINT, a server only when told to. */
function leaving(
  settings: Settings,
): Pick<RuntimeConfig, "leaveOnTerminate" | "skipLeaveOnInterrupt"> {
  const server = settings.flag("server");
  return {
    leaveOnTerminate: settings.flag("leave_on_terminate", !server),
    skipLeaveOnInterrupt: settings.flag("skip_leave_on_interrupt", server),
  };
}

function scripts(
  settings: Settings,
  { warnings }: Findings,
): Pick<RuntimeConfig, "enableLocalScriptChecks" | "enableRemoteScriptChecks"> {
  const remote = settings.flag("enable_script_checks");
  if (remote && settings.list("http_config.allow_write_http_from").length === 0) {
    warnings.push(
      "using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, use enable-local-script-checks instead, see https://www.hashicorp.com/blog/protecting-consul-from-rce-risk-in-specific-configurations/",
    );
  }
  return {
    enableRemoteScriptChecks: remote,
    enableLocalScriptChecks: settings.flag("enable_local_script_checks", remote),
  };
}

const LOG_LEVELS: Readonly<Record<string, RuntimeConfig["logLevel"]>> = {
  TRACE: "TRACE",
  DEBUG: "DEBUG",
  INFO: "INFO",
  WARN: "WARN",
  ERR: "ERR",
  ERROR: "ERR",
};

/** @returns undefined for a name that is none */
export function readLogLevel(name: string): RuntimeConfig["logLevel"] | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(LOG_LEVELS, upper) ? LOG_LEVELS[upper] : undefined;
}

/** A bad name is refused when the agent starts (start-checks.ts), not when a file is validated. */
const logLevel = (name: string): RuntimeConfig["logLevel"] => readLogLevel(name) ?? "INFO";

function services(settings: Settings, findings: Findings): ServiceDefinition[] {
  return settings
    .list("services")
    .filter(isPlainMap)
    .map((block) => serviceDefinition(block, findings));
}

function checks(settings: Settings, findings: Findings): CheckDefinition[] {
  return settings
    .list("checks")
    .filter(isPlainMap)
    .map((block) => checkDefinition(block, findings));
}

function filterRules(settings: Settings, { warnings }: Findings): void {
  for (const rule of settings.texts("telemetry.prefix_filter")) {
    if (rule === "") warnings.push("Cannot have empty filter rule in prefix_filter");
    else if (!/^[+-]/.test(rule)) {
      warnings.push(`Filter rule must begin with either '+' or '-': ${goQuote(rule)}`);
    }
  }
}

/** Every row's value is checked; those that land are put in their place. */
function landedSettings(settings: Settings, errors: string[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const row of KEYS) {
    const into = row.effect.kind === "lands" ? row.effect.into : undefined;
    const value = converted(row, into, settings, errors);
    if (into !== undefined) putAt(result, into, value);
  }
  return result;
}

const PORT_MAX = 65535;

function converted(
  row: KeyRow,
  into: RuntimePath | undefined,
  settings: Settings,
  errors: string[],
): unknown {
  const { key, type } = row;
  switch (type) {
    case "port": {
      const port = settings.number(key);
      if (port > PORT_MAX) errors.push(`${key}: invalid port: ${port}`);
      return port <= 0 ? -1 : port;
    }
    case "duration":
      return inUnit(readDuration(settings.text(key), key, errors), into);
    case "durations": {
      const result = Object.create(null) as Record<string, number>;
      for (const [name, text] of Object.entries(settings.textMap(key))) {
        const label = `${key}[${goQuote(name)}]`;
        result[name] = inUnit(readDuration(text, label, errors), into);
      }
      return result;
    }
    case "map":
      return settings.textMap(key);
    case "text":
    case "flag":
    case "int":
    case "uint":
    case "uint32":
    case "uint64":
    case "float":
    case "texts":
    case "anything":
    case "anythings":
    case "check":
    case "checks":
    case "service":
    case "services":
      return settings.get(key);
  }
}

const inUnit = (nanoseconds: number, into: RuntimePath | undefined): number =>
  into?.endsWith("Ms") === true ? toMs(nanoseconds) : nanoseconds / SECOND;

function putAt(target: Record<string, unknown>, path: RuntimePath, value: unknown): void {
  const [first = "", ...below] = path.split(".");
  let at = target;
  let name = first;
  for (const part of below) {
    at[name] ??= {};
    at = at[name] as Record<string, unknown>;
    name = part;
  }
  at[name] = value;
}
