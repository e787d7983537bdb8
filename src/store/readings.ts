/**
 * Kept results of reads. A reading stays valid until a cell that it was read from changes; until then
 * everybody who asks the same question gets the same object, so that a hot answer is evaluated once and,
 * in the rooms above, encoded once. Whoever waits for a change waits on the reading.
 *
 * Bounded by weight, in two generations: when the young one is full the old one is dropped, so that what
 * is asked for again survives and nothing is counted per hit.
 */
import type { Cells, Subscriber } from "./cells.ts";

export class Reading<T extends object> implements Subscriber {
  readonly value: T;
  readonly cells: readonly string[];
  /** Made for the first waiter: most readings never have one. */
  #waiters: Set<() => void> | undefined;
  #isStale = false;

  constructor(value: T, cells: readonly string[]) {
    this.value = value;
    this.cells = cells;
  }
  get isStale(): boolean {
    return this.#isStale;
  }
  get hasWaiters(): boolean {
    return this.#waiters !== undefined && this.#waiters.size > 0;
  }

  /** Calls `wake` once, when the reading has become stale. Dispose to stop waiting. */
  onStale(wake: () => void): Disposable {
    const waiters = (this.#waiters ??= new Set());
    waiters.add(wake);
    return { [Symbol.dispose]: () => void waiters.delete(wake) };
  }
  invalidate(): void {
    if (this.#isStale) return;
    this.#isStale = true;
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const wake of waiters ?? []) wake();
  }
}

interface Kept {
  readonly reading: Reading<object>;
  readonly weight: number;
}

export class Readings {
  readonly #cells: Cells;
  readonly #maxWeight: number;
  #young = new Map<string, Kept>();
  #old = new Map<string, Kept>();
  #youngWeight = 0;

  /** @param maxWeight of one generation; twice as much may be held */
  constructor(cells: Cells, maxWeight: number) {
    this.#cells = cells;
    this.#maxWeight = maxWeight;
  }

  get(question: string): Reading<object> | undefined {
    const young = this.#young.get(question);
    if (young !== undefined) {
      if (!young.reading.isStale) return young.reading;
      this.#young.delete(question);
      this.#youngWeight -= young.weight;
      return undefined;
    }
    const old = this.#old.get(question);
    if (old === undefined) return undefined;
    this.#old.delete(question);
    if (old.reading.isStale) return undefined;
    this.#keep(question, old);
    return old.reading;
  }

  /** @param weight how much the value holds, in kilobytes or so; at least 1 */
  add(question: string, reading: Reading<object>, weight: number): void {
    this.#cells.subscribe(reading);
    this.#keep(question, { reading, weight });
  }

  /** Everything may be different now: after a restore. */
  invalidateAll(): void {
    const kept = [...this.#young.values(), ...this.#old.values()];
    this.#young.clear();
    this.#old.clear();
    this.#youngWeight = 0;
    for (const { reading } of kept) {
      this.#cells.unsubscribe(reading);
      reading.invalidate();
    }
  }

  #keep(question: string, kept: Kept): void {
    if (this.#youngWeight + kept.weight > this.#maxWeight) this.#turn();
    this.#young.set(question, kept);
    this.#youngWeight += kept.weight;
  }

  #turn(): void {
    const dropped = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngWeight = 0;
    for (const [question, kept] of dropped) {
      // Somebody still waits on it: keep it, so that the wake-up reaches them and others can share it.
      if (kept.reading.hasWaiters && !kept.reading.isStale) {
        this.#young.set(question, kept);
        this.#youngWeight += kept.weight;
        continue;
      }
      this.#cells.unsubscribe(kept.reading);
    }
  }
}
