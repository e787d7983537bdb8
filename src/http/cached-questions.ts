/**
 * `?cached`, and the headers `X-Cache` and `Age` of its answers.
 *
 * Consul's agent keeps an answer that was asked for with `?cached`, and a blocking query of its own keeps it fresh.
 * Here the store does that for every answer, so that a cached one is never old; what is left to know is which
 * questions this agent has been asked before.
 */
import type { Clock, Instant } from "../platform/index.ts";
import type { QueryOptions } from "../rpc/index.ts";
import type { Call } from "./call.ts";

/** Questions beyond this many push out the one that was not asked for longest. */
const MAX_QUESTIONS = 8192;
/** As Consul: a question that nobody asked for so long is new again. */
const IDLE_MAX_MS = 3 * 24 * 3600 * 1000;

const MISS: readonly string[] = ["X-Cache", "MISS"];
const HIT: readonly string[] = ["X-Cache", "HIT", "Age", "0"];

export class CachedQuestions {
  readonly #clock: Clock;
  /** When each was last asked; in this order. */
  readonly #askedAt = new Map<string, Instant>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns headers to answer `question` with, which is known from now on */
  ask(question: string): readonly string[] {
    const now = this.#clock.now();
    const before = this.#askedAt.get(question);
    this.#askedAt.delete(question);
    this.#askedAt.set(question, now);
    if (this.#askedAt.size > MAX_QUESTIONS) this.#forgetOldest();
    return before !== undefined && now - before < IDLE_MAX_MS ? HIT : MISS;
  }

  #forgetOldest(): void {
    for (const question of this.#askedAt.keys()) {
      this.#askedAt.delete(question);
      return;
    }
  }
}

/** Of a read that can be had cached; none where `?cached` was not asked for. */
export function cacheHeaders(
  call: Call,
  method: string,
  args: QueryOptions & { readonly Status?: string },
): readonly string[] {
  if (!call.query.has("cached")) return [];
  // How long to wait and from which server is no part of what is cached; the passing ones are picked out of it.
  const {
    MinQueryIndex: _index,
    MaxQueryTimeMs: _wait,
    Consistency: _consistency,
    MaxStaleMs: _maxStale,
    Status: _status,
    ...question
  } = args;
  return call.cachedQuestions.ask(`${method} ${JSON.stringify(question)}`);
}

const FORCES_FETCH = /(?:^|[,\s])(?:must-revalidate|max-age=0)(?:$|[,\s])/i;

/** Of the list of datacenters, which Consul keeps without a query that refreshes it: it can be told to fetch anew. */
export function datacentersCacheHeaders(call: Call): readonly string[] {
  if (!call.query.has("cached")) return [];
  const known = call.cachedQuestions.ask("Catalog.ListDatacenters");
  return FORCES_FETCH.test(call.header("cache-control")) ? MISS : known;
}
