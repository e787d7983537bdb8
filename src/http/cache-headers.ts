/** `X-Cache` and `Age`, the headers of answers to `?cached` (cached-questions.ts). */
import type { QueryOptions } from "../rpc/index.ts";
import type { Call } from "./call.ts";

const NONE: readonly string[] = [];
const MISS: readonly string[] = ["X-Cache", "MISS"];
const HIT: readonly string[] = ["X-Cache", "HIT", "Age", "0"];

/** Of a read that can be had cached; none where `?cached` was not asked for. */
export function cacheHeaders(
  call: Call,
  method: string,
  args: QueryOptions & { readonly Status?: string },
): readonly string[] {
  if (!call.query.has("cached")) return NONE;
  // How long to wait and from which server is no part of what is cached; the passing ones are picked out of it.
  const {
    MinQueryIndex: _index,
    MaxQueryTimeMs: _wait,
    Consistency: _consistency,
    MaxStaleMs: _maxStale,
    Status: _status,
    ...question
  } = args;
  return call.cachedQuestions.ask(`${method} ${JSON.stringify(question)}`) ? HIT : MISS;
}

const FORCES_FETCH = /(?:^|[,\s])(?:must-revalidate|max-age=0)(?:$|[,\s])/i;

/** Whether what a cache keeps without refreshing it must be fetched anew. */
export const forcesFetch = (call: Call): boolean => FORCES_FETCH.test(call.header("cache-control"));

/** Of the list of datacenters, which Consul keeps without a query that refreshes it: it can be told to fetch anew. */
export function datacentersCacheHeaders(call: Call): readonly string[] {
  if (!call.query.has("cached")) return NONE;
  const known = call.cachedQuestions.ask("Catalog.ListDatacenters");
  return known && !forcesFetch(call) ? HIT : MISS;
}
