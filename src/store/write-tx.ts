/**
 * One command's changes: all or none. Every change of a table goes through here and is noted, so that a
 * command that fails half-way is undone; only a commit tells the readers.
 */
import { cell, type Cells } from "./cells.ts";
import type { Table } from "./table.ts";
import type { Tables } from "./tables.ts";

/** A key whose lock may not be taken again for a while, because its holder did not let go of it. */
export interface LockDelay {
  readonly key: string;
  readonly delayNs: number;
}
/** What a command brought about besides its result; servers act on it, each for itself. */
export interface ApplyEffects {
  readonly lockDelays: readonly LockDelay[];
  readonly createdSessions: readonly string[];
  readonly destroyedSessions: readonly string[];
  /** A tombstone was laid at this command's index. */
  readonly tombstone: boolean;
}

/** A step back: the table and the key, with the record that is to stand there again. */
interface Undo {
  readonly of: Restorable;
  readonly key: string;
  readonly previous: unknown;
}
/** A table or the index table, whose records are of its own kind. */
interface Restorable {
  /** @param previous undefined: there was nothing */
  restore(key: string, previous: unknown): void;
}

export class WriteTx {
  readonly tables: Tables;
  /** The log index of the command. */
  readonly index: number;
  readonly lockDelays: LockDelay[] = [];
  readonly createdSessions: string[] = [];
  readonly destroyedSessions: string[] = [];
  tombstone = false;

  readonly #cells: Cells;
  readonly #touched = new Set<string>();
  /** What to do to undo all this, in the order of the changes. */
  readonly #undo: Undo[] = [];

  constructor(tables: Tables, cells: Cells, index: number) {
    this.tables = tables;
    this.#cells = cells;
    this.index = index;
  }

  put<R, O extends string>(table: Table<R, O>, record: R): void {
    const key = table.keyOf(record);
    this.#undo.push({ of: table, key, previous: table.putAt(key, record) });
  }

  remove<R, O extends string>(table: Table<R, O>, key: string): R | undefined {
    const previous = table.remove(key);
    if (previous !== undefined) this.#undo.push({ of: table, key, previous });
    return previous;
  }

  /** Sets rows of the index table to this command's index, which touches their cells. */
  bump(...rows: readonly string[]): void {
    for (const row of rows) {
      this.#setIndex(row, this.index);
      this.#touched.add(cell.row(row));
    }
  }
  /** Sets a row that holds another number than an index. */
  setRow(row: string, value: number): void {
    this.#setIndex(row, value);
    this.#touched.add(cell.row(row));
  }
  /** Like `bump`, for a row that says "a write happened" although what readers see stayed the same. */
  bumpSilently(row: string): void {
    this.#setIndex(row, this.index);
  }
  dropIndex(row: string): void {
    const { indexes } = this.tables;
    const previous = indexes.get(row);
    if (previous === undefined) return;
    indexes.delete(row);
    this.#undo.push({ of: indexes, key: row, previous });
    this.#touched.add(cell.row(row));
  }

  touch(...cells: readonly string[]): void {
    for (const name of cells) this.#touched.add(name);
  }
  touchKey(key: string): void {
    for (const name of this.#cells.ofKey(key)) this.#touched.add(name);
  }

  commit(): ApplyEffects {
    this.#cells.touch(this.#touched);
    const { lockDelays, createdSessions, destroyedSessions, tombstone } = this;
    return { lockDelays, createdSessions, destroyedSessions, tombstone };
  }
  /** Undoes everything; what is committed after it is nothing. */
  rollback(): void {
    for (const { of, key, previous } of this.#undo.reverse()) of.restore(key, previous);
    this.#undo.length = 0;
    this.#touched.clear();
    this.lockDelays.length = 0;
    this.createdSessions.length = 0;
    this.destroyedSessions.length = 0;
    this.tombstone = false;
  }

  #setIndex(row: string, index: number): void {
    const { indexes } = this.tables;
    this.#undo.push({ of: indexes, key: row, previous: indexes.get(row) });
    indexes.set(row, index);
  }
}
