/**
 * A blocking query that is held until its index passes the caller's, its time is over, or the caller has gone.
 *
 * An agent holds thousands of them, and one write may end them all: a held query is one object, which is itself what
 * waits on the reading, the deadline and the caller.
 */
import type { Answer, QueryOptions } from "../rpc/index.ts";
import type { ReadingWaiter, StaleCause } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";
import type { Deadlines, Moment, Wait } from "./deadlines.ts";
import { evaluate, toAnswer, type Evaluated, type Query } from "./evaluation.ts";

export interface Asked<T extends object> {
  readonly options: QueryOptions;
  readonly query: Query<T>;
  /** What the query gave when it was asked. */
  readonly first: Evaluated<T>;
  readonly signal: AbortSignal | undefined;
}

/** @throws the signal's reason, when it aborts */
export function hold<T extends object>(
  context: EndpointContext,
  deadlines: Deadlines,
  asked: Asked<T>,
): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    new Held(context, asked, resolve, reject).start(deadlines);
  });
}

class Held<T extends object> implements ReadingWaiter, Wait {
  readonly #context: EndpointContext;
  readonly #asked: Asked<T>;
  readonly #resolve: (answer: Answer<T>) => void;
  readonly #reject: (reason: unknown) => void;
  #current: Evaluated<T>;
  #moment: Moment | undefined;

  constructor(
    context: EndpointContext,
    asked: Asked<T>,
    resolve: (answer: Answer<T>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#context = context;
    this.#asked = asked;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#current = asked.first;
  }

  start(deadlines: Deadlines): void {
    const { options, signal } = this.#asked;
    if (signal?.aborted === true) {
      this.#reject(signal.reason);
      return;
    }
    const { delayMs, grainMs } = waitOf(this.#context, options.MaxQueryTimeMs);
    this.#moment = deadlines.add(this, delayMs, grainMs);
    signal?.addEventListener("abort", this);
    this.#current.reading.addWaiter(this);
  }

  /** The reading is stale. */
  wake(cause: StaleCause): void {
    try {
      this.#current = evaluate(this.#context, this.#asked.query);
    } catch (error) {
      this.#leave();
      this.#reject(error);
      return;
    }
    // Consul ends all of them, whatever their index is by then.
    if (cause === "restored" || this.#isNews()) this.#answer();
    else this.#current.reading.addWaiter(this);
  }

  expire(): void {
    this.#answer();
  }

  /** The signal aborts. */
  handleEvent(): void {
    this.#leave();
    this.#reject(this.#asked.signal?.reason);
  }

  /** An index that went back (a node is gone) tells the caller to start afresh. */
  #isNews(): boolean {
    const { index } = this.#current;
    return index > this.#asked.options.MinQueryIndex || index < this.#asked.first.index;
  }

  #answer(): void {
    this.#leave();
    this.#resolve(toAnswer(this.#context, this.#current));
  }

  #leave(): void {
    this.#moment?.leave(this);
    this.#asked.signal?.removeEventListener("abort", this);
    this.#current.reading.removeWaiter(this);
  }
}

/** A blocking query waits up to this part of its time longer, so that many do not end at once. */
const JITTER_FRACTION = 1 / 16;
/** Waits that may end within a time of this many seconds and more end at whole ones, many together. */
const COARSE_GRAIN_MS = 1000;

function waitOf(
  { limits, platform }: EndpointContext,
  askedMs: number,
): { readonly delayMs: number; readonly grainMs: number } {
  const baseMs = askedMs === 0 ? limits.defaultQueryTimeMs : askedMs;
  const boundedMs = Math.min(baseMs, limits.maxQueryTimeMs);
  const rangeMs = boundedMs * JITTER_FRACTION;
  const grainMs = rangeMs > 2 * COARSE_GRAIN_MS ? COARSE_GRAIN_MS : 1;
  const jitterMs = platform.random.float() * Math.max(0, rangeMs - grainMs);
  return { delayMs: boundedMs + Math.floor(jitterMs), grainMs };
}
