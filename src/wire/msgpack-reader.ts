/**
 * Reads msgpack as Go's codec library does with its old specification: the cursor under the codecs that
 * msgpack-codec.ts makes of schemas.
 *
 *     00..7f fixint    80..8f fixmap    90..9f fixarray    a0..bf fixraw    e0..ff negative fixint
 *     c0 nil   c2 c3 bool   c4 c5 c6 bin   c7 c8 c9 ext   ca cb float   cc..cf uint   d0..d3 int
 *     d4..d8 fixext   d9 str8   da db raw   dc dd array   de df map
 *
 * It takes every form that Go takes and refuses what Go refuses: an integer where a float is wanted is fine,
 * the reverse is not; bytes may come as raw or bin, text only as raw. A length is believed only once that
 * many bytes are there, and `elementsMax` bounds how many values a message may be blown up to.
 */
import { viewOf } from "./byte-view.ts";
import { decodeGoText } from "./go-text.ts";
import { EndsEarly, malformed } from "./malformed.ts";

/** Elements of all lists and maps of one message together. A state exchange of 50,000 members has half of it. */
export const ELEMENTS_MAX = 1_048_576;
/** Nesting of free-form values. Schemas bound their own. */
export const DEPTH_MAX = 32;

const TWO_TO_32 = 0x1_0000_0000;

/** Up to here a loop is done sooner than V8's own copying has begun. */
const COPIED_BY_HAND_BYTES = 64;

/** Bytes that follow the lead byte of what has a fixed length; from ca to d8, without a hole. */
const FIXED_LENGTHS = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17];

