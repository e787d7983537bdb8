/**
 * The log's files, `<sequence>-<first index>.wal`, read in the order of their sequence. Numbers are little-endian.
 *
 *     0          40               80
 *     +----------+----------------+----------+----------+- - - -+-----------------------------+
 *     | header   | the same again | record   | record   |       | zeros, written in advance   |
 *     +----------+----------------+----------+----------+- - - -+-----------------------------+
 *
 *     header   0              8            12      16               24          32   36       40
 *              +--------------+------------+-------+----------------+-----------+----+--------+
 *              | "ROLLWAL" 01 | sequence   | flags | previousIndex  | ..Term    | 0  | sum    |
 *              +--------------+------------+-------+----------------+-----------+----+--------+
 *
 *     record   0    1    2 4        8       16     24           28         32        36        40
 *              +----+----+-+--------+-------+------+------------+----------+---------+---------+-------------+---------+
 *              |kind|mask|0| length | index | term | batchStart | batchEnd | bodySum | headSum | body ^ mask | ff, 1-8 |
 *              +----+----+-+--------+-------+------+------------+----------+---------+---------+-------------+---------+
 *
 * A segment's header says after which entry it goes on: what earlier segments hold beyond that is void, and with
 * the flag `forgets` all that they hold. Beginning a segment is the only way to cut the log, so that a file is only
 * ever written at its end.
 *
 * Sums are CRC-32C; those of heads are bound to the place that they stand at. A record is as long as it takes to
 * end, with an ff, on a multiple of 8. A batch, from one offset of the file to another, is what was written and
 * synced at once; what stands behind it was written only afterwards. `mask` makes sure that no sector of the disk which belongs to it is all
 * zeros, and zeros are what a sector holds that was never written: so one can tell a write that was torn from
 * one that decayed (segment-scan.ts).
 */
import { crc32c } from "./crc32c.ts";
import type { WalEntry } from "./wal-port.ts";

export const SECTOR_BYTES = 512;
/** Of a segment's two headers together. */
export const HEADER_BYTES = 80;
export const RECORD_HEAD_BYTES = 40;
export const ALIGNMENT_BYTES = 8;

const MAGIC = Buffer.from("ROLLWAL\x01", "latin1");
const COPY_BYTES = HEADER_BYTES / 2;
const COPY_SUM_AT = COPY_BYTES - 4;
const FORGETS = 1;
const PADDING = 0xff;
const TWO_TO_32 = 0x1_0000_0000;

/** `lost` stands for an entry that was found damaged when its segment was written anew. */
const KINDS = { entry: 0x65, lost: 0x6c } as const;
const HEAD_SUM_AT = RECORD_HEAD_BYTES - 4;

export interface SegmentHeader {
  readonly sequence: number;
  /** The entry before this segment's first. Term 0: not known, or there is none. */
  readonly previousIndex: number;
  readonly previousTerm: number;
  /** Nothing in earlier segments counts any more. */
  readonly forgets: boolean;
}

/** Offsets in the segment. */
export interface Batch {
  readonly start: number;
  readonly end: number;
}

export interface RecordHead {
  readonly kind: keyof typeof KINDS;
  readonly batch: Batch;
  readonly index: number;
  readonly term: number;
  readonly length: number;
  /** Where the next record begins, counted like the offset of this one. */
  readonly end: number;
  readonly mask: number;
  readonly bodySum: number;
}

/** What is put into a record. Without bytes it is one of kind `lost`. */
export type Recorded = Omit<WalEntry, "bytes"> & Partial<WalEntry>;

export function segmentName({ sequence, previousIndex }: SegmentHeader): string {
  const firstIndex = previousIndex + 1;
  return `${String(sequence).padStart(10, "0")}-${String(firstIndex).padStart(16, "0")}.wal`;
}

/** @returns as much of the header as the name says, undefined for the name of something else */
export function parseSegmentName(name: string): SegmentHeader | undefined {
  const [, sequence, firstIndex] = /^(\d{10})-(\d{16})\.wal$/.exec(name) ?? [];
  if (sequence === undefined || firstIndex === undefined) return undefined;
  const previousIndex = Number(firstIndex) - 1;
  return { sequence: Number(sequence), previousIndex, previousTerm: 0, forgets: false };
}

