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
  if (!call.wantsCached) return NONE;
  return call.cachedQuestions.ask(questionOf(method, args)) ? HIT : MISS;
}

/** What is asked, by which answers are kept. */
export function questionOf(
  method: string,
  args: QueryOptions & { readonly Status?: string },
): string {
  // How long to wait and from which server is no part of what is cached; the passing ones are picked out of it.
  const {
    MinQueryIndex: _index,
    MaxQueryTimeMs: _wait,
    Consistency: _consistency,
    MaxStaleMs: _maxStale,
    Status: _status,
    ...question
  } = args;
  return `${method} ${JSON.stringify(question)}`;
}
