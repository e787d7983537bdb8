/**
 * A log that ends with its process: of a server that keeps nothing on disk, and whose name therefore must not come
 * back either. What is appended counts as durable at once. It shrinks only by `dropThrough`, after a snapshot.
 */
import { strict as assert } from "node:assert";
import { RollcallError } from "../errors/index.ts";
import { EntryRun } from "./entry-run.ts";
import { NO_HARD_STATE } from "./hard-state.ts";
import { TermRuns } from "./term-runs.ts";
import type { HardState, Wal, WalEntry, WalState } from "./wal-port.ts";

export function memoryWal(): Wal {
  return new MemoryWal();
}

class MemoryWal implements Wal {
  readonly #entries = new EntryRun();
  #terms = new TermRuns(0, 0);
  #firstIndex = 1;
  #hardState = NO_HARD_STATE;
  #isClosed = false;
  /** Nothing can go wrong with it. */
  readonly state: WalState = "ok";

  get firstIndex(): number {
    return this.#firstIndex;
  }

  get lastIndex(): number {
    return this.#terms.lastIndex;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get sizeBytes(): number {
    return this.#entries.sizeBytes;
  }

  term(index: number): number | undefined {
    return this.#terms.term(index);
  }

  subscribe(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  async append(entries: readonly WalEntry[]): Promise<void> {
    this.#demandOpen();
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, "entries follow each other");
      assert(Number.isSafeInteger(entry.term) && entry.term > 0, "terms are from 1");
      this.#terms.push(entry.term);
      this.#entries.push(entry);
    }
  }

  async truncateFrom(index: number): Promise<void> {
    this.#demandOpen();
    assert(index >= this.#firstIndex, "what is gone cannot be cut");
    if (index > this.lastIndex) return;
    this.#terms.cutFrom(index);
    this.#entries.cutFrom(index);
  }

  async dropThrough(index: number): Promise<void> {
    this.#demandOpen();
    const dropped = Math.min(index, this.lastIndex);
    if (dropped < this.#firstIndex) return;
    this.#firstIndex = dropped + 1;
    this.#terms.dropBefore(dropped);
    this.#entries.trimBefore(this.#firstIndex, 0);
  }

  async resetTo(index: number, term: number): Promise<void> {
    this.#demandOpen();
    assert(Number.isSafeInteger(index) && index >= 0, "an index");
    this.#terms = new TermRuns(index, term);
    this.#entries.clear();
    this.#firstIndex = index + 1;
  }

  async repair(): Promise<void> {
    this.#demandOpen();
  }

  async read(from: number, through: number, maxBytes: number): Promise<readonly WalEntry[]> {
    assert(from >= this.#firstIndex && from <= this.lastIndex, "an entry that is there");
    return this.#entries.read(from, through, maxBytes);
  }

  async saveHardState(hardState: HardState): Promise<void> {
    this.#demandOpen();
    this.#hardState = hardState;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }

  #demandOpen(): void {
    if (this.#isClosed) throw new RollcallError("disk/failed", "the log is closed");
  }
}
