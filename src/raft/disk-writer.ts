/** Carries what the core wants durable to the write-ahead log, and tells it, in order, when it is. */
import type { Wal } from "../wal/index.ts";
import type { Effect, Ticket } from "./effects.ts";
import { toWalEntry } from "./wal-entry.ts";

export interface DiskWriterOptions {
  readonly wal: Wal;
  readonly onDurable: (ticket: Ticket) => void;
  /** The log has taken less than it was given: there is no going on. */
  readonly onFailure: (error: Error) => void;
}
type Persist = Extract<Effect, { kind: "persist" }>;
type Restore = Extract<Effect, { kind: "restore" }>;

export class DiskWriter {
  readonly #options: DiskWriterOptions;
  /** Of the ticket before. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: DiskWriterOptions) {
    this.#options = options;
  }

  persist({ ticket, hardState, truncateFrom, entries }: Persist): void {
    const { wal } = this.#options;
    // The log keeps the order of the calls, and shows their outcome to readers at once.
    const writes: Promise<void>[] = [];
    if (hardState !== undefined) writes.push(wal.saveHardState(hardState));
    if (truncateFrom !== undefined) writes.push(wal.truncateFrom(truncateFrom));
    if (entries.length > 0) writes.push(this.#append(entries));
    this.#inOrder(ticket, writes);
  }

  restore({ ticket, snapshot, log }: Restore): void {
    const { wal } = this.#options;
    this.#inOrder(ticket, log === "reset" ? [wal.resetTo(snapshot.index, snapshot.term)] : []);
  }

  async #append(entries: Persist["entries"]): Promise<void> {
    const { wal } = this.#options;
    const last = entries.at(-1);
    try {
      await wal.append(entries.map(toWalEntry));
    } catch (error) {
      // Cut away before it was durable: the core has cut it away too, and knows not to count on it.
      const isCut = last !== undefined && wal.term(last.index) !== last.term;
      if (!isCut) throw error;
    }
  }

  #inOrder(ticket: Ticket, writes: readonly Promise<void>[]): void {
    const all = Promise.all(writes);
    const before = this.#last;
    this.#last = (async () => {
      await all;
      await before;
      this.#options.onDurable(ticket);
    })();
    this.#last.catch((error: unknown) => this.#options.onFailure(error as Error));
  }
}
