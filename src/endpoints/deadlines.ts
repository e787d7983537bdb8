/**
 * When many waits end at the latest. Thousands of queries wait for minutes each and mostly end before their time: a
 * timer for each would cost more than the rest of the wait, so those that end in the same moment share one.
 */
import type { Clock } from "../platform/index.ts";

export interface Wait {
  /** Its time is over. Called once, unless it left before. */
  expire(): void;
}

/** The waits that end at one moment. */
export class Moment {
  readonly #waits = new Set<Wait>();
  readonly #timer: Disposable;
  readonly #emptied: () => void;

  constructor(clock: Clock, atMs: number, emptied: () => void) {
    this.#emptied = emptied;
    this.#timer = clock.after(Math.max(0, atMs - clock.now()), () => this.#strike());
  }

  add(wait: Wait): void {
    this.#waits.add(wait);
  }
  leave(wait: Wait): void {
    if (!this.#waits.delete(wait) || this.#waits.size > 0) return;
    this.#timer[Symbol.dispose]();
    this.#emptied();
  }

  #strike(): void {
    this.#emptied();
    const due = [...this.#waits];
    this.#waits.clear();
    for (const wait of due) wait.expire();
  }
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #moments = new Map<number, Moment>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param delayMs from now; it may become up to `grainMs` longer
   * @returns the moment, which the wait leaves when it ends otherwise
   */
  add(wait: Wait, delayMs: number, grainMs: number): Moment {
    const atMs = Math.ceil((this.#clock.now() + delayMs) / grainMs) * grainMs;
    let moment = this.#moments.get(atMs);
    if (moment === undefined) {
      moment = new Moment(this.#clock, atMs, () => this.#moments.delete(atMs));
      this.#moments.set(atMs, moment);
    }
    moment.add(wait);
    return moment;
  }
}
