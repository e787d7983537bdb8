/**
 * Those who are suspect, soonest due first: a binary heap in which each knows its place, as most are cleared long
 * before they fall due. On a bad network a large pool has thousands of suspects, and clears hundreds a second.
 */
import type { Instant } from "../platform/index.ts";
import type { Suspicion } from "./suspicion.ts";

interface Ranked {
  readonly suspicion: Suspicion;
  place: number;
}

export class Suspicions {
  readonly #byName = new Map<string, Ranked>();
  readonly #heap: Ranked[] = [];

  /** When there is nobody: undefined. */
  get nextDueAt(): Instant | undefined {
    return this.#heap[0]?.suspicion.dueAt;
  }

  /** Oldest first. */
  dueBy(now: Instant): (readonly [name: string, suspicion: Suspicion])[] {
    const due: [string, Suspicion][] = [];
    for (const [name, { suspicion }] of this.#byName) {
      if (suspicion.dueAt <= now) due.push([name, suspicion]);
    }
    return due;
  }

  add(name: string, suspicion: Suspicion): void {
    this.delete(name);
    const added = { suspicion, place: this.#heap.length };
    this.#byName.set(name, added);
    this.#heap.push(added);
    this.#rise(added);
  }

  delete(name: string): void {
    const removed = this.#byName.get(name);
    if (removed === undefined) return;
    this.#byName.delete(name);
    const last = this.#heap.pop();
    if (last === undefined || last === removed) return;
    this.#put(last, removed.place);
    this.#rise(last);
    this.#sink(last);
  }

  /** @returns whether it is news that `by` suspects them too, so that others should hear of it */
  agree(name: string, by: string): boolean {
    const ranked = this.#byName.get(name);
    if (ranked?.suspicion.agree(by) !== true) return false;
    // Who is suspected by more falls due earlier.
    this.#rise(ranked);
    return true;
  }

  #rise(one: Ranked): void {
    while (one.place > 0) {
      const parent = this.#heap[(one.place - 1) >>> 1] as Ranked;
      if (parent.suspicion.dueAt <= one.suspicion.dueAt) return;
      this.#swap(one, parent);
    }
  }

  #sink(one: Ranked): void {
    for (;;) {
      const left = this.#heap[2 * one.place + 1];
      const right = this.#heap[2 * one.place + 2];
      if (left === undefined) return;
      const isRight = right !== undefined && right.suspicion.dueAt < left.suspicion.dueAt;
      const child = isRight ? right : left;
      if (one.suspicion.dueAt <= child.suspicion.dueAt) return;
      this.#swap(one, child);
    }
  }

  #swap(one: Ranked, other: Ranked): void {
    const { place } = one;
    this.#put(one, other.place);
    this.#put(other, place);
  }

  #put(one: Ranked, place: number): void {
    this.#heap[place] = one;
    one.place = place;
  }
}
