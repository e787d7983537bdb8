/**
 * The segments, one after the other: what is on the disk. One call that writes at a time.
 *
 * A batch is one write and one sync at the end of the last segment, into zeros that were written there in advance
 * (so that the sync has no change of the file's size to note down). A segment begins whole or not at all.
 *
 * A file that failed to be written or synced is not written again: the system may have let go of what it could
 * not write, and say of the next sync that all is well. The next attempt begins a segment after what was synced.
 */
import { RollcallError } from "../errors/index.ts";
import type { Disk } from "../platform/index.ts";
import { readEntry, Segment } from "./segment.ts";
import {
  HEADER_BYTES,
  recordBytes,
  segmentName,
  writeRecord,
  writeSegmentHeader,
  type Place,
  type Recorded,
  type SegmentHeader,
} from "./segment-format.ts";
import type { WalEntry } from "./wal-port.ts";

/** So much is written in advance. */
const AHEAD_BYTES = 1024 * 1024;
/** A larger buffer than this is not kept for the next batch. */
const KEPT_BYTES = 2 * 1024 * 1024;

/** Where a new segment takes over. */
export type Beginning = Pick<SegmentHeader, "previousIndex" | "previousTerm" | "forgets">;

export interface ChainOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly segmentMaxBytes: number;
}

/** What was found on the disk. */
export interface FoundSegments {
  /** In order. The last one is written on. */
  readonly segments: Segment[];
  /** Whether the last one can be written on; else `settle` makes it so. */
  readonly isSound: boolean;
  /** Files that nothing counts of any more. */
  readonly garbage: Segment[];
  readonly nextSequence: number;
  /** Of the last entry; 0: not known. */
  readonly lastTerm: number;
}

export class SegmentChain implements AsyncDisposable {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #segmentMaxBytes: number;
  readonly #segments: Segment[];
  /** In the order of their sequence, which is that of removing them: an old one never outlives what voids it. */
  #garbage: Segment[];
  #nextSequence: number;
  #lastTerm: number;
  /** Whether the last segment may be written on. */
  #isTrusted: boolean;
  /** Not after a failure, which may be for want of space, as long as that segment lasts. */
  #writesAhead = true;
  #scratch: Buffer = Buffer.alloc(0);

  constructor(options: ChainOptions, found: FoundSegments) {
    this.#disk = options.disk;
    this.#directory = options.directory;
    this.#segmentMaxBytes = options.segmentMaxBytes;
    this.#segments = found.segments;
    this.#isTrusted = found.isSound;
    this.#garbage = found.garbage;
    this.#nextSequence = found.nextSequence;
    this.#lastTerm = found.lastTerm;
  }

  get firstIndex(): number {
    return this.#segments[0]?.firstIndex ?? 1;
  }

  get lastIndex(): number {
    return this.#segments.at(-1)?.lastIndex ?? 0;
  }

