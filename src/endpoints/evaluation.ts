/** What a read is, what it gives at a moment, and what its answer says of that. */
import type { Answer, QueryMeta } from "../rpc/index.ts";
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

/** What a query gives now, with the index to report for it. */
export interface Evaluated<T extends object> {
  readonly reading: Reading<T>;
  readonly index: number;
}

export function evaluate<T extends object>(
  context: EndpointContext,
  query: Query<T>,
): Evaluated<T> {
  const reading = context.store.read(query.question, query.evaluate, query.weight);
  const index = Math.max(1, query.index(context.store.indexes, reading.value));
  return { reading, index };
}

export function toAnswer<T extends object>(
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
