/**
 * Configuration from all its sources, in Consul's order: defaults, development defaults, flags that are
 * lists, files as given, other flags, `-hcl` fragments. The agent starts from `loadConfig`, the `validate`
 * command from `validateConfig`, `services register FILE` from `loadDefinitions`.
 */
import { RollcallError, messageOf } from "../errors/index.ts";
import { goQuote, type CheckDefinition, type ServiceDefinition } from "../model/index.ts";
import type { Disk, Platform } from "../platform/index.ts";
import { agentFlags, CONFIG_PATHS } from "./agent-flags.ts";
import { manyErrors } from "./decode.ts";
import { checkDefinition, serviceDefinition, type Findings } from "./definitions.ts";
import { deriveConfig } from "./derive.ts";
import { parseFlags, type Flags } from "./flags.ts";
import type { LoadedConfig } from "./runtime.ts";
import { isPlainMap, mergeFragments, type Fragment, type Settings } from "./settings.ts";
import { parseFragment, readPaths, type Format } from "./sources.ts";
import { configProblem } from "./validations.ts";
import { plainMap, type Plain } from "./value.ts";
import { unusedKeyWarnings } from "./warnings.ts";

export type ConfigPlatform = Pick<Platform, "disk" | "network" | "host">;

export type LoadOptions = Readonly<{ platform: ConfigPlatform }> &
  /** `argv`: what follows `agent` on the command line. */
  (Readonly<{ argv: readonly string[] }> | Readonly<{ flags: Flags }>);

/** @throws {RollcallError} `config/invalid`; the message is Consul's, ready to follow `==> ` */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const flags = "flags" in options ? options.flags : parseFlags(agentFlags, options.argv);
  if (flags.rest.length > 0) {
    throw invalid(`Unexpected extra arguments: [${flags.rest.join(" ")}]`);
  }
  const devMode = flags.bool("dev") ?? false;
  const files = await readPaths(
    flags.list(CONFIG_PATHS),
    readFormat(flags.text("config-format")),
    options.platform.disk,
  );
  const { lists, scalars } = flagFragments(flags);
  const fragments = [
    lists,
    ...files.fragments,
    scalars,
    ...flags.list("hcl").map((text, i) => parseFragment(`flags-${i}.hcl`, text, "hcl")),
  ];
  const loaded = await settle({
    fragments,
    devMode,
    platform: options.platform,
    purpose: "start",
  });
  return { ...loaded, warnings: [...files.warnings, ...loaded.warnings] };
}

/**
 * What the `validate` command asks: could an agent use these files?
 * @returns warnings
 * @throws {RollcallError} `config/invalid`
 */
export async function validateConfig(
  paths: readonly string[],
  options: { readonly format?: string; readonly platform: ConfigPlatform },
): Promise<readonly string[]> {
  const { disk } = options.platform;
  const files = await readPaths(paths, readFormat(options.format), disk);
  const { warnings } = await settle({
    fragments: files.fragments,
    devMode: false,
    platform: options.platform,
    purpose: "validate",
  });
  return [...files.warnings, ...warnings];
}

/** The services and checks of some files, whatever else they say. */
export async function loadDefinitions(
  paths: readonly string[],
  disk: Disk,
): Promise<{ services: readonly ServiceDefinition[]; checks: readonly CheckDefinition[] }> {
  const settings = mergeFragments((await readPaths(paths, undefined, disk)).fragments);
  const findings: Findings = { errors: [], warnings: [] };
  const services = settings.list("services").filter(isPlainMap);
  const checks = settings.list("checks").filter(isPlainMap);
  const definitions = {
    services: services.map((block) => serviceDefinition(block, findings)),
    checks: checks.map((block) => checkDefinition(block, findings)),
  };
  if (findings.errors.length > 0) throw manyErrors(findings.errors);
  return definitions;
}

interface Sources {
  readonly fragments: readonly Fragment[];
  readonly devMode: boolean;
  readonly platform: ConfigPlatform;
  readonly purpose: "start" | "validate";
}

async function settle({ fragments, devMode, platform, purpose }: Sources): Promise<LoadedConfig> {
  const settings = mergeFragments([...(devMode ? [DEV_DEFAULTS] : []), ...fragments]);
  const { config, shown, warnings } = deriveConfig({ settings, devMode, platform });
  const problem =
    configProblem(config, settings, purpose) ?? (await dataDirProblem(settings, devMode, platform));
  if (problem !== undefined) throw invalid(problem);
  return {
    config,
    shown,
    warnings: [...warnings, ...unusedKeyWarnings(mergeFragments(fragments))],
  };
}

/** A missing directory is made at the start. */
async function dataDirProblem(
  settings: Settings,
  devMode: boolean,
  { disk }: ConfigPlatform,
): Promise<string | undefined> {
  const path = settings.text("data_dir");
  if (devMode || path === "") return undefined;
  try {
    await disk.list(path);
    return undefined;
  } catch (error) {
    const reason = messageOf(error);
    return reason.endsWith("not a directory")
      ? `data_dir ${goQuote(path)} is not a directory`
      : `Error getting info on data_dir: ${reason}`;
  }
}

const DEV_DEFAULTS: Fragment = {
  source: "dev",
  values: new Map<string, Plain>([
    ["bind_addr", "127.0.0.1"],
    ["server", true],
    ["ui", true],
    ["enable_debug", true],
    ["log_level", "DEBUG"],
    ["ports.grpc", 8502],
    ["performance.raft_multiplier", 1],
    ["disable_keyring_file", true],
    ...["gossip_lan", "gossip_wan"].flatMap((pool): [string, Plain][] => [
      [`${pool}.gossip_interval`, "100ms"],
      [`${pool}.probe_interval`, "100ms"],
      [`${pool}.probe_timeout`, "100ms"],
      [`${pool}.suspicion_mult`, 3],
    ]),
  ]),
};

/** Lists come before the files, so that their order is kept; the rest after, so that flags win. */
function flagFragments(flags: Flags): { lists: Fragment; scalars: Fragment } {
  const lists = new Map<string, Plain>();
  const scalars = new Map<string, Plain>();
  for (const { name, key, kind } of agentFlags) {
    const value = flags.get(name);
    if (key === undefined || value === undefined) continue;
    if (kind === "list") lists.set(key, flags.list(name));
    else if (kind === "pairs") scalars.set(key, plainMap(flags.pairs(name)));
    else scalars.set(key, value as Plain);
  }
  return {
    lists: { source: "flags", values: lists },
    scalars: { source: "flags", values: scalars },
  };
}

function readFormat(text: string | undefined): Format | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "hcl" || text === "json") return text;
  throw invalid("config: -config-format must be either 'hcl' or 'json'");
}

const invalid = (text: string): RollcallError => new RollcallError("config/invalid", text);
