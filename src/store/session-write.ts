/**
 * Log command 3, Session, and what ends a session: its node or one of its checks gone or critical, its
 * TTL over, or an explicit destroy (rules: wire/fsm.md section 6).
 */
import { RollcallError } from "../errors/index.ts";
import type { DirEntry, SessionRequest } from "../model/index.ts";
import { cell } from "./cells.ts";
import { row } from "./index-rows.ts";
import { buryKey } from "./kv-write.ts";
import { deleteQueriesOfSession } from "./prepared-query-write.ts";
import { fold, join } from "./keys.ts";
import { checksOfSession } from "./tables.ts";
import type { WriteTx } from "./write-tx.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);
/** However long a session asks for: a lock is never refused longer than this. */
const MAX_LOCK_DELAY_NS = 60e9;

/** @returns the session's ID, or null after a destroy */
export function applySession(tx: WriteTx, request: SessionRequest): string | null {
  switch (request.Op) {
    case "create":
      return createSession(tx, request);
    case "destroy":
      destroySession(tx, request.Session.ID);
      return null;
    default:
      // The log says what it says, and every server must refuse it alike.
      throw refuse(`Invalid Session operation '${request.Op as string}'`);
  }
}

function createSession(tx: WriteTx, { Session: session }: SessionRequest): string {
  const { tables } = tx;
  if (session.ID === "") throw refuse("Missing session ID");
  const behavior = session.Behavior === "" ? "release" : session.Behavior;
  if (behavior !== "release" && behavior !== "delete") {
    throw refuse(`Invalid Session Behavior setting '${behavior}'`);
  }
  const node = tables.nodes.get(fold(session.Node));
  if (node === undefined) throw refuse("Missing node registration");
  for (const id of checksOfSession(session)) {
    const check = tables.checks.get(join(fold(session.Node), fold(id)));
    if (check === undefined) throw refuse(`Missing check '${id}' registration`);
    if (check.Status === "critical") throw refuse(`Check '${id}' is in critical state`);
  }
  tx.put(tables.sessions, {
    ...session,
    Behavior: behavior,
    CreateIndex: tx.index,
    ModifyIndex: tx.index,
  });
  tx.bump(row.sessions);
  tx.touch(cell.session(session.ID), cell.nodeSessions(fold(session.Node)));
  tx.createdSessions.push(session.ID);
  return session.ID;
}

export function destroySession(tx: WriteTx, id: string): void {
  const { tables } = tx;
  const session = tx.remove(tables.sessions, id);
  if (session === undefined) return;
  tx.bump(row.sessions);
  tx.touch(cell.session(id), cell.nodeSessions(fold(session.Node)));
  tx.destroyedSessions.push(id);
  deleteQueriesOfSession(tx, id);
  const held = tables.kv.order("bySession").values(join(id, ""));
  for (const entry of held) {
    if (session.LockDelay > 0) {
      tx.lockDelays.push({
        key: entry.Key,
        delayNs: Math.min(session.LockDelay, MAX_LOCK_DELAY_NS),
      });
    }
    if (session.Behavior === "delete") buryKey(tx, entry.Key);
    else release(tx, entry);
  }
}

/** Takes only the session away: its keys go on naming it. What a transaction does, in which it is a step among others. */
export function forgetSession(tx: WriteTx, id: string): void {
  const session = tx.remove(tx.tables.sessions, id);
  if (session === undefined) throw refuse("failed deleting session: not found");
  tx.bump(row.sessions);
  tx.touch(cell.session(id), cell.nodeSessions(fold(session.Node)));
  tx.destroyedSessions.push(id);
}

function release(tx: WriteTx, entry: DirEntry): void {
  tx.put(tx.tables.kv, { ...entry, Session: "", ModifyIndex: tx.index });
  tx.bump(row.kvs);
  tx.touchKey(entry.Key);
}

export function destroySessionsOfCheck(tx: WriteTx, node: string, check: string): void {
  const linked = tx.tables.sessions.order("byCheck").values(join(fold(node), fold(check), ""));
  for (const session of linked) destroySession(tx, session.ID);
}

export function destroySessionsOfNode(tx: WriteTx, node: string): void {
  const bound = tx.tables.sessions.order("byNode").values(join(fold(node), ""));
  for (const session of bound) destroySession(tx, session.ID);
}
