/**
 * The newest entries, in memory: followers that keep up are fed from here, and what is not durable yet is nowhere
 * else.
 */
import type { WalEntry } from "./wal-port.ts";

/** Once durable, entries are kept up to so much. */
export const RECENT_BYTES_MAX = 4 * 1024 * 1024;
/** What an entry takes beside its bytes. */
const ENTRY_OVERHEAD_BYTES = 150;
/** Let go of in one go, as moving all the others costs time. */
const HOLES_MAX = 1024;

export class RecentEntries {
  #entries: (WalEntry | undefined)[] = [];
  /** How many at the front are gone. */
  #holes = 0;
  #bytes = 0;

  /** Infinity when there are none. */
  get firstIndex(): number {
    return this.#entries[this.#holes]?.index ?? Number.POSITIVE_INFINITY;
  }

  push(entry: WalEntry): void {
    this.#entries.push(entry);
    this.#bytes += costOf(entry);
  }

  cutFrom(index: number): void {
    for (let last = this.#entries.at(-1); last !== undefined && last.index >= index;) {
      this.#entries.pop();
      this.#bytes -= costOf(last);
      last = this.#entries.at(-1);
    }
  }

  clear(): void {
    this.#entries = [];
    this.#holes = 0;
    this.#bytes = 0;
  }

  /** Lets go of the oldest ones before `index` while there are too many. */
  trimBefore(index: number): void {
    while (this.#bytes > RECENT_BYTES_MAX && this.firstIndex < index) {
      const oldest = this.#entries[this.#holes];
      if (oldest !== undefined) this.#bytes -= costOf(oldest);
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
