/** How long to wait for a lock: for ever in turns, or for as long as was asked; and what a failure is called. */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";

/** One blocking query. */
const TURN_MS = 15_000;

export class LockWaits {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #limitMs: number | undefined;
  #isFirst = true;

  constructor(clock: Clock, limitMs: number | undefined) {
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#limitMs = limitMs;
  }

  /** For the next blocking query, in whole milliseconds; undefined once the time is over. */
  nextMs(): number | undefined {
    if (this.#limitMs === undefined) return TURN_MS;
    const elapsedMs = this.#isFirst ? 0 : this.#clock.now() - this.#startedAt;
    this.#isFirst = false;
    const leftMs = Math.ceil(this.#limitMs - elapsedMs);
    return leftMs > 0 ? leftMs : undefined;
  }
}

/** Puts `what` before the message of an error that the world caused; an abort stays what it is. */
export async function named<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RollcallError) || error.code === "request/aborted") throw error;
    throw new RollcallError(error.code, `${what}: ${messageOf(error)}`, { cause: error });
  }
}
