/**
 * The state that the consensus log builds: commands in by one door, `apply`; reads out, kept and watched.
 *
 * Synchronous and single-threaded: a read sees the state between two commands. It knows nothing of time,
 * of sockets or of the log.
 *
 * Invariants:
 *   1. A command changes everything that it says, or nothing.
 *   2. ModifyIndex of a record is the index of the last command that really changed it.
 *   3. No index that a read reports goes back, unless tombstones were reaped or the state was restored.
 *   4. After a command, exactly the readings whose cells it touched are stale.
 */
import { RollcallError, unreachable } from "../errors/index.ts";
import type { Command, TxnOp, TxnResponse } from "../model/index.ts";
import { Cells } from "./cells.ts";
import { applyAutopilot } from "./autopilot-write.ts";
import { applyCoordinates } from "./coordinate-write.ts";
import { deregister } from "./deregister.ts";
import { applyKept, isKept } from "./kept-rules.ts";
import { applyKvs, reapTombstones } from "./kv-write.ts";
import { applyPreparedQuery } from "./prepared-query-write.ts";
import { IndexView, ReadView } from "./read-view.ts";
import { Reading, Readings } from "./readings.ts";
import { register } from "./register.ts";
import { applySession } from "./session-write.ts";
import { cloneTables, emptyTables, type Tables } from "./tables.ts";
import { applyTxn } from "./txn-apply.ts";
import { WriteTx, type ApplyEffects } from "./write-tx.ts";

/** What Consul's FSM returns for the command: nil, a bool, a number, a string, a transaction's response, or an error. */
export type ApplyValue = null | boolean | number | string | TxnResponse;
export type ApplyResult =
  | Readonly<{ kind: "done"; value: ApplyValue; effects: ApplyEffects }>
  | Readonly<{ kind: "refused"; error: RollcallError }>;

/** What a snapshot holds of the state. The tables become the store's own. */
export interface RestoredState {
  readonly tables: Tables;
  readonly lastIndex: number;
}

/** Kilobytes, roughly, that the kept readings of one generation may hold. */
const READINGS_MAX_WEIGHT = 64 * 1024;

export class Store {
  readonly #tables: Tables;
  readonly #cells = new Cells();
  readonly #readings: Readings;
  /** The index table as it is now. */
  readonly indexes: IndexView;
  #lastIndex = 0;

  constructor(tables: Tables = emptyTables(), readingsMaxWeight: number = READINGS_MAX_WEIGHT) {
    this.#tables = tables;
    this.#readings = new Readings(this.#cells, readingsMaxWeight);
    this.indexes = new IndexView(tables);
  }

  /** Index of the last command that was applied. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** @param index the command's index in the log, greater than all before it */
  apply(index: number, command: Command): ApplyResult {
    this.#lastIndex = index;
    const tx = new WriteTx(this.#tables, this.#cells, index);
    let value: ApplyValue;
    try {
      value = run(tx, command);
    } catch (error) {
      tx.rollback();
      if (error instanceof RollcallError) return { kind: "refused", error };
      throw error;
    }
    return { kind: "done", value, effects: tx.commit() };
  }

  /** Runs operations of which none writes, on the state as it is. */
  readTxn(ops: readonly TxnOp[]): TxnResponse {
    const tx = new WriteTx(this.#tables, this.#cells, this.#lastIndex);
    const response = applyTxn(tx, ops);
    tx.rollback();
    return response;
  }

  /** Reads without keeping the result. */
  view(): ReadView {
    return new ReadView(this.#tables);
  }

  /**
   * Reads and keeps the result until a cell that it came from changes.
   *
   * @param question names the read and its arguments, all that the result depends on besides the state
   * @param weightOf kilobytes, roughly, that the result holds
   */
  read<T extends object>(
    question: string,
    evaluate: (view: ReadView) => T,
    weightOf: (value: T) => number,
  ): Reading<T> {
    const kept = this.#readings.get(question);
    if (kept !== undefined) return kept as Reading<T>;
    const view = this.view();
    const value = evaluate(view);
    const reading = new Reading(value, view.cells);
    this.#readings.add(question, reading, Math.max(1, weightOf(value)));
    return reading;
  }

  /** The state as it is now; later commands do not change it. Its cost does not depend on its size. */
  snapshot(): Tables {
    return cloneTables(this.#tables);
  }

  /** Becomes what a snapshot says, in one step: whoever waits for a change of anything is told. */
  restore({ tables, lastIndex }: RestoredState): void {
    Object.assign(this.#tables, tables);
    this.#lastIndex = lastIndex;
    this.#readings.invalidateAll();
  }

  /** How many cells are watched: for tests of leaks and for telemetry. */
  get watchedCells(): number {
    return this.#cells.size;
  }
}

function run(tx: WriteTx, command: Command): ApplyValue {
  if (isKept(command)) return applyKept(tx, command);
  switch (command.type) {
    case "Register":
      register(tx, command.body);
      return null;
    case "Deregister":
      deregister(tx, command.body);
      return null;
    case "KVS":
      return applyKvs(tx, command.body);
    case "Session":
      return applySession(tx, command.body);
    case "Tombstone":
      reapTombstones(tx, command.body);
      return null;
    case "Autopilot":
      return applyAutopilot(tx, command.body);
    case "CoordinateBatchUpdate":
      applyCoordinates(tx, command.body);
      return null;
    case "PreparedQuery":
      applyPreparedQuery(tx, command.body);
      return null;
    case "Txn":
      return applyTxn(tx, command.body.Ops ?? []);
    default:
      return unreachable(command);
  }
}