export class MsgpackReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly #end: number;
  #elementsLeft: number;
  #depth = 0;

  constructor(bytes: Uint8Array, offset = 0, elementsMax = ELEMENTS_MAX) {
    this.bytes = bytes;
    this.offset = offset;
    this.#end = bytes.byteLength;
    this.#elementsLeft = elementsMax;
  }

  get leftBytes(): number {
    return this.#end - this.offset;
  }

  peek(): number {
    const lead = this.bytes[this.offset];
    if (lead === undefined) throw new EndsEarly(this.offset + 1);
    return lead;
  }

  /** Steps over a nil, if one is next. */
  takeNil(): boolean {
    if (this.peek() !== 0xc0) return false;
    this.offset += 1;
    return true;
  }

  bool(): boolean {
    const lead = this.#lead();
    if (lead === 0xc3 || lead === 0x01) return true;
    if (lead === 0xc2 || lead === 0x00) return false;
    throw unexpected("a bool", lead);
  }

  /** @throws `wire/malformed` also for what is outside of `min` to `max`, which must be safe integers */
  integer(min: number, max: number): number {
    const value = this.#integer();
    if (value < min || value > max) throw malformed(`integer out of range: ${value}`);
    return value;
  }

  /** Any integer of 64 bits. */
  wideInteger(): bigint {
    const lead = this.peek();
    if (lead !== 0xcf && lead !== 0xd3) return BigInt(this.#integer());
    const view = this.#view(8);
    return lead === 0xcf ? view.getBigUint64(0) : view.getBigInt64(0);
  }

  float(): number {
    const lead = this.peek();
    if (lead === 0xca) return this.#view(4).getFloat32(0);
    if (lead === 0xcb) return this.#view(8).getFloat64(0);
    return this.#integer();
  }

  text(): string {
    const length = this.#rawLength(false);
    this.offset += length;
    return decodeGoText(this.bytes, this.offset - length, this.offset);
  }

  /** A view: it lives as long as the bytes that are read, and changes with them. */
  raw(): Uint8Array {
    const length = this.#rawLength(true);
    this.offset += length;
    return viewOf(this.bytes, this.offset - length, this.offset);
  }

  /** A copy, so that keeping four bytes of an address does not keep the whole packet. */
  rawCopy(): Uint8Array {
    const length = this.#rawLength(true);
    this.offset += length;
    if (length > COPIED_BY_HAND_BYTES)
      return viewOf(this.bytes, this.offset - length, this.offset).slice();
    const copy = new Uint8Array(length);
    for (let i = 0, at = this.offset - length; i < length; i += 1, at += 1) {
      copy[i] = this.bytes[at] ?? 0;
    }
    return copy;
  }

  isList(): boolean {
    const lead = this.peek();
    return (lead & 0xf0) === 0x90 || lead === 0xdc || lead === 0xdd;
  }

  isMap(): boolean {
    const lead = this.peek();
    return (lead & 0xf0) === 0x80 || lead === 0xde || lead === 0xdf;
  }

  /** @returns how many elements follow */
  listHeader(): number {
    const lead = this.#lead();
    if ((lead & 0xf0) === 0x90) return this.#elements(lead & 0x0f, 1);
    if (lead === 0xdc) return this.#elements(this.#u16(), 1);
    if (lead === 0xdd) return this.#elements(this.#u32(), 1);
    throw unexpected("a list", lead);
  }

  /** @returns how many pairs of key and value follow */
  mapHeader(): number {
    const lead = this.#lead();
    if ((lead & 0xf0) === 0x80) return this.#elements(lead & 0x0f, 2);
    if (lead === 0xde) return this.#elements(this.#u16(), 2);
    if (lead === 0xdf) return this.#elements(this.#u32(), 2);
    throw unexpected("a map", lead);
  }

  /** Steps over `wanted` if exactly these bytes are next. */
  takeBytes(wanted: Uint8Array): boolean {
    const { bytes, offset } = this;
    for (let i = 0; i < wanted.length; i += 1) {
      if (bytes[offset + i] !== wanted[i]) return false;
    }
    this.offset += wanted.length;
    return true;
  }

  /** Steps over one value of any kind, in constant stack. */
  skip(): void {
    for (let values = 1; values > 0; values -= 1) {
      const lead = this.peek();
      if (this.isList()) values += this.listHeader();
      else if (this.isMap()) values += 2 * this.mapHeader();
      else this.#skipScalar(lead);
    }
  }

  /** Around what may nest: @throws `wire/malformed` when it does so too deeply */
  descend<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw malformed("nested too deeply");
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #skipScalar(lead: number): void {
    if (lead < 0x80 || lead >= 0xe0) {
      this.offset += 1;
      return;
    }
    if (isRaw(lead) || isBin(lead)) {
      const length = this.#rawLength(true);
      this.offset += length;
      return;
    }
    const isAlone = lead === 0xc0 || lead === 0xc2 || lead === 0xc3;
    const fixed = isAlone ? 0 : FIXED_LENGTHS[lead - 0xca];
    if (fixed !== undefined) {
      this.#need(1 + fixed);
      this.offset += 1 + fixed;
      return;
    }
    if (lead < 0xc7 || lead > 0xc9) throw unexpected("a value", lead);
    this.offset += 1;
    const length = lead === 0xc7 ? this.#u8() : lead === 0xc8 ? this.#u16() : this.#u32();
    this.#need(1 + length);
    this.offset += 1 + length;
  }

  #integer(): number {
    const lead = this.#lead();
    if (lead < 0x80) return lead;
    if (lead >= 0xe0) return lead - 0x100;
    switch (lead) {
      case 0xcc:
        return this.#u8();
      case 0xcd:
        return this.#u16();
      case 0xce:
        return this.#u32();
      case 0xcf: {
        const high = this.#u32();
        return high * TWO_TO_32 + this.#u32();
      }
      case 0xd0:
        return (this.#u8() << 24) >> 24;
      case 0xd1:
        return (this.#u16() << 16) >> 16;
      case 0xd2:
        return this.#u32() | 0;
      case 0xd3: {
        const high = this.#u32() | 0;
        return high * TWO_TO_32 + this.#u32();
      }
      default:
        throw unexpected("an integer", lead);
    }
  }

  /** Leaves `offset` at the first of that many bytes, all of which are there. */
  #rawLength(binToo: boolean): number {
    const lead = this.#lead();
    let length: number;
    if ((lead & 0xe0) === 0xa0) length = lead & 0x1f;
    else if (lead === 0xd9 || (binToo && lead === 0xc4)) length = this.#u8();
    else if (lead === 0xda || (binToo && lead === 0xc5)) length = this.#u16();
    else if (lead === 0xdb || (binToo && lead === 0xc6)) length = this.#u32();
    else throw unexpected(binToo ? "bytes" : "text", lead);
    this.#need(length);
    return length;
  }

  #elements(count: number, bytesEach: number): number {
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) throw malformed("too many elements");
    this.#need(count * bytesEach);
    return count;
  }

  #lead(): number {
    const lead = this.peek();
    this.offset += 1;
    return lead;
  }

  #need(length: number): void {
    if (this.offset + length > this.#end) throw new EndsEarly(this.offset + length);
  }

  /** Steps over a lead byte and `length` more, which are then to be looked at. */
  #view(length: number): DataView {
    this.#need(1 + length);
    this.offset += 1 + length;
    const { bytes, offset } = this;
    return new DataView(bytes.buffer, bytes.byteOffset + offset - length, length);
  }

  #u8(): number {
    this.#need(1);
    this.offset += 1;
    return this.bytes[this.offset - 1] ?? 0;
  }

  #u16(): number {
    this.#need(2);
    this.offset += 2;
    const { bytes, offset } = this;
    return ((bytes[offset - 2] ?? 0) << 8) | (bytes[offset - 1] ?? 0);
  }

  #u32(): number {
    this.#need(4);
    this.offset += 4;
    const { bytes, offset } = this;
    const high = ((bytes[offset - 4] ?? 0) << 8) | (bytes[offset - 3] ?? 0);
    const low = ((bytes[offset - 2] ?? 0) << 8) | (bytes[offset - 1] ?? 0);
    return high * 0x1_0000 + low;
  }
}

export function isRaw(lead: number): boolean {
  return (lead & 0xe0) === 0xa0 || (lead >= 0xd9 && lead <= 0xdb);
}

export function isBin(lead: number): boolean {
  return lead >= 0xc4 && lead <= 0xc6;
}

export function unexpected(wanted: string, lead: number): Error {
  return malformed(`expected ${wanted}, found 0x${lead.toString(16).padStart(2, "0")}`);
}
