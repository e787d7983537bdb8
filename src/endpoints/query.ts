/**
 * How every read is answered: evaluated once for all who ask the same, kept while it holds, and for a
 * blocking query held until its index passes the caller's (Consul HTTP API, "Blocking queries").
 */
import { RollcallError } from "../errors/index.ts";
import type { Answer, QueryMeta, QueryOptions } from "../rpc/index.ts";
import type { IndexView, Reading, ReadView } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";

/** One read. `T` holds all that its answer shows; the index may also move while the value stays. */
export interface Query<T extends object> {
  /** Names the read and all its arguments: equal questions share one evaluation. */
  readonly question: string;
  readonly evaluate: (view: ReadView) => T;
  /** The index to report for this value now; 0 is reported as 1. */
  readonly index: (indexes: IndexView, value: T) => number;
  /** Kilobytes, roughly, that the value holds. */
  readonly weight: (value: T) => number;
}

/** A blocking query waits up to this part of its time longer, so that many do not end at once. */
const JITTER_FRACTION = 1 / 16;

/** Joins the parts of a question. NUL cannot be in any of them but a key, which stands last. */
export const questionOf = (...parts: readonly string[]): string => parts.join("\0");

export function requireDatacenter(context: EndpointContext, datacenter: string): void {
  if (datacenter !== "" && datacenter !== context.datacenter) {
    throw new RollcallError("dc/unknown");
  }
}

export async function answer<T extends object>(
  context: EndpointContext,
  options: QueryOptions,
  query: Query<T>,
  signal: AbortSignal | undefined,
): Promise<Answer<T>> {
  requireDatacenter(context, options.Datacenter);
  const first = evaluate(context, query);
  if (options.MinQueryIndex === 0 || first.index > options.MinQueryIndex) {
    return toAnswer(context, first);
  }
  return hold(context, options, query, first, signal);
}

interface Evaluated<T extends object> {
  readonly reading: Reading<T>;
  readonly index: number;
}

function evaluate<T extends object>(context: EndpointContext, query: Query<T>): Evaluated<T> {
  const reading = context.store.read(query.question, query.evaluate, query.weight);
  const index = Math.max(1, query.index(context.store.indexes, reading.value));
  return { reading, index };
}

function toAnswer<T extends object>(
  context: EndpointContext,
  { reading, index }: Evaluated<T>,
): Answer<T> {
  return { value: reading.value, meta: metaOf(context, index) };
}

export function metaOf({ leadership }: EndpointContext, Index: number): QueryMeta {
  return {
    Index,
    KnownLeader: leadership.leader() !== "",
    LastContactMs: leadership.lastContactMs(),
  };
}

async function hold<T extends object>(
  context: EndpointContext,
  options: QueryOptions,
  query: Query<T>,
  first: Evaluated<T>,
  signal: AbortSignal | undefined,
): Promise<Answer<T>> {
  const { clock, random } = context.platform;
  const waitMs = holdMs(context, options.MaxQueryTimeMs, random.float());
  const deadline = { isOver: false };
  let wake: () => void = () => {};
  using _timer = clock.after(waitMs, () => {
    deadline.isOver = true;
    wake();
  });
  const onAbort = (): void => wake();
  signal?.addEventListener("abort", onAbort);
  try {
    let current = first;
    // An index that went back (a node is gone, a state was restored) tells the caller to start afresh.
    const isNews = ({ index }: Evaluated<T>): boolean =>
      index > options.MinQueryIndex || index < first.index;
    while (!deadline.isOver && !isNews(current)) {
      signal?.throwIfAborted();
      const changed = new Promise<void>((resolve) => (wake = resolve));
      using _waiting = current.reading.onStale(wake);
      await changed;
      signal?.throwIfAborted();
      current = evaluate(context, query);
    }
    return toAnswer(context, current);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function holdMs({ limits }: EndpointContext, askedMs: number, chance: number): number {
  const baseMs = askedMs === 0 ? limits.defaultQueryTimeMs : askedMs;
  const boundedMs = Math.min(baseMs, limits.maxQueryTimeMs);
  return boundedMs + Math.floor(chance * boundedMs * JITTER_FRACTION);
}
