/**
 * A state of the explorer's cluster: a few numbers, and these a string, a character each, so that millions can be
 * told apart whole. Servers' states, messages and what was seen are kept once each, under their numbers.
 */
import { strict as assert } from "node:assert";

/** What a character can tell apart. */
export const NUMBERS_MAX = 0x10000;

export interface ClusterState {
  readonly servers: readonly number[];
  readonly seen: number;
  readonly timeouts: number;
  readonly proposals: number;
  readonly crashes: number;
  readonly losses: number;
  /** Messages under way, in ascending order. */
  readonly flights: readonly number[];
}

/** Each value once, by its key, under a number. */
export class Numbered<T> {
  readonly #numbers = new Map<string, number>();
  readonly #values: T[] = [];

  number(key: string, make: () => T): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    assert(this.#values.length < NUMBERS_MAX, "too many to be told apart");
    this.#numbers.set(key, this.#values.length);
    this.#values.push(make());
    return this.#values.length - 1;
  }

  at(number: number): T {
    return this.#values[number] as T;
  }

  get count(): number {
    return this.#values.length;
  }
}

export function encodeCluster(state: ClusterState): string {
  const { servers, seen, timeouts, proposals, crashes, losses, flights } = state;
  return String.fromCharCode(...servers, seen, timeouts, proposals, crashes, losses, ...flights);
}

export function decodeCluster(key: string): ClusterState {
  const at = (place: number): number => key.charCodeAt(place);
  const flights: number[] = [];
  for (let place = 8; place < key.length; place += 1) flights.push(at(place));
  return {
    servers: [at(0), at(1), at(2)],
    seen: at(3),
    timeouts: at(4),
    proposals: at(5),
    crashes: at(6),
    losses: at(7),
    flights,
  };
}
