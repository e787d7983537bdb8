/**
 * Query strings as Go 1.14's url.ParseQuery reads them: pairs end at `&` or `;`, `+` is a space, a name without `=` has
 * the empty value, and names may repeat. What a parameter means by being there at all (`?stale`) is `has`.
 */
import { percentDecodeKey } from "../model/index.ts";

/** Pairs beyond this many are refused: no client of ours sends a hundredth of it. */
const MAX_PAIRS = 10_000;

export class Query {
  readonly #pairs: ReadonlyArray<readonly [name: string, value: string]>;
  constructor(pairs: ReadonlyArray<readonly [string, string]>) {
    this.#pairs = pairs;
  }
  has(name: string): boolean {
    for (const pair of this.#pairs) if (pair[0] === name) return true;
    return false;
  }
  /** The first value, or "" where there is none. */
  get(name: string): string {
    for (const pair of this.#pairs) if (pair[0] === name) return pair[1];
    return "";
  }
  all(name: string): readonly string[] {
    return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }
  get isEmpty(): boolean {
    return this.#pairs.length === 0;
  }
  /** As Go's Values.Encode: sorted by name, which error texts quote. */
  encode(): string {
    return this.#pairs
      .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([name, value]) => `${escapeQuery(name)}=${escapeQuery(value)}`)
      .join("&");
  }
}

export const EMPTY_QUERY = new Query([]);

/** @returns undefined when a `%` is not followed by two hex digits */
export function parseQuery(raw: string): Query | undefined {
  if (raw === "") return EMPTY_QUERY;
  const pairs: Array<readonly [string, string]> = [];
  for (const part of raw.split(/[&;]/)) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = unescapeQuery(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? "" : unescapeQuery(part.slice(equals + 1));
    if (name === undefined || value === undefined || pairs.length === MAX_PAIRS) return undefined;
    pairs.push([name, value]);
  }
  return new Query(pairs);
}

const NOTHING_TO_DECODE = /^[!-$&-*,-~]*$/;

function unescapeQuery(text: string): string | undefined {
  return NOTHING_TO_DECODE.test(text) ? text : percentDecodeKey(text.replaceAll("+", " "));
}

function escapeQuery(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, "\uFFFD"))
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
