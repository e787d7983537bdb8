/**
 * LZW as Go's compress/lzw has it with its least significant bits first and eight-bit literals: the codes of
 * GIF. Memberlist compresses with it.
 *
 *     codes 0..255  the byte itself        256  clear the table       257  end
 *     258..4095     a string seen before, extended by one byte; 9 bits a code at first, 12 at most
 *
 * The clear code at the start is optional: Go has written it since 1.17. A few bytes can stand for a thousand
 * times as many, so whoever decompresses says how many they are ready to take.
 */
import { malformed } from "./malformed.ts";

const CLEAR = 256;
const END = 257;
const WIDTH_FIRST = 9;
const WIDTH_MAX = 12;
const CODES_MAX = 1 << WIDTH_MAX;
const HASH_MULTIPLIER = 0x9e37_79b1;

export function compress(plain: Uint8Array): Uint8Array {
  const codes = new CodeWriter(plain.length);
  codes.write(CLEAR, WIDTH_FIRST);
  // Open addressing; a slot is (prefix code << 8 | byte) + 1 in `keys`, and the code of both in `values`.
  const slots = slotsFor(plain.length);
  const mask = slots - 1;
  const shift = Math.clz32(mask);
  const keys = new Int32Array(slots);
  const values = new Uint16Array(slots);
  let width = WIDTH_FIRST;
  let last = END;
  let prefix = -1;

  /** After each code, one string joins the table: @returns false when the table was full and is cleared */
  const advance = (): boolean => {
    if (last + 1 === CODES_MAX - 1) {
      codes.write(CLEAR, width);
      keys.fill(0);
      width = WIDTH_FIRST;
      last = END;
      return false;
    }
    last += 1;
    if (last === 1 << width) width += 1;
    return true;
  };

  for (const byte of plain) {
    if (prefix < 0) {
      prefix = byte;
      continue;
    }
    const key = ((prefix << 8) | byte) + 1;
    let slot = Math.imul(key, HASH_MULTIPLIER) >>> shift;
    while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
    if (keys[slot] === key) {
      prefix = values[slot] ?? 0;
      continue;
    }
    codes.write(prefix, width);
    prefix = byte;
    if (!advance()) continue;
    keys[slot] = key;
    values[slot] = last;
  }
  if (prefix >= 0) {
    codes.write(prefix, width);
    advance();
  }
  codes.write(END, width);
  return codes.finish();
}

/**
 * @param maxBytes of the result
 * @throws {RollcallError} `wire/malformed` for what is no LZW, ends before its end code, or is too large
 */
export function decompress(packed: Uint8Array, maxBytes: number): Uint8Array {
  const tableSize = Math.min(CODES_MAX, END + 2 + Math.ceil((packed.length * 8) / WIDTH_FIRST));
  const prefixes = new Uint16Array(tableSize);
  const suffixes = new Uint8Array(tableSize);
  /** Of the string that a code stands for, in bytes. */
  const lengths = new Uint32Array(tableSize).fill(1, 0, CLEAR);
  let out = new Uint8Array(Math.min(maxBytes, 4 * packed.length));
  let outLength = 0;
  let width = WIDTH_FIRST;
  let next = END + 1;
  let previous = -1;
  let bits = 0;
  let bitCount = 0;
  let at = 0;

  for (;;) {
    for (; bitCount < width; bitCount += 8, at += 1) {
      const byte = packed[at];
      if (byte === undefined) throw malformed("compressed data ends early");
      bits |= byte << bitCount;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    bitCount -= width;
    if (code === END) return out.subarray(0, outLength);
    if (code === CLEAR) {
      width = WIDTH_FIRST;
      next = END + 1;
      previous = -1;
      continue;
    }
    const isNew = code === next && previous >= 0 && next < CODES_MAX;
    if (!isNew && code >= CLEAR && code >= next) {
      throw malformed("an unknown code in compressed data");
    }
    const source = isNew ? previous : code;
    const length = lengths[source] ?? 0;
    const end = outLength + length + (isNew ? 1 : 0);
    if (end > maxBytes) throw malformed(`compressed data is larger than ${maxBytes} bytes`);
    if (end > out.length) out = grown(out, Math.min(maxBytes, Math.max(end, 2 * out.length)));

    // The string of a code is found from its end.
    let walk = source;
    let put = outLength + length - 1;
    for (; walk >= CLEAR; put -= 1) {
      out[put] = suffixes[walk] ?? 0;
      walk = prefixes[walk] ?? 0;
    }
    out[put] = walk;
    if (isNew) out[end - 1] = walk;
    outLength = end;

    if (previous >= 0 && next < CODES_MAX) {
      prefixes[next] = previous;
      suffixes[next] = walk;
      lengths[next] = (lengths[previous] ?? 0) + 1;
      next += 1;
      if (next === 1 << width && width < WIDTH_MAX) width += 1;
    }
    previous = code;
  }
}

/** Twice as many as there can be strings, so that the search is short: a power of two. */
function slotsFor(plainLength: number): number {
  const strings = Math.min(Math.max(plainLength, 16), CODES_MAX);
  return 1 << (32 - Math.clz32(2 * strings - 1));
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

class CodeWriter {
  readonly #out: Uint8Array;
  #length = 0;
  #bits = 0;
  #bitCount = 0;

  constructor(plainLength: number) {
    // At worst, a code of 12 bits for each byte, one in two thousand a clear; and clear, last and end.
    this.#out = new Uint8Array(Math.ceil(plainLength * 1.51) + 16);
  }

  write(code: number, width: number): void {
    this.#bits |= code << this.#bitCount;
    this.#bitCount += width;
    while (this.#bitCount >= 8) {
      this.#out[this.#length] = this.#bits & 0xff;
      this.#length += 1;
      this.#bits >>>= 8;
      this.#bitCount -= 8;
    }
  }

  finish(): Uint8Array {
    if (this.#bitCount > 0) {
      this.#out[this.#length] = this.#bits & 0xff;
      this.#length += 1;
    }
    return this.#out.subarray(0, this.#length);
  }
}