/** Both copies, at the start of `into`. */
export function writeSegmentHeader(into: Buffer, header: SegmentHeader): void {
  for (const at of [0, COPY_BYTES]) {
    into.set(MAGIC, at);
    into.writeUInt32LE(header.sequence, at + 8);
    into.writeUInt32LE(header.forgets ? FORGETS : 0, at + 12);
    writeUint64(into, at + 16, header.previousIndex);
    writeUint64(into, at + 24, header.previousTerm);
    into.writeUInt32LE(0, at + 32);
    into.writeUInt32LE(crc32c(into, at, at + COPY_SUM_AT), at + COPY_SUM_AT);
  }
}

/** @returns undefined when neither copy is whole */
export function readSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  return [0, COPY_BYTES].flatMap((at) => readCopy(bytes, at) ?? [])[0];
}

function readCopy(bytes: Uint8Array, at: number): SegmentHeader | undefined {
  if (bytes.length < at + COPY_BYTES) return undefined;
  if (!MAGIC.every((byte, i) => bytes[at + i] === byte)) return undefined;
  if (crc32c(bytes, at, at + COPY_SUM_AT) !== uint32(bytes, at + COPY_SUM_AT)) return undefined;
  return {
    sequence: uint32(bytes, at + 8),
    previousIndex: uint64(bytes, at + 16),
    previousTerm: uint64(bytes, at + 24),
    forgets: uint32(bytes, at + 12) === FORGETS,
  };
}

export function recordBytes(bodyBytes: number): number {
  const whole = RECORD_HEAD_BYTES + bodyBytes + ALIGNMENT_BYTES;
  return whole - (whole % ALIGNMENT_BYTES);
}

export interface Place {
  readonly sequence: number;
  /** Where in the segment the first byte of the buffer stands. */
  readonly start: number;
}

/**
 * @param at in the segment
 * @returns where the next record goes
 */
export function writeRecord(
  into: Buffer,
  { sequence, start }: Place,
  at: number,
  { index, term, bytes }: Recorded,
  batch: Batch,
): number {
  const head = at - start;
  const body = head + RECORD_HEAD_BYTES;
  const length = bytes?.length ?? 0;
  const end = head + recordBytes(length);
  const mask = bytes === undefined ? 0 : maskFor(bytes, at + RECORD_HEAD_BYTES);
  if (bytes !== undefined) writeMasked(into, body, bytes, mask);
  into.fill(PADDING, body + length, end);
  into[head] = bytes === undefined ? KINDS.lost : KINDS.entry;
  into[head + 1] = mask;
  into.writeUInt16LE(0, head + 2);
  into.writeUInt32LE(length, head + 4);
  writeUint64(into, head + 8, index);
  writeUint64(into, head + 16, term);
  into.writeUInt32LE(batch.start, head + 24);
  into.writeUInt32LE(batch.end, head + 28);
  into.writeUInt32LE(crc32c(into, body, body + length), head + 32);
  into.writeUInt32LE(sumOfHead(into, head, seedOf(sequence, at)), head + HEAD_SUM_AT);
  return start + end;
}

/** @returns undefined where no whole head of a record stands */
export function readRecordHead(
  bytes: Uint8Array,
  { sequence, start }: Place,
  at: number,
): RecordHead | undefined {
  const head = at - start;
  const kind = bytes[head];
  if (kind !== KINDS.entry && kind !== KINDS.lost) return undefined;
  if (bytes.length < head + RECORD_HEAD_BYTES) return undefined;
  const sum = sumOfHead(bytes, head, seedOf(sequence, at));
  if (sum !== uint32(bytes, head + HEAD_SUM_AT)) return undefined;
  const length = uint32(bytes, head + 4);
  return {
    kind: kind === KINDS.entry ? "entry" : "lost",
    mask: bytes[head + 1] ?? 0,
    length,
    index: uint64(bytes, head + 8),
    term: uint64(bytes, head + 16),
    batch: { start: uint32(bytes, head + 24), end: uint32(bytes, head + 28) },
    bodySum: uint32(bytes, head + 32),
    end: at + recordBytes(length),
  };
}