  get sizeBytes(): number {
    return [...this.#segments, ...this.#garbage].reduce((sum, { file }) => sum + file.sizeBytes, 0);
  }

  /**
   * Once this resolves, `entries` are durable. If it fails, they may or may not be: call it again with them.
   * @param beginning where to cut the log first
   */
  async write(entries: readonly WalEntry[], beginning?: Beginning): Promise<void> {
    const active = this.#segments.at(-1);
    const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    const fits =
      active !== undefined &&
      (active.end + bytes <= this.#segmentMaxBytes || active.lastIndex < active.firstIndex);
    if (active !== undefined && fits && this.#isTrusted && beginning === undefined) {
      await this.#extend(active, entries, bytes);
    } else {
      await this.#begin(beginning ?? this.#goingOn(), entries, bytes);
    }
    this.#lastTerm = entries.at(-1)?.term ?? beginning?.previousTerm ?? this.#lastTerm;
  }

  /**
   * Removes the segments that only have entries up to `index`; never the last one. They do not count any more once
   * this returns; the promise is about their files.
   */
  async dropThrough(index: number): Promise<void> {
    const kept = this.#segments.findIndex(({ lastIndex }) => lastIndex > index);
    const dropped = kept === -1 ? this.#segments.length - 1 : kept;
    this.#garbage.push(...this.#segments.splice(0, Math.max(0, dropped)));
    await this.removeGarbage();
  }

  /** @throws {RollcallError} `disk/failed`; what is left is tried again the next time */
  async removeGarbage(): Promise<void> {
    this.#garbage.sort((a, b) => a.sequence - b.sequence);
    for (let [oldest] = this.#garbage; oldest !== undefined; [oldest] = this.#garbage) {
      await oldest[Symbol.asyncDispose]();
      await this.#disk.remove(oldest.path);
      this.#garbage.shift();
    }
  }

  /**
   * Writes segments with damaged entries anew, with `entries` in their place.
   * @returns which of `entries` were put in
   */
  async repair(
    entries: readonly WalEntry[],
    termOf: (index: number) => number | undefined,
  ): Promise<readonly WalEntry[]> {
    const byIndex = new Map(entries.map((entry) => [entry.index, entry]));
    const isWanted = ({ index }: WalEntry): boolean => this.#isDamaged(index);
    const wanted = entries.filter(isWanted);
    for (const segment of new Set(wanted.map(({ index }) => this.#segmentOf(index)))) {
      if (segment !== undefined) await this.#rewrite(segment, byIndex, termOf);
    }
    return wanted.filter((entry) => !isWanted(entry));
  }

  /** Writes the last segment anew where that is needed for its entries to be durable, and for it to be written on. */
  async settle(termOf: (index: number) => number | undefined): Promise<void> {
    const active = this.#segments.at(-1);
    if (active !== undefined && !this.#isTrusted) await this.#rewrite(active, new Map(), termOf);
  }

  /**
   * @returns at least the first, unless `damaged` is it. `damaged` is then not served any more.
   */
  async read(
    from: number,
    through: number,
    maxBytes: number,
  ): Promise<{ readonly entries: readonly WalEntry[]; readonly damaged: number | undefined }> {
    const segment = this.#segmentOf(from);
    if (segment === undefined) throw new RollcallError("disk/failed", `entry ${from} is not there`);
    const offset = segment.offsetOf(from);
    const entries = await segment.read(from, through, maxBytes);
    if (entries.length > 0) return { entries, damaged: undefined };
    if (offset !== 0 && segment.offsetOf(from) === offset) {
      segment.markDamaged(from);
      if (segment === this.#segments.at(-1)) this.#isTrusted = false;
    }
    return { entries, damaged: from };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const segment of [...this.#segments, ...this.#garbage]) {
      await segment[Symbol.asyncDispose]();
    }
  }

  async #extend(active: Segment, entries: readonly WalEntry[], bytes: number): Promise<void> {
    if (entries.length === 0) return;
    const { end, sequence, file } = active;
    const fileBytes = end + bytes > file.sizeBytes ? this.#aheadOf(end + bytes) : end + bytes;
    const batch = this.#buffer(fileBytes - end);
    const place = { sequence, start: end };
    const offsets = writeRecords(batch, { place, at: end, records: entries, batches: "one" });
    batch.fill(0, bytes);
    try {
      await file.write(end, batch);
      await file.sync();
    } catch (error) {
      this.#isTrusted = false;
      throw error;
    }
    for (const offset of offsets) active.push(offset);
    active.end = end + bytes;
  }

  async #begin(beginning: Beginning, entries: readonly WalEntry[], bytes: number): Promise<void> {
    const sequence = this.#nextSequence;
    const end = HEADER_BYTES + bytes;
    this.#writesAhead = this.#isTrusted;
    const content = this.#buffer(this.#aheadOf(end));
    const header = { ...beginning, sequence };
    writeSegmentHeader(content, header);
    const place = { sequence, start: 0 };
    const offsets = writeRecords(content, {
      place,
      at: HEADER_BYTES,
      records: entries,
      batches: "one",
    });
    content.fill(0, end);
    this.#isTrusted = false;
    const path = `${this.#directory}/${segmentName(header)}`;
    await this.#disk.replace(path, content);
    const file = await this.#disk.open(path);
    const segment = new Segment({ path, file, header });
    for (const offset of offsets) segment.push(offset);
    segment.end = end;
    this.#nextSequence += 1;
    await this.#trimLast();
    this.#voidAfter(beginning.forgets ? 0 : beginning.previousIndex);
    this.#segments.push(segment);
    this.#isTrusted = true;
  }

  #goingOn(): Beginning {
    return { previousIndex: this.lastIndex, previousTerm: this.#lastTerm, forgets: false };
  }

  /** Gives back what was written in advance of a segment that is not written on. */
  async #trimLast(): Promise<void> {
    const last = this.#segments.at(-1);
    // Only space depends on it.
    await last?.file.truncate(last.end).catch(() => undefined);
  }

  #voidAfter(index: number): void {
    for (let last = this.#segments.at(-1); last !== undefined && last.firstIndex > index;) {
      this.#garbage.push(last);
      this.#segments.pop();
      last = this.#segments.at(-1);
    }
    this.#segments.at(-1)?.cutAfter(index);
  }

  async #rewrite(
    segment: Segment,
    replacements: ReadonlyMap<number, WalEntry>,
    termOf: (index: number) => number | undefined,
  ): Promise<void> {
    const { path, header, firstIndex, lastIndex } = segment;
    const place = { sequence: header.sequence, start: 0 };
    const old = await segment.file.read(0, segment.end);
    const records: Recorded[] = [];
    for (let index = firstIndex; index <= lastIndex; index += 1) {
      const kept = readEntry(old, place, segment.offsetOf(index), index)?.entry;
      records.push(kept ?? replacements.get(index) ?? { index, term: termOf(index) ?? 0 });
    }
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
    const content = Buffer.alloc(HEADER_BYTES + bytes);
    writeSegmentHeader(content, header);
    const offsets = writeRecords(content, { place, at: HEADER_BYTES, records, batches: "each" });
    const isActive = segment === this.#segments.at(-1);
    // From here until the new file is open, what is written to the old one would be lost.
    if (isActive) this.#isTrusted = false;
    await this.#disk.replace(path, content);
    const file = await this.#disk.open(path);
    await segment[Symbol.asyncDispose]();
    const served = offsets.map((offset, at) => (records[at]?.bytes === undefined ? 0 : offset));
    segment.replaceBy(file, served, content.length);
    if (isActive) this.#isTrusted = true;
  }

  /** Where the file is to end so that some further batches find zeros. */
  #aheadOf(end: number): number {
    if (!this.#writesAhead) return end;
    const ahead = end + AHEAD_BYTES;
    return Math.max(end, Math.min(this.#segmentMaxBytes, ahead - (ahead % AHEAD_BYTES)));
  }

  #buffer(bytes: number): Buffer {
    if (bytes > KEPT_BYTES) return Buffer.alloc(bytes);
    if (bytes > this.#scratch.length) this.#scratch = Buffer.alloc(bytes);
    return this.#scratch.subarray(0, bytes);
  }

  #segmentOf(index: number): Segment | undefined {
    return this.#segments.findLast(({ firstIndex }) => firstIndex <= index);
  }

  #isDamaged(index: number): boolean {
    const segment = this.#segmentOf(index);
    return segment !== undefined && index <= segment.lastIndex && segment.offsetOf(index) === 0;
  }
}

interface Writing {
  readonly place: Place;
  /** In the segment, where the first record goes. */
  readonly at: number;
  readonly records: readonly Recorded[];
  /** Whether all records belong to one batch, or each is safe before the next: in a file written as a whole. */
  readonly batches: "one" | "each";
}

/** @returns where in the segment each record begins */
function writeRecords(into: Buffer, { place, at, records, batches }: Writing): readonly number[] {
  const all = { start: at, end: records.reduce((end, record) => end + sizeOf(record), at) };
  const offsets: number[] = [];
  let next = at;
  for (const record of records) {
    offsets.push(next);
    const batch = batches === "one" ? all : { start: next, end: next + sizeOf(record) };
    next = writeRecord(into, place, next, record, batch);
  }
  return offsets;
}

function sizeOf({ bytes }: Recorded): number {
  return recordBytes(bytes?.length ?? 0);
}
