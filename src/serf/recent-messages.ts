/**
 * What was heard lately, so that nothing is delivered twice: a ring of slots, one for each Lamport time modulo
 * 512 (serf.md §7, §8). What is older than the ring is taken for known, because it cannot be told.
 *
 *     slot      0         1         …    511
 *             512: a,b   513: c         511: d      a later time takes the slot of an earlier one
 *
 * Several messages share a time when members sent them without having heard of each other. When they become too
 * much to keep, the oldest times are forgotten, and what comes of those is old: so memory is bounded, whatever
 * comes, and still nothing is delivered twice.
 */
import type { LamportClock } from "./lamport-clock.ts";

export const RING_SLOTS = 512;
/** Messages with the same time: each new one is compared with all of them. */
export const MESSAGES_PER_TIME_MAX = 256;

/** `full`: there are too many of that time, and it is not known whether this is one of them. */
export type Verdict = "new" | "seen" | "old" | "full";

export interface Slot<T> {
  readonly LTime: number;
  readonly messages: readonly T[];
}

export interface RecentMessagesOptions<T> {
  readonly clock: LamportClock;
  readonly isSame: (one: T, other: T) => boolean;
  /** What a message costs to keep. */
  readonly weightOf: (message: T) => number;
  readonly weightMax: number;
}

interface FillingSlot<T> extends Slot<T> {
  readonly messages: T[];
  weight: number;
}

export class RecentMessages<T> {
  readonly #options: RecentMessagesOptions<T>;
  readonly #slots: (FillingSlot<T> | null)[];
  #leastTime = 0;
  #weight = 0;

  constructor(options: RecentMessagesOptions<T>) {
    this.#options = options;
    this.#slots = Array.from({ length: RING_SLOTS }, () => null);
  }

  get slots(): readonly (Slot<T> | null)[] {
    return this.#slots;
  }

  /** Messages of an earlier time are old from now on. */
  ignoreBefore(time: number): void {
    this.#leastTime = Math.max(this.#leastTime, time);
  }

  /**
   * Remembers the message, and moves the clock past it.
   * @throws {RollcallError} `wire/malformed` for a time that cannot be
   */
  judge(time: number, message: T): Verdict {
    const { clock, isSame } = this.#options;
    clock.witness(time);
    if (time < this.#leastTime) return "old";
    if (clock.time > RING_SLOTS && time < clock.time - RING_SLOTS) return "old";
    const slot = this.#slotOf(time);
    if (slot.messages.some((other) => isSame(other, message))) return "seen";
    if (slot.messages.length >= MESSAGES_PER_TIME_MAX) return "full";
    this.#keep(slot, message);
    return "new";
  }

  #slotOf(time: number): FillingSlot<T> {
    const place = time % RING_SLOTS;
    const there = this.#slots[place];
    if (there?.LTime === time) return there;
    const slot: FillingSlot<T> = { LTime: time, messages: [], weight: 0 };
    this.#weight -= there?.weight ?? 0;
    this.#slots[place] = slot;
    return slot;
  }

  #keep(slot: FillingSlot<T>, message: T): void {
    const { weightOf, weightMax } = this.#options;
    const weight = weightOf(message);
    slot.messages.push(message);
    slot.weight += weight;
    this.#weight += weight;
    while (this.#weight > weightMax) this.#forgetOldest();
  }

  #forgetOldest(): void {
    let oldest: FillingSlot<T> | undefined;
    for (const slot of this.#slots) {
      if (slot !== null && slot.LTime < (oldest?.LTime ?? Infinity)) oldest = slot;
    }
    if (oldest === undefined) return;
    this.#weight -= oldest.weight;
    this.#slots[oldest.LTime % RING_SLOTS] = null;
    this.ignoreBefore(oldest.LTime + 1);
  }
}
