/**
 * Network coordinates on their way into the log. Every agent sends its own every few seconds, so the leader gathers
 * them, the latest of each node, and writes them in a few large commands per period. More than that is dropped:
 * coordinates are sent again, and slightly old ones do no harm.
 */
import { messageOf } from "../errors/index.ts";
import type { CoordinateBatch, NodeCoordinate } from "../model/index.ts";
import type { Clock, Logger } from "../platform/index.ts";

export const COORDINATE_PERIOD_MS = 5000;
const BATCH_SIZE = 128;
const MAX_BATCHES = 5;
const MAX_PENDING = BATCH_SIZE * MAX_BATCHES;

export class CoordinateBatches implements Disposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #write: (batch: CoordinateBatch) => Promise<void>;
  readonly #pending = new Map<string, NodeCoordinate>();
  #droppedCount = 0;
  /** Runs only while something is pending. */
  #timer: Disposable | undefined;

  constructor(clock: Clock, logger: Logger, write: (batch: CoordinateBatch) => Promise<void>) {
    this.#clock = clock;
    this.#logger = logger;
    this.#write = write;
  }

  update(coordinate: NodeCoordinate): void {
    const key = `${coordinate.Segment}\0${coordinate.Node.toLowerCase()}`;
    if (this.#pending.size >= MAX_PENDING && !this.#pending.has(key)) {
      this.#droppedCount += 1;
      return;
    }
    this.#pending.set(key, coordinate);
    this.#timer ??= this.#clock.after(COORDINATE_PERIOD_MS, () => void this.#flush());
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#pending.clear();
  }

  async #flush(): Promise<void> {
    const updates = [...this.#pending.values()];
    this.#pending.clear();
    this.#timer = undefined;
    if (this.#droppedCount > 0) {
      this.#logger.warn("Discarded coordinate updates", { number_discarded: this.#droppedCount });
      this.#droppedCount = 0;
    }
    try {
      for (let start = 0; start < updates.length; start += BATCH_SIZE) {
        await this.#write(updates.slice(start, start + BATCH_SIZE));
      }
    } catch (error) {
      this.#logger.warn("Batch update failed", { error: messageOf(error) });
    }
  }
}