/** What stood here before one bit of it flipped. Two heads that are whole differ in at least six. */
export function mendRecordHead(
  bytes: Uint8Array,
  { sequence, start }: Place,
  at: number,
): RecordHead | undefined {
  const copy = Uint8Array.prototype.slice.call(bytes, at - start, at - start + RECORD_HEAD_BYTES);
  for (let bit = 0; bit < 8 * copy.length; bit += 1) {
    const flip = 1 << (bit & 7);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ flip;
    const head = readRecordHead(copy, { sequence, start: at }, at);
    if (head !== undefined) return head;
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ flip;
  }
  return undefined;
}

/** Whether the entry that belongs to `head` is there as it was written. */
export function isBodyWhole(
  bytes: Uint8Array,
  { start }: Place,
  at: number,
  { kind, length, bodySum }: RecordHead,
): boolean {
  const body = at - start + RECORD_HEAD_BYTES;
  if (kind !== "entry" || body + length > bytes.length) return false;
  return crc32c(bytes, body, body + length) === bodySum;
}

/** A copy of what was put into a record whose body is whole. */
export function readBody(
  bytes: Uint8Array,
  { start }: Place,
  at: number,
  { length, mask }: RecordHead,
): Uint8Array {
  const body = at - start + RECORD_HEAD_BYTES;
  const copy = Uint8Array.prototype.slice.call(bytes, body, body + length);
  if (mask !== 0) for (let i = 0; i < length; i += 1) copy[i] = (copy[i] ?? 0) ^ mask;
  return copy;
}

function sumOfHead(bytes: Uint8Array, head: number, seed: number): number {
  return crc32c(bytes, head, head + HEAD_SUM_AT, seed);
}

/** Sums with different seeds never agree, so nothing is taken for what it is not at another place. */
function seedOf(sequence: number, at: number): number {
  return (Math.imul(sequence, 0x9e37_79b1) ^ at) >>> 0;
}

/**
 * A byte that no whole sector of the body consists of throughout: 0 nearly always. A body of more than 128 kB can
 * have a sector for each byte there is; it is then left as it is.
 */
function maskFor(body: Uint8Array, at: number): number {
  const first = (SECTOR_BYTES - (at % SECTOR_BYTES)) % SECTOR_BYTES;
  let hasZeros = false;
  for (let sector = first; sector + SECTOR_BYTES <= body.length; sector += SECTOR_BYTES) {
    hasZeros ||= body[sector] === 0 && isUniform(body, sector);
  }
  if (!hasZeros) return 0;
  const taken = new Set<number | undefined>();
  for (let sector = first; sector + SECTOR_BYTES <= body.length; sector += SECTOR_BYTES) {
    if (isUniform(body, sector)) taken.add(body[sector]);
  }
  for (let mask = 1; mask < 256; mask += 1) if (!taken.has(mask)) return mask;
  return 0;
}

/** Whether a sector's worth of bytes is one and the same. */
function isUniform(bytes: Uint8Array, start: number): boolean {
  const byte = bytes[start];
  for (let at = start + 1; at < start + SECTOR_BYTES; at += 1) if (bytes[at] !== byte) return false;
  return true;
}

function writeMasked(into: Uint8Array, at: number, body: Uint8Array, mask: number): void {
  into.set(body, at);
  if (mask === 0) return;
  for (let i = at; i < at + body.length; i += 1) into[i] = (into[i] ?? 0) ^ mask;
}

function writeUint64(into: Buffer, at: number, value: number): void {
  into.writeUInt32LE(value % TWO_TO_32, at);
  into.writeUInt32LE(Math.floor(value / TWO_TO_32), at + 4);
}

function uint64(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) + TWO_TO_32 * uint32(bytes, at + 4);
}

function uint32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return low + ((bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)) * 0x1_0000;
}
