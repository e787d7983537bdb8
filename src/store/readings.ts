/**
 * Kept results of reads. A reading stays valid until a cell that it was read from changes; until then
 * everybody who asks the same question gets the same object, so that a hot answer is evaluated once and,
 * in the rooms above, encoded once. Whoever waits for a change waits on the reading.
 *
 * Bounded by weight, in two generations: when the young one is full the old one is dropped, so that what
 * is asked for again survives and nothing is counted per hit. What somebody still waits on is set aside, and
 * bounded by who waits. Dropping, and looking through what was set aside, is done bit by bit: whoever adds a
 * reading pays for twice its weight, and never for all that is kept.
 */
import type { Cells, Subscriber } from "./cells.ts";

/** Who waits for a reading to become stale. It is told once, while the command that changed a cell commits. */
export interface ReadingWaiter {
  wake(cause: StaleCause): void;
}
/** "changed": a cell that it came from. "restored": all state is another. */
export type StaleCause = "changed" | "restored";

export class Reading<T extends object> implements Subscriber {
  readonly value: T;
  readonly cells: readonly string[];
  /** Made for the first waiter: most readings never have one. */
  #waiters: Set<ReadingWaiter> | undefined;
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

  /** Of a reading that is not stale. */
  addWaiter(waiter: ReadingWaiter): void {
    (this.#waiters ??= new Set()).add(waiter);
  }
  removeWaiter(waiter: ReadingWaiter): void {
    this.#waiters?.delete(waiter);
  }
  invalidate(cause: StaleCause = "changed"): void {
    if (this.#isStale) return;
    this.#isStale = true;
    const waiters = this.#waiters;
    this.#waiters = undefined;
    if (waiters !== undefined) for (const waiter of waiters) waiter.wake(cause);
  }
}

interface Kept {
  readonly reading: Reading<object>;
  readonly weight: number;
}
type Generation = Map<string, Kept>;

/** As many entries are looked through for each unit of weight that is added. */
const STEPS_PER_WEIGHT = 2;

export class Readings {
  readonly #cells: Cells;
  readonly #maxWeight: number;
  #young: Generation = new Map();
  #old: Generation = new Map();
  #youngWeight = 0;
  /** The generation before the old one, as far as it is not dropped yet. */
  #dropping: Generation = new Map();
  #dropper: Iterator<readonly [string, Kept]> = this.#dropping.entries();
  /** What is waited on, so that a wake-up reaches those who wait and others can share it. */
  readonly #watched: Generation = new Map();
  /** Where looking through the watched ones goes on. */
  #sweep: Iterator<readonly [string, Kept]> | undefined;

  /** @param maxWeight of one generation; twice as much may be held, and again while the second is dropped */
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
    const kept = this.#take(this.#old, question) ?? this.#take(this.#dropping, question);
    if (kept !== undefined) {
      if (kept.reading.isStale) return undefined;
      this.#keep(question, kept);
      return kept.reading;
    }
    const watched = this.#watched.get(question);
    if (watched?.reading.isStale !== true) return watched?.reading;
    this.#watched.delete(question);
    return undefined;
  }

  /** @param weight how much the value holds, in kilobytes or so; at least 1 */
  add(question: string, reading: Reading<object>, weight: number): void {
    this.#cells.subscribe(reading);
    this.#keep(question, { reading, weight });
  }

  /** Everything may be different now: after a restore. */
  invalidateAll(): void {
    const generations = [this.#young, this.#old, this.#dropping, this.#watched];
    const all = generations.flatMap((generation) => [...generation.values()]);
    for (const generation of generations) generation.clear();
    this.#youngWeight = 0;
    for (const { reading } of all) {
      this.#cells.unsubscribe(reading);
      reading.invalidate("restored");
    }
  }

  #take(from: Generation, question: string): Kept | undefined {
    const kept = from.get(question);
    if (kept !== undefined) from.delete(question);
    return kept;
  }

  #keep(question: string, kept: Kept): void {
    if (this.#youngWeight + kept.weight > this.#maxWeight) this.#turn();
    this.#put(question, kept);
    for (let steps = kept.weight * STEPS_PER_WEIGHT; steps > 0; steps--) {
      if (!this.#dropNext() && !this.#sweepNext()) return;
    }
  }

  #put(question: string, kept: Kept): void {
    this.#young.set(question, kept);
    this.#youngWeight += kept.weight;
  }

  #turn(): void {
    // Nothing is left by now, but where single readings are heavier than a generation may be.
    while (this.#dropNext());
    this.#dropping = this.#old;
    this.#dropper = this.#dropping.entries();
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngWeight = 0;
  }

  /** @returns false when there is nothing left to drop */
  #dropNext(): boolean {
    // One iterator for all, as a new one would have to pass by everything that was deleted before.
    const { done, value } = this.#dropper.next();
    if (done === true) return false;
    const [question, kept] = value;
    this.#dropping.delete(question);
    if (kept.reading.isStale) return true;
    if (kept.reading.hasWaiters) this.#watched.set(question, kept);
    else this.#cells.unsubscribe(kept.reading);
    return true;
  }

  /** Looks at the next of the watched ones. @returns false when all have been looked at */
  #sweepNext(): boolean {
    this.#sweep ??= this.#watched.entries();
    const { done, value } = this.#sweep.next();
    if (done === true) {
      this.#sweep = undefined;
      return false;
    }
    const [question, kept] = value;
    if (!kept.reading.isStale && kept.reading.hasWaiters) return true;
    this.#watched.delete(question);
    if (!kept.reading.isStale) this.#put(question, kept);
    return true;
  }
}
