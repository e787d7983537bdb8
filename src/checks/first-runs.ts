/**
 * When each of an agent's checks runs first: within its interval, and not when the others do. Each takes its place
 * in the interval a golden section further than the one before, which leaves any number of places evenly spread;
 * drawn at random, a thousand would meet by the dozen. Where the first stands is chance, so that agents that start
 * together do not ask together.
 */
import type { Clock, Random } from "../platform/index.ts";

/** Fraction of a circle after which the next point falls into the largest gap that the others have left. */
const GOLDEN_SECTION = (Math.sqrt(5) - 1) / 2;

export class FirstRuns {
  readonly #clock: Clock;
  /** Of an interval, from 0 to 1. */
  #place: number;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#place = random.float();
  }

  /** @returns from 0 up to the interval: how long the next check waits for its first run */
  nextDelayMs(intervalMs: number): number {
    const place = this.#place;
    this.#place = (place + GOLDEN_SECTION) % 1;
    // Places are those of the clock, whenever a check comes.
    const delayMs = place * intervalMs - (this.#clock.now() % intervalMs);
    return delayMs < 0 ? delayMs + intervalMs : delayMs;
  }
}
