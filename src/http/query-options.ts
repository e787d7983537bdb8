/**
 * The parameters that reads have in common, and the texts that Consul refuses them with. The order of the checks is
 * Consul's: a request with several faults gets the text of the first.
 */
import { RollcallError } from "../errors/index.ts";
import { MILLISECOND, goQuote, parseDuration, parseUint } from "../model/index.ts";
import type { QueryOptions } from "../rpc/index.ts";
import { cacheControlOf } from "./cache-control.ts";
import type { Call } from "./call.ts";
import type { Parameters } from "./route.ts";

export const TOKEN_PARAMETERS: Parameters = {
  token: {
    description: "ACL token; so are the headers X-Consul-Token and Authorization: Bearer",
    type: "text",
  },
  pretty: { description: "Indent the JSON by 4 spaces", type: "flag" },
};
export const DC_PARAMETERS: Parameters = {
  dc: { description: "Datacenter to ask; the agent's own where not given", type: "text" },
  ...TOKEN_PARAMETERS,
};
const CONSISTENCY_PARAMETERS: Parameters = {
  stale: { description: "Any server may answer, however old its data", type: "flag" },
  consistent: {
    description: "The leader first makes sure with a quorum that it still leads",
    type: "flag",
  },
  leader: { description: "The default mode, whatever discovery_max_stale says", type: "flag" },
  max_stale: {
    description: "As stale, but asks the leader when the answer is older than this",
    type: "duration",
  },
};
export const READ_PARAMETERS: Parameters = {
  ...DC_PARAMETERS,
  ...CONSISTENCY_PARAMETERS,
  index: { description: "Hold the answer until its index is greater than this", type: "integer" },
  wait: { description: "Longest hold, e.g. 10s or 5m", type: "duration" },
};
export const FILTER_PARAMETERS: Parameters = {
  filter: { description: "Expression that the listed objects must match", type: "text" },
};
export const NODE_META_PARAMETERS: Parameters = {
  "node-meta": {
    description: "key:value that a node's metadata must hold; may be given more than once",
    type: "text",
    repeatable: true,
  },
};
export const NEAR_PARAMETERS: Parameters = {
  near: {
    description: "Node to sort by estimated round-trip time from, nearest first; _agent: this one",
    type: "text",
  },
};
export const CACHED_PARAMETERS: Parameters = {
  cached: { description: "An answer that the agent keeps fresh will do", type: "flag" },
};
export const DATACENTERS_PARAMETERS: Parameters = {
  ...TOKEN_PARAMETERS,
  ...CONSISTENCY_PARAMETERS,
};

/** @throws {RollcallError} `request/bad` with Consul's text */
export function queryOptions(call: Call): QueryOptions {
  const { query } = call;
  if (query.isEmpty && call.headers["cache-control"] === undefined) return plainOptions(call);
  const consistency = consistencyOf(call);
  // What the cache would refuse is refused, also where there is none.
  cacheControlOf(call);
  return {
    Datacenter: query.get("dc"),
    Token: tokenOf(call),
    ...blockingOf(call),
    ...consistency,
    Filter: query.get("filter"),
  };
}

function plainOptions(call: Call): QueryOptions {
  const staleByDefault = discoveryMaxStaleMs(call);
  return {
    Datacenter: "",
    Token: tokenOf(call),
    MinQueryIndex: 0,
    MaxQueryTimeMs: 0,
    Consistency: staleByDefault === undefined ? "default" : "stale",
    MaxStaleMs: staleByDefault,
    Filter: "",
  };
}

/** Discovery reads may be stale by configuration; KV and sessions never are unless asked. */
function discoveryMaxStaleMs({ config, path }: Call): number | undefined {
  const { discoveryMaxStaleMs: maxMs } = config;
  const isDiscovery = path.startsWith("/v1/catalog") || path.startsWith("/v1/health");
  return maxMs > 0 && isDiscovery ? maxMs : undefined;
}

