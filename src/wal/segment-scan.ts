/**
 * Finds the entries in the bytes of a segment, and tells two kinds of damage apart.
 *
 * A write that was under way when the power failed is torn: some of its sectors have never been written and hold
 * zeros, or the file ends early. Nothing in it was acknowledged, and it is cut off. What was acknowledged and
 * cannot be read has decayed, and must be reported. Both show as a sum that does not agree.
 *
 * One batch is written at a time, each once the one before is safe. So what anything stands behind, be it another
 * segment or a single byte after the batch, has decayed. In the last batch it has, unless something is missing:
 * by the format, zeros where a record stands show that it was never there.
 *
 * What this takes for granted of a disk: a sector of 512 bytes is written whole or not at all, or at least up to
 * some byte; and writing to one sector harms no other.
 */
import {
  ALIGNMENT_BYTES,
  HEADER_BYTES,
  isBodyWhole,
  mendRecordHead,
  readRecordHead,
  RECORD_HEAD_BYTES,
  SECTOR_BYTES,
  type Batch,
  type RecordHead,
} from "./segment-format.ts";

export interface Scan {
  /** Where each entry's record stands, the first first; 0 where it is damaged. */
  readonly offsets: readonly number[];
  /** 0 where the term is gone too. */
  readonly terms: readonly number[];
  /** Where the next record goes. */
  readonly end: number;
  /** The last one that there is anything of; it may have been longer. */
  readonly lastBatch: Batch;
  /** Of a torn write, after `end`. */
  readonly tornBytes: number;
}

export interface Scanned {
  readonly sequence: number;
  readonly firstIndex: number;
  /** Where the next segment takes over; undefined for the last one. */
  readonly lastIndex: number | undefined;
}

/** @param bytes all of the segment */
export function scanSegment(bytes: Uint8Array, segment: Scanned): Scan {
  return new Scanner(bytes, segment).scan();
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #place: { readonly sequence: number; readonly start: 0 };
  readonly #lastIndex: number | undefined;
  readonly #offsets: number[] = [];
  readonly #terms: number[] = [];
  #index: number;
  #at = HEADER_BYTES;
  /** Of the record before. */
  #batch: Batch = { start: HEADER_BYTES, end: HEADER_BYTES };
  #tornBytes = 0;
  #dataEnd: number | undefined;

  constructor(bytes: Uint8Array, { sequence, firstIndex, lastIndex }: Scanned) {
    this.#bytes = bytes;
    this.#place = { sequence, start: 0 };
    this.#lastIndex = lastIndex;
    this.#index = firstIndex;
  }

  scan(): Scan {
    const lastIndex = this.#lastIndex ?? Number.POSITIVE_INFINITY;
    while (this.#index <= lastIndex && this.#step(lastIndex));
    return {
      offsets: this.#offsets,
      terms: this.#terms,
      end: this.#at,
      lastBatch: this.#batch,
      tornBytes: this.#tornBytes,
    };
  }

  /** @returns whether there may be more */
  #step(lastIndex: number): boolean {
    const head = this.#headAt(this.#at, readRecordHead);
    if (head !== undefined && this.#isWhole(head)) {
      this.#pass(head, this.#at);
      return true;
    }
    const mended = head ?? this.#headAt(this.#at, mendRecordHead);
    if (this.#lastIndex === undefined && head?.kind !== "lost" && !this.#hasDecayed(mended)) {
      this.#tornBytes = Math.max(0, this.#end() - this.#at);
      return false;
    }
    if (mended !== undefined) {
      this.#pass(mended, 0);
      return true;
    }
    const next = this.#nextHead();
    const through = next === undefined ? (this.#lastIndex ?? this.#index) : next.head.index - 1;
    while (this.#index <= Math.min(through, lastIndex)) this.#push(0, 0);
    this.#at = next?.at ?? this.#end();
    return next !== undefined;
  }

  /** To its very end, of which the sum knows nothing: without it the batch would look torn for ever. */
  #isWhole(head: RecordHead): boolean {
    if ((this.#bytes[head.end - 1] ?? 0) === 0) return false;
    return isBodyWhole(this.#bytes, this.#place, this.#at, head);
  }

  /** @param offset 0: it is damaged */
  #pass({ term, batch, end }: RecordHead, offset: number): void {
    this.#push(offset, term);
    this.#batch = batch;
    this.#at = end;
  }

  #push(offset: number, term: number): void {
    this.#offsets.push(offset);
    this.#terms.push(term);
    this.#index += 1;
  }

  /** Of the entry that is due here. */
  #headAt(at: number, read: typeof readRecordHead): RecordHead | undefined {
    const head = read(this.#bytes, this.#place, at);
    return head?.index === this.#index ? head : undefined;
  }

  #nextHead(): { readonly at: number; readonly head: RecordHead } | undefined {
    for (let at = this.#at + ALIGNMENT_BYTES; at < this.#end(); at += ALIGNMENT_BYTES) {
      const head = readRecordHead(this.#bytes, this.#place, at);
      if (head !== undefined && head.index >= this.#index) return { at, head };
    }
    return undefined;
  }

  /** Whether all that belongs to the record here, which cannot be read, was once on the disk. */
  #hasDecayed(head: RecordHead | undefined): boolean {
    const end = this.#end();
    const batchEnd = this.#batchEnd(head);
    if (batchEnd !== undefined && batchEnd !== end) return batchEnd < end;
    const leastEnd = head?.end ?? this.#at + RECORD_HEAD_BYTES + ALIGNMENT_BYTES;
    if (leastEnd > end || end % ALIGNMENT_BYTES !== 0) return false;
    if (this.#isBlank(this.#at, this.#at + ALIGNMENT_BYTES)) return false;
    for (let from = this.#at; from < end;) {
      const sectorEnd = Math.min(end, from - (from % SECTOR_BYTES) + SECTOR_BYTES);
      if (this.#isBlank(from, sectorEnd)) return false;
      from = sectorEnd;
    }
    return true;
  }

  /** Of the batch that the record here belongs to: from any of its records that can be read. */
  #batchEnd(head: RecordHead | undefined): number | undefined {
    if (head !== undefined) return head.batch.end;
    if (this.#batch.end > this.#at) return this.#batch.end;
    const { batch } = this.#nextHead()?.head ?? {};
    // One that starts later tells at least that it was begun.
    if (batch !== undefined && batch.start > this.#at) return batch.start;
    return batch?.end;
  }

  /** After the last byte that is not zero. */
  #end(): number {
    if (this.#dataEnd !== undefined) return this.#dataEnd;
    let end = this.#bytes.length;
    while (end > 0 && this.#bytes[end - 1] === 0) end -= 1;
    this.#dataEnd = end;
    return end;
  }

  #isBlank(start: number, end: number): boolean {
    for (let at = start; at < end; at += 1) if (this.#bytes[at] !== 0) return false;
    return true;
  }
}
