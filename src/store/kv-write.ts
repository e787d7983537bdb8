/** Log commands 2, KVS, and 5, Tombstone (rules: wire/fsm.md section 6). */
import { RollcallError } from "../errors/index.ts";
import {
  sameBytes,
  type DirEntry,
  type KvsRequest,
  type TombstoneRequest,
} from "../model/index.ts";
import { row } from "./index-rows.ts";
import type { WriteTx } from "./write-tx.ts";

const EMPTY = new Uint8Array();

/** @returns whether the operation's condition held; true where it has none */
export function applyKvs(tx: WriteTx, { Op, DirEnt }: KvsRequest): boolean {
  const known = tx.tables.kv.get(DirEnt.Key);
  switch (Op) {
    case "set":
      put(tx, DirEnt, known, known?.Session ?? "");
      return true;
    case "cas":
      if ((known?.ModifyIndex ?? 0) !== DirEnt.ModifyIndex) return false;
      put(tx, DirEnt, known, known?.Session ?? "");
      return true;
    case "delete":
      buryKey(tx, DirEnt.Key);
      return true;
    case "delete-cas":
      if (known === undefined) return true;
      if (known.ModifyIndex !== DirEnt.ModifyIndex) return false;
      buryKey(tx, DirEnt.Key);
      return true;
    case "delete-tree":
      buryTree(tx, DirEnt.Key);
      return true;
    case "lock":
      return lock(tx, DirEnt, known);
    case "unlock":
      requireSession(tx, DirEnt.Session, { mustExist: false });
      if (known === undefined || known.Session !== DirEnt.Session) return false;
      put(tx, { ...DirEnt, LockIndex: known.LockIndex }, known, "");
      return true;
    default:
      // The log says what it says, and every server must refuse it alike.
      throw new RollcallError("request/refused", `Invalid KVS operation '${Op as string}'`);
  }
}

function lock(tx: WriteTx, wanted: DirEntry, known: DirEntry | undefined): boolean {
  requireSession(tx, wanted.Session, { mustExist: true });
  if (known !== undefined && known.Session !== "" && known.Session !== wanted.Session) return false;
  const isHeld = known?.Session === wanted.Session;
  const LockIndex = (known?.LockIndex ?? 0) + (isHeld ? 0 : 1);
  put(tx, { ...wanted, LockIndex }, known, wanted.Session);
  return true;
}

function requireSession(tx: WriteTx, id: string, { mustExist }: { mustExist: boolean }): void {
  if (id === "") throw new RollcallError("request/refused", "missing session");
  if (mustExist && tx.tables.sessions.get(id) === undefined) {
    throw new RollcallError("request/refused", `invalid session "${id}"`);
  }
}

/** Writes unless nothing would change: then the entry keeps its ModifyIndex and nobody wakes. */
function put(
  tx: WriteTx,
  { Key, Flags, Value, LockIndex }: DirEntry,
  known: DirEntry | undefined,
  Session: string,
): void {
  if (
    known !== undefined &&
    known.LockIndex === LockIndex &&
    known.Flags === Flags &&
    known.Session === Session &&
    sameBytes(known.Value ?? EMPTY, Value ?? EMPTY)
  ) {
    return;
  }
  tx.put(tx.tables.kv, {
    LockIndex,
    Key,
    Flags,
    Value,
    Session,
    CreateIndex: known?.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  });
  tx.bump(row.kvs);
  tx.touchKey(Key);
}

/** Deletes a key and lays its tombstone. */
export function buryKey(tx: WriteTx, key: string): void {
  if (tx.remove(tx.tables.kv, key) === undefined) return;
  tx.bump(row.kvs);
  tx.touchKey(key);
  layTombstone(tx, key);
}

function buryTree(tx: WriteTx, prefix: string): void {
  const doomed = tx.tables.kv.rows.values(prefix);
  if (doomed.length === 0) return;
  for (const { Key } of doomed) {
    tx.remove(tx.tables.kv, Key);
    tx.touchKey(Key);
  }
  tx.bump(row.kvs);
  if (prefix !== "") layTombstone(tx, prefix);
}

function layTombstone(tx: WriteTx, key: string): void {
  tx.put(tx.tables.tombstones, { Key: key, Index: tx.index });
  tx.bump(row.tombstones);
  tx.tombstone = true;
}

/** Takes the tombstones up to an index away; from then on a prefix's index may be lower than it was. */
export function reapTombstones(tx: WriteTx, { Op, ReapIndex }: TombstoneRequest): void {
  if ((Op as string) !== "reap") {
    throw new RollcallError("request/refused", `Invalid Tombstone operation '${Op}'`);
  }
  const { tombstones } = tx.tables;
  for (const { Key, Index } of tombstones.rows.values()) {
    if (Index <= ReapIndex) tx.remove(tombstones, Key);
  }
}
