/**
 * Logical time (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978): what is
 * stamped later was sent by somebody who could know of what was stamped before.
 *
 * A pool has three of these clocks: of memberships, of user events and of queries.
 */
import { RollcallError } from "../errors/index.ts";

/**
 * No pool gets here by working; a peer that claims such a time would bring all clocks to where numbers are no
 * longer exact.
 */
const TIME_MAX = 2 ** 52;

/** @throws {RollcallError} `wire/malformed` for a time that cannot be */
export function requirePossible(time: number): void {
  if (time > TIME_MAX) throw new RollcallError("wire/malformed", `impossible time: ${time}`);
}

export class LamportClock {
  /** Never 0: that is the status time of a member of whom no intent was heard. */
  #time = 1;

  get time(): number {
    return this.#time;
  }

  /** @returns the present time, to stamp something with; the next comes after it */
  tick(): number {
    const time = this.#time;
    this.#time += 1;
    return time;
  }

  /**
   * From now on this clock is ahead of `time`.
   * @throws {RollcallError} `wire/malformed` for a time that cannot be
   */
  witness(time: number): void {
    requirePossible(time);
    if (time >= this.#time) this.#time = time + 1;
  }
}
