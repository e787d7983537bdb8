/** Whom a query is for (serf.md §8). */
import { decodeFilter, encodeFilter, type Tags } from "../wire/index.ts";

/**
 * Compiles an expression in RE2's syntax, to be found anywhere in a text. It comes from whoever asks, so matching
 * must take linear time. It may throw: for an expression that is none, or for too much work.
 */
export type CompilePattern = (expression: string) => (text: string) => boolean;

export interface FilterOptions {
  /** Names of members. */
  readonly filterNodes?: readonly string[] | undefined;
  /** Tag to the expression that it must match. */
  readonly filterTags?: Readonly<Record<string, string>> | undefined;
}

/** A filter is an expression of a few characters; who sends more wants us to work. */
const FILTERS_MAX = 64;

export function encodeFilters({ filterNodes = [], filterTags = {} }: FilterOptions): Uint8Array[] {
  const tags = Object.entries(filterTags).map(([Tag, Expr]) =>
    encodeFilter({ kind: "tag", Tag, Expr }),
  );
  return filterNodes.length === 0
    ? tags
    : [encodeFilter({ kind: "nodes", names: filterNodes }), ...tags];
}

/**
 * Whether all filters let this node answer. A tag that it does not have is an empty one.
 * @throws for a filter that cannot be understood: then this node is not to answer
 */
export function passesFilters(
  filters: readonly Uint8Array[],
  self: { readonly name: string; readonly tags: Tags },
  compilePattern: CompilePattern,
): boolean {
  if (filters.length > FILTERS_MAX) throw new Error(`${filters.length} filters`);
  return filters.every((encoded) => {
    const filter = decodeFilter(encoded);
    return filter.kind === "nodes"
      ? filter.names.includes(self.name)
      : compilePattern(filter.Expr)(self.tags[filter.Tag] ?? "");
  });
}
