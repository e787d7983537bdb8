/**
 * Turns of the event loop, shared out among those who have more than one thing to do: first come, first served, and
 * only so many in each turn that whoever else is waiting is soon heard.
 */
import type { Clock } from "../platform/index.ts";

const ACTS_PER_TURN = 8;

export class Turns {
  readonly #clock: Clock;
  #waiting: Array<() => void> = [];
  #isArmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `act` called in a later turn. Who waits for one takes no second: that bounds the queue. */
  take(act: () => void): void {
    this.#waiting.push(act);
    this.#arm();
  }

  #arm(): void {
    if (this.#isArmed || this.#waiting.length === 0) return;
    this.#isArmed = true;
    this.#clock.after(0, () => {
      this.#isArmed = false;
      const now = this.#waiting.splice(0, ACTS_PER_TURN);
      this.#arm();
      for (const act of now) act();
    });
  }
}
