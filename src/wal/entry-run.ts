/** Entries in memory, with consecutive indexes: all of a log that is kept nowhere else, or the newest of one on disk. */
import type { WalEntry } from "./wal-port.ts";

/** What an entry takes beside its bytes. */
const ENTRY_OVERHEAD_BYTES = 150;
/** Let go of in one go, as moving all the others costs time. */
const HOLES_MAX = 1024;

export class EntryRun {
  #entries: (WalEntry | undefined)[] = [];
  /** How many at the front are gone. */
  #holes = 0;
  #sizeBytes = 0;

  /** Infinity when there are none. */
  get firstIndex(): number {
    return this.#entries[this.#holes]?.index ?? Number.POSITIVE_INFINITY;
  }

  /** What they take, roughly. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  push(entry: WalEntry): void {
    this.#entries.push(entry);
    this.#sizeBytes += costOf(entry);
  }

  cutFrom(index: number): void {
    for (let last = this.#entries.at(-1); last !== undefined && last.index >= index;) {
      this.#entries.pop();
      this.#sizeBytes -= costOf(last);
      last = this.#entries.at(-1);
    }
  }

  clear(): void {
    this.#entries = [];
    this.#holes = 0;
    this.#sizeBytes = 0;
  }

  /** Lets go of the oldest ones before `index` as long as all together take more than `keptBytesMax`. */
  trimBefore(index: number, keptBytesMax: number): void {
    while (this.#sizeBytes > keptBytesMax && this.firstIndex < index) {
      const oldest = this.#entries[this.#holes];
      if (oldest !== undefined) this.#sizeBytes -= costOf(oldest);
      this.#entries[this.#holes] = undefined;
      this.#holes += 1;
    }
    if (this.#holes < HOLES_MAX && this.#holes < this.#entries.length) return;
    this.#entries.splice(0, this.#holes);
    this.#holes = 0;
  }

  /** At least one, if `from` is here; further ones as long as they have `maxBytes` together. */
  read(from: number, through: number, maxBytes: number): readonly WalEntry[] {
    const start = this.#holes + from - this.firstIndex;
    const entries: WalEntry[] = [];
    let bytes = 0;
    for (let at = start; at <= start + through - from; at += 1) {
      const entry = this.#entries[at];
      bytes += entry?.bytes.length ?? 0;
      if (entry === undefined || (entries.length > 0 && bytes > maxBytes)) break;
      entries.push(entry);
    }
    return entries;
  }
}

function costOf({ bytes }: WalEntry): number {
  return bytes.length + ENTRY_OVERHEAD_BYTES;
}
