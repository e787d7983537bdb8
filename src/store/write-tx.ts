/**
 * One command's changes: all or none. Every change of a table goes through here and is noted, so that a
 * command that fails half-way is undone; only a commit tells the readers.
 */
import { cell, type Cells } from "./cells.ts";
import type { OrderedMap } from "./ordered-map.ts";
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
  readonly #undo: (() => void)[] = [];

  constructor(tables: Tables, cells: Cells, index: number) {
    this.tables = tables;
    this.#cells = cells;
    this.index = index;
  }

  put<R, O extends string>(table: Table<R, O>, record: R): void {
    const previous = table.put(record);
    this.#undo.push(() => {
      if (previous === undefined) table.remove(table.keyOf(record));
      else table.put(previous);
    });
  }

  remove<R, O extends string>(table: Table<R, O>, key: string): R | undefined {
    const previous = table.remove(key);
    if (previous !== undefined) this.#undo.push(() => table.put(previous));
    return previous;
  }

  /** Sets rows of the index table to this command's index, which touches their cells. */
  bump(...rows: readonly string[]): void {
    for (const row of rows) {
      this.#setIndex(row, this.index);
      this.#touched.add(cell.row(row));
    }
  }
  /** Like `bump`, for a row that says "a write happened" although what readers see stayed the same. */
  bumpSilently(row: string): void {
    this.#setIndex(row, this.index);
  }
  dropIndex(row: string): void {
    const previous = this.tables.indexes.get(row);
    if (previous === undefined) return;
    this.tables.indexes.delete(row);
    this.#undo.push(() => this.tables.indexes.set(row, previous));
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
    for (const undo of this.#undo.reverse()) undo();
    this.#undo.length = 0;
    this.#touched.clear();
    this.lockDelays.length = 0;
    this.createdSessions.length = 0;
    this.destroyedSessions.length = 0;
    this.tombstone = false;
  }

  #setIndex(row: string, index: number): void {
    const indexes: OrderedMap<number> = this.tables.indexes;
    const previous = indexes.get(row);
    indexes.set(row, index);
    this.#undo.push(() => {
      if (previous === undefined) indexes.delete(row);
      else indexes.set(row, previous);
    });
  }
}
