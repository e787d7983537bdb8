/**
 * Chance that a seed decides: sfc32, the small fast counting generator of PractRand (C. Doty-Humphrey),
 * a 128-bit state of three mixed words and a counter that guarantees a period of at least 2^32.
 *
 * A stream's state comes from a hash of its path (seed, then label and turn of each fork), never from its
 * parent's state: how much a component draws does not shift what the others see.
 */
import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import type { Random } from "../platform.ts";

export class SimRandom implements Random {
  readonly #path: string;
  readonly #forkCounts = new Map<string, number>();
  /** Mixed words a, b, c and the counter. */
  readonly #state: Int32Array<ArrayBuffer>;

  constructor(seed: number | string) {
    this.#path = String(seed);
    const hash = createHash("sha256").update(this.#path).digest();
    this.#state = Int32Array.from([0, 4, 8, 12], (at) => hash.readInt32LE(at));
  }

  float(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  bytes(count: number): Uint8Array {
    assert(Number.isSafeInteger(count) && count >= 0, "a count of bytes");
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 4) {
      const word = this.uint32();
      for (let i = 0; i < 4 && at + i < count; i += 1) bytes[at + i] = word >>> (8 * i);
    }
    return bytes;
  }

  fork(label: string): SimRandom {
    const turn = (this.#forkCounts.get(label) ?? 0) + 1;
    this.#forkCounts.set(label, turn);
    return new SimRandom(`${this.#path}/${encodeURIComponent(label)}#${turn}`);
  }

  uint32(): number {
    const state = this.#state;
    // By index: taking an array apart goes through its iterator, and this is drawn for every packet.
    const a = state[0] ?? 0;
    const b = state[1] ?? 0;
    const c = state[2] ?? 0;
    const counter = state[3] ?? 0;
    const drawn = (a + b + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + drawn) | 0;
    state[3] = (counter + 1) | 0;
    return drawn >>> 0;
  }

  /** Uniform whole number, both ends included. */
  between(least: number, most: number): number {
    assert(least <= most, "the least is not above the most");
    return least + Math.floor(this.float() * (most - least + 1));
  }

  chance(ratio: number): boolean {
    return this.float() < ratio;
  }
}
