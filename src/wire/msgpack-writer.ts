/**
 * Writes msgpack as Go's codec library does, into a buffer that grows and can be used again.
 *
 * Integers take the shortest form, also in signed fields; floats are never shortened. Text and bytes share
 * the raw family. The `extended` dialect (Go: WriteExt) is what Consul's user events are in: there text of
 * 32 to 255 bytes is str8, and bytes are bin.
 */
import { encodeGoText } from "./go-text.ts";

const FIRST_BYTES = 512;
/** A buffer that one large message made larger than this is given back by `reset`. */
const KEPT_BYTES = 65_536;
const TWO_TO_32 = 0x1_0000_0000;

export class MsgpackWriter {
  readonly #extended: boolean;
  #buffer: Buffer;
  #length = 0;

  constructor({ extended = false }: { readonly extended?: boolean } = {}) {
    this.#extended = extended;
    this.#buffer = Buffer.allocUnsafe(FIRST_BYTES);
  }

  get lengthBytes(): number {
    return this.#length;
  }

  reset(): this {
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(FIRST_BYTES);
    return this;
  }

  /** A copy of what was written since the last reset. */
  finish(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#buffer, 0, this.#length);
  }

  nil(): void {
    this.byte(0xc0);
  }

  bool(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not an integer: ${value}`);
    if (value >= 0) this.#unsigned(value);
    else this.#negative(value);
  }

  wideInteger(value: bigint): void {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
      this.integer(Number(value));
      return;
    }
    this.#reserve(9);
    this.#push(value > 0 ? 0xcf : 0xd3);
    if (value > 0) this.#buffer.writeBigUInt64BE(value, this.#length);
    else this.#buffer.writeBigInt64BE(value, this.#length);
    this.#length += 8;
  }

  float32(value: number): void {
    this.#reserve(5);
    this.#push(0xca);
    this.#length = this.#buffer.writeFloatBE(value, this.#length);
  }

  float64(value: number): void {
    this.#reserve(9);
    this.#push(0xcb);
    this.#length = this.#buffer.writeDoubleBE(value, this.#length);
  }

  text(value: string): void {
    const start = this.#length;
    const { length } = value;
    this.#reserve(length + 5);
    this.#textHeader(length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < length; i += 1, at += 1) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.#length = start;
        this.#wideText(value);
        return;
      }
      buffer[at] = code;
    }
    this.#length = at;
  }

  raw(value: Uint8Array): void {
    const { length } = value;
    this.#reserve(length + 5);
    if (!this.#extended) this.#textHeader(length);
    else if (length < 0x100) this.#push(0xc4, length);
    else if (length < 0x1_0000) this.#push(0xc5, length >> 8, length & 0xff);
    else this.#push32(0xc6, length);
    this.bytes(value);
  }

  listHeader(count: number): void {
    this.#reserve(5);
    if (count < 16) this.#push(0x90 | count);
    else if (count < 0x1_0000) this.#push(0xdc, count >> 8, count & 0xff);
    else this.#push32(0xdd, count);
  }

  mapHeader(count: number): void {
    this.#reserve(5);
    if (count < 16) this.#push(0x80 | count);
    else if (count < 0x1_0000) this.#push(0xde, count >> 8, count & 0xff);
    else this.#push32(0xdf, count);
  }

  /** As they are, without a header. */
  bytes(value: Uint8Array): void {
    const { length } = value;
    this.#reserve(length);
    if (length > 64) this.#buffer.set(value, this.#length);
    else for (let i = 0; i < length; i += 1) this.#buffer[this.#length + i] = value[i] ?? 0;
    this.#length += length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#push(value);
  }

  #unsigned(value: number): void {
    this.#reserve(9);
    if (value < 0x80) this.#push(value);
    else if (value < 0x100) this.#push(0xcc, value);
    else if (value < 0x1_0000) this.#push(0xcd, value >> 8, value & 0xff);
    else if (value < TWO_TO_32) this.#push32(0xce, value);
    else this.#push64(0xcf, value);
  }

  #negative(value: number): void {
    this.#reserve(9);
    if (value >= -0x20) this.#push(value & 0xff);
    else if (value >= -0x80) this.#push(0xd0, value & 0xff);
    else if (value >= -0x8000) this.#push(0xd1, (value >> 8) & 0xff, value & 0xff);
    else if (value >= -0x8000_0000) this.#push32(0xd2, value);
    else this.#push64(0xd3, value);
  }

  #wideText(value: string): void {
    const encoded = encodeGoText(value);
    this.#reserve(encoded.length + 5);
    this.#textHeader(encoded.length);
    this.bytes(encoded);
  }

  #textHeader(length: number): void {
    if (length < 32) this.#push(0xa0 | length);
    else if (this.#extended && length < 0x100) this.#push(0xd9, length);
    else if (length < 0x1_0000) this.#push(0xda, length >> 8, length & 0xff);
    else this.#push32(0xdb, length);
  }

  #push(lead: number, second?: number, third?: number): void {
    this.#buffer[this.#length] = lead;
    this.#length += 1;
    if (second === undefined) return;
    this.#buffer[this.#length] = second;
    this.#length += 1;
    if (third === undefined) return;
    this.#buffer[this.#length] = third;
    this.#length += 1;
  }

  #push32(lead: number, value: number): void {
    this.#push(lead);
    this.#length = this.#buffer.writeUInt32BE(value >>> 0, this.#length);
  }

  #push64(lead: number, value: number): void {
    this.#push32(lead, Math.floor(value / TWO_TO_32));
    this.#length = this.#buffer.writeUInt32BE(value >>> 0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
