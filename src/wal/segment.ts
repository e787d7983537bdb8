/** One file of the log, as it is known in memory: where the record of each entry stands. */
import type { DiskFile } from "../platform/index.ts";
import {
  isBodyWhole,
  readBody,
  readRecordHead,
  type Place,
  type SegmentHeader,
} from "./segment-format.ts";
import type { WalEntry } from "./wal-port.ts";

const FIRST_OFFSETS = 16;

export interface SegmentOptions {
  readonly path: string;
  readonly file: DiskFile;
  readonly header: SegmentHeader;
}

export class Segment implements AsyncDisposable {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly firstIndex: number;
  file: DiskFile;
  /** Where the next record goes. */
  end = 0;
  /** By index from the first; 0 where the entry is damaged. */
  #offsets = new Uint32Array(FIRST_OFFSETS);
  #count = 0;

  constructor({ path, file, header }: SegmentOptions) {
    this.path = path;
    this.file = file;
    this.header = header;
    this.firstIndex = header.previousIndex + 1;
  }

  get sequence(): number {
    return this.header.sequence;
  }

  /** `firstIndex - 1` when there is no entry. */
  get lastIndex(): number {
    return this.firstIndex + this.#count - 1;
  }

  get isDamaged(): boolean {
    return this.#offsets.subarray(0, this.#count).includes(0);
  }

  /** @returns 0 where the entry is damaged */
  offsetOf(index: number): number {
    return this.#offsets[index - this.firstIndex] ?? 0;
  }

  /** Of the entry after the last one. */
  push(offset: number): void {
    if (this.#count === this.#offsets.length) {
      const larger = new Uint32Array(FIRST_OFFSETS + 2 * this.#count);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    this.#offsets[this.#count] = offset;
    this.#count += 1;
  }

  /** What follows is void: another segment has taken over. */
  cutAfter(index: number): void {
    this.#count = Math.min(this.#count, Math.max(0, index - this.firstIndex + 1));
  }

  markDamaged(index: number): void {
    this.#offsets[index - this.firstIndex] = 0;
  }

  /** The file was written anew, with the same entries. */
  replaceBy(file: DiskFile, offsets: readonly number[], end: number): void {
    this.file = file;
    this.#offsets = Uint32Array.from(offsets);
    this.#count = offsets.length;
    this.end = end;
  }

  /**
   * Entries from `from` on, at least one and at most to `through`, whose records have `maxBytes` together.
   * Ends before one that turns out to be damaged.
   */
  async read(from: number, through: number, maxBytes: number): Promise<readonly WalEntry[]> {
    const start = this.offsetOf(from);
    let last = from;
    while (last < Math.min(through, this.lastIndex)) {
      if (this.offsetOf(last + 1) === 0 || this.#endOf(last + 1) - start > maxBytes) break;
      last += 1;
    }
    if (start === 0) return [];
    const place = { sequence: this.sequence, start };
    const bytes = await this.file.read(start, this.#endOf(last) - start);
    const entries: WalEntry[] = [];
    for (let at = start; entries.length <= last - from;) {
      const read = readEntry(bytes, place, at, from + entries.length);
      if (read === undefined) break;
      entries.push(read.entry);
      at = read.end;
    }
    return entries;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file[Symbol.asyncDispose]();
  }

  /** Records stand one after the other, but for those that are damaged. */
  #endOf(index: number): number {
    for (let next = index + 1; next <= this.lastIndex; next += 1) {
      const offset = this.offsetOf(next);
      if (offset !== 0) return offset;
    }
    return this.end;
  }
}

/** @returns undefined where another entry stands, or none that is whole */
export function readEntry(
  bytes: Uint8Array,
  place: Place,
  at: number,
  index: number,
): { readonly entry: WalEntry; readonly end: number } | undefined {
  const head = readRecordHead(bytes, place, at);
  if (head?.index !== index || !isBodyWhole(bytes, place, at, head)) return undefined;
  return {
    entry: { index, term: head.term, bytes: readBody(bytes, place, at, head) },
    end: head.end,
  };
}
