/**
 * Tombstones live for a while, so that whoever watches a prefix sees its index move on after a delete;
 * then the leader takes them away, all of one slot of time at once.
 */
import type { Clock, Logger } from "../platform/index.ts";

export const TOMBSTONE_TTL_MS = 15 * 60_000;
export const TOMBSTONE_GRANULARITY_MS = 30_000;

export class TombstoneReaper implements Disposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #reap: (upToIndex: number) => Promise<void>;
  /** End of a slot of time to the highest index laid in it. */
  readonly #slots = new Map<number, { index: number; readonly timer: Disposable }>();

  constructor(clock: Clock, logger: Logger, reap: (upToIndex: number) => Promise<void>) {
    this.#clock = clock;
    this.#logger = logger;
    this.#reap = reap;
  }

  laid(index: number): void {
    const due = this.#clock.now() + TOMBSTONE_TTL_MS;
    const end = Math.ceil(due / TOMBSTONE_GRANULARITY_MS) * TOMBSTONE_GRANULARITY_MS;
    const slot = this.#slots.get(end);
    if (slot !== undefined) {
      slot.index = Math.max(slot.index, index);
      return;
    }
    const timer = this.#clock.after(end - this.#clock.now(), () => this.#expire(end));
    this.#slots.set(end, { index, timer });
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#slots.values()) timer[Symbol.dispose]();
    this.#slots.clear();
  }

  #expire(end: number): void {
    const slot = this.#slots.get(end);
    this.#slots.delete(end);
    if (slot === undefined) return;
    this.#reap(slot.index).catch((error: unknown) => {
      this.#logger.error("failed to reap tombstones up to index", { index: slot.index, error });
    });
  }
}
