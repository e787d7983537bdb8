/**
 * Keys that may not be locked yet, because their last holder was lost rather than let go: it may still
 * believe that it holds the lock (Chubby, Burrows, OSDI 2006, §2.4, "lock-delay").
 */
import type { Clock, Instant } from "../platform/index.ts";

export class LockDelays implements Disposable {
  readonly #clock: Clock;
  readonly #delays = new Map<string, { readonly until: Instant; readonly timer: Disposable }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(key: string, delayMs: number): void {
    this.#delays.get(key)?.timer[Symbol.dispose]();
    const until = (this.#clock.now() + delayMs) as Instant;
    const timer = this.#clock.after(delayMs, () => this.#delays.delete(key));
    this.#delays.set(key, { until, timer });
  }

  /** 0 when the key may be locked. */
  remainingMs(key: string): number {
    const delay = this.#delays.get(key);
    return delay === undefined ? 0 : Math.max(0, delay.until - this.#clock.now());
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#delays.values()) timer[Symbol.dispose]();
    this.#delays.clear();
  }
}
