/**
 * Timers in the order in which they fire: soonest first, equal ones as they were armed. A binary heap in which each
 * timer knows its place, so that one that is cancelled is gone at once.
 */
export interface Timer {
  readonly at: number;
  /** Breaks ties in arming order. */
  readonly armed: number;
  readonly fire: () => void;
  /** In the heap; -1 once it is not there any more. */
  place: number;
}

export class TimerHeap {
  readonly #timers: Timer[] = [];

  get size(): number {
    return this.#timers.length;
  }

  /** The next to fire. */
  first(): Timer | undefined {
    return this.#timers[0];
  }

  add(timer: Timer): void {
    timer.place = this.#timers.length;
    this.#timers.push(timer);
    this.#rise(timer);
  }

  /** One that is not there is no error. */
  remove(timer: Timer): void {
    const { place } = timer;
    if (place < 0) return;
    timer.place = -1;
    const last = this.#timers.pop();
    if (last === undefined || last === timer) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: Timer, place: number): void {
    this.#timers[place] = timer;
    timer.place = place;
  }

  #rise(timer: Timer): void {
    while (timer.place > 0) {
      const { place } = timer;
      const parent = this.#timers[(place - 1) >>> 1];
      if (parent === undefined || !isBefore(timer, parent)) return;
      this.#put(timer, parent.place);
      this.#put(parent, place);
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const { place } = timer;
      const left = this.#timers[2 * place + 1];
      const right = this.#timers[2 * place + 2];
      if (left === undefined) return;
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, timer)) return;
      this.#put(timer, child.place);
      this.#put(child, place);
    }
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.armed < b.armed);
}