/** @throws {RollcallError} `request/bad` */
export function consistencyOf(call: Call): Pick<QueryOptions, "Consistency" | "MaxStaleMs"> {
  const { query } = call;
  const consistent = query.has("consistent");
  const cached = call.wantsCached;
  let stale = query.has("stale");
  let maxStaleMs: number | undefined;
  const maxStale = query.get("max_stale");
  if (maxStale !== "") {
    const duration = parseDuration(maxStale);
    if (duration === undefined) throw bad(`Invalid max_stale value ${goQuote(maxStale)}`);
    if (duration > 0) {
      stale = true;
      maxStaleMs = duration / MILLISECOND;
    }
  }
  if (!stale && !consistent && !cached && !query.has("leader")) {
    maxStaleMs = discoveryMaxStaleMs(call);
    stale = maxStaleMs !== undefined;
  }
  for (const [given, name] of [
    [stale, "stale"],
    [cached, "cached"],
  ] as const) {
    if (given && consistent) {
      throw bad(`Cannot specify ?${name} with ?consistent, conflicting semantics.`);
    }
  }
  const Consistency = stale ? "stale" : consistent ? "consistent" : "default";
  return { Consistency, MaxStaleMs: maxStaleMs };
}

/** @throws {RollcallError} `request/bad` */
export function blockingOf({
  query,
}: Call): Pick<QueryOptions, "MinQueryIndex" | "MaxQueryTimeMs"> {
  let maxQueryTimeMs = 0;
  const wait = query.get("wait");
  if (wait !== "") {
    const duration = parseDuration(wait);
    if (duration === undefined) throw bad("Invalid wait time");
    // Less than a millisecond is not the same as none, which stands for the default.
    maxQueryTimeMs = duration <= 0 ? 0 : Math.ceil(duration / MILLISECOND);
  }
  let minQueryIndex = 0;
  const index = query.get("index");
  if (index !== "") {
    const { value } = parseUint(index);
    if (value === undefined) throw bad("Invalid index");
    // No index of ours ever gets there, so what it waits for is the same.
    const max = BigInt(Number.MAX_SAFE_INTEGER);
    minQueryIndex = Number(value > max ? max : value);
  }
  return { MinQueryIndex: minQueryIndex, MaxQueryTimeMs: maxQueryTimeMs };
}

/** `?token=`, X-Consul-Token, Authorization: Bearer, in this order; empty for none. */
export function tokenOf(call: Call): string {
  const fromQuery = call.query.get("token");
  if (fromQuery !== "") return fromQuery;
  const fromHeader = call.header("x-consul-token");
  if (fromHeader !== "") return fromHeader;
  const authorization = call.header("authorization");
  if (authorization === "") return "";
  const [scheme = "", token = ""] = authorization.trim().split(/\s+/);
  return scheme.toLowerCase() === "bearer" ? token : "";
}

/** Namespaces are not part of the community edition; most endpoints say so. */
export function refuseNamespace(call: Call): void {
  const fault =
    call.header("x-consul-namespace") !== ""
      ? 'header: "X-Consul-Namespace"'
      : call.query.get("ns") !== ""
        ? 'query parameter: "ns"'
        : undefined;
  if (fault === undefined) return;
  throw bad(`Bad request: Invalid ${fault} - Namespaces are a Consul Enterprise feature`);
}

/** `?node-meta=key:value`, all of them. */
export function nodeMetaFilters({ query }: Call): Readonly<Record<string, string>> {
  const filters = Object.create(null) as Record<string, string>;
  for (const pair of query.all("node-meta")) {
    const colon = pair.indexOf(":");
    filters[colon === -1 ? pair : pair.slice(0, colon)] = colon === -1 ? "" : pair.slice(colon + 1);
  }
  return filters;
}

/** `?near=`, for reads that list what is on nodes. */
export function nearOf({ query, config }: Call): Pick<QueryOptions, "Near"> {
  const near = query.get("near");
  return near === "" ? NOWHERE : { Near: near === "_agent" ? config.nodeName : near };
}
const NOWHERE: Pick<QueryOptions, "Near"> = {};

/** What follows the prefix, which must not be empty. */
export function requiredTail({ tail }: Call, missing: string): string {
  if (tail === "") throw bad(missing);
  return tail;
}

export function bad(text: string): RollcallError {
  return new RollcallError("request/bad", text);
}
