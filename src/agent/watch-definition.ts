/** One entry of `watches` in a configuration file: what is watched, and what handles its changes. */
import { durationError, MILLISECOND, parseDuration } from "../model/index.ts";
import { RollcallError, messageOf } from "../errors/index.ts";
import { planWatch, type WatchParameter, type WatchPlan } from "../watch/index.ts";

export interface WatchDefinition {
  readonly type: string;
  readonly plan: WatchPlan;
  /** Empty: the agent's own. */
  readonly token: string;
  readonly handler: WatchHandler;
}
export type WatchHandler =
  | Readonly<{ kind: "program"; argv: readonly [string, ...string[]] }>
  /** For a shell. */
  | Readonly<{ kind: "script"; text: string }>
  | Readonly<{ kind: "http"; request: HookRequest }>;
export interface HookRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly timeoutMs: number;
  readonly skipVerify: boolean;
}

const TIMEOUT_DEFAULT_MS = 10_000;
/** What every watch may have, beside the parameters of its type. */
const COMMON = new Set([
  "type",
  "datacenter",
  "token",
  "stale",
  "handler",
  "handler_type",
  "http_handler_config",
  "args",
]);

type Written = Readonly<Record<string, unknown>>;
const invalid = (text: string): RollcallError => new RollcallError("config/invalid", text);

/** @throws {RollcallError} `config/invalid`, in Consul's words */
export function watchDefinition(written: Written): WatchDefinition {
  const handlerType = textIn(written, "handler_type") || "script";
  if (handlerType !== "script" && handlerType !== "http") {
    throw invalid(`Handler type '${handlerType}' not recognized`);
  }
  const { handler, args } = written;
  if (handlerType === "script") {
    if (handler !== undefined && args !== undefined)
      throw invalid("Only one watch handler allowed");
    if (handler === undefined && args === undefined) throw invalid("Must define a watch handler");
  }
  try {
    const type = textIn(written, "type");
    if (type === "") throw invalid("Watch type must be specified");
    const hook = handlerType === "http" ? hookOf(written["http_handler_config"]) : undefined;
    return {
      type,
      plan: withCommon(planWatch(type, parametersOf(written)), written),
      token: textIn(written, "token"),
      handler: hook ?? scriptOf(written),
    };
  } catch (error) {
    throw invalid(`Failed to parse watch (${JSON.stringify(written)}): ${messageOf(error)}`);
  }
}

/** `handler` has been replaced with `args`. */
export const usesOldHandler = (written: Written): boolean => written["handler"] !== undefined;

function withCommon(plan: WatchPlan, written: Written): WatchPlan {
  const datacenter = textIn(written, "datacenter");
  return {
    ...plan,
    query: [
      ...plan.query,
      ...(datacenter === "" ? [] : ([["dc", datacenter]] as const)),
      ...(written["stale"] === true ? ([["stale", ""]] as const) : []),
    ],
  };
}

function parametersOf(written: Written): ReadonlyMap<WatchParameter, readonly string[]> {
  const entries = Object.keys(written)
    .filter((name) => !COMMON.has(name))
    .map((name) => [name as WatchParameter, textsIn(written, name)] as const);
  return new Map(entries);
}

function scriptOf(written: Written): WatchHandler {
  if (written["args"] === undefined) return { kind: "script", text: textIn(written, "handler") };
  const [program, ...rest] = textsIn(written, "args");
  if (program === undefined) throw invalid("Handler args must not be empty");
  return { kind: "program", argv: [program, ...rest] };
}

function hookOf(config: unknown): WatchHandler {
  if (typeof config !== "object" || config === null) {
    throw invalid("Handler type 'http' requires 'http_handler_config' to be set");
  }
  const written = config as Written;
  const fault = (text: string): RollcallError =>
    invalid(`Failed to parse 'http_handler_config': ${text}`);
  const path = textIn(written, "path");
  if (path === "") throw fault("Requires 'path' to be set");
  const timeout = textIn(written, "timeout");
  const timeoutNs = timeout === "" ? 0 : parseDuration(timeout);
  if (timeoutNs === undefined) throw fault(`Failed to parse timeout: ${durationError(timeout)}`);
  const url = URL.canParse(path) ? new URL(path) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw fault(`'path' is not the URL of a server: ${path}`);
  }
  const headers = Object.entries((written["header"] ?? {}) as Written).map(([name, values]) => [
    name,
    asTexts(values, "header"),
  ]);
  const request = {
    url,
    method: textIn(written, "method") || "POST",
    headers: Object.fromEntries(headers) as Record<string, readonly string[]>,
    timeoutMs: timeoutNs > 0 ? timeoutNs / MILLISECOND : TIMEOUT_DEFAULT_MS,
    skipVerify: written["tls_skip_verify"] === true,
  };
  return { kind: "http", request };
}

function textIn(written: Written, name: string): string {
  const value = written[name] ?? "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  throw invalid(`Expecting ${name} to be a string`);
}

/** A single text stands for a list of one. */
const textsIn = (written: Written, name: string): readonly string[] => asTexts(written[name], name);

function asTexts(value: unknown, name: string): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "boolean") return [String(value)];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw invalid(`Expecting ${name} to be a string or a list of strings`);
}
