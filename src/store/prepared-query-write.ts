/** Log command 7, PreparedQuery, and what else ends a query: its session (rules: wire/fsm.md section 6). */
import { RollcallError } from "../errors/index.ts";
import { uuidLookupFault, type PreparedQuery, type PreparedQueryRequest } from "../model/index.ts";
import { cell } from "./cells.ts";
import { row } from "./index-rows.ts";
import { compileQuery, isTemplate } from "./query-template.ts";
import { fold, join } from "./keys.ts";
import type { WriteTx } from "./write-tx.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

export function applyPreparedQuery(tx: WriteTx, { Op, Query }: PreparedQueryRequest): void {
  switch (Op) {
    case "create":
    case "update":
      return putQuery(tx, Query);
    case "delete":
      return deleteQuery(tx, Query.ID);
    default:
      // The log says what it says, and every server must refuse it alike.
      throw refuse(`Invalid PreparedQuery operation '${Op as string}'`);
  }
}

function putQuery(tx: WriteTx, query: PreparedQuery): void {
  const { preparedQueries, sessions } = tx.tables;
  if (query.ID === "") throw refuse("Missing Query ID");
  const known = preparedQueries.get(fold(query.ID));
  if (isTemplate(query)) compileQuery(query);
  requireFreeName(tx, query);
  if (query.Session !== "") {
    const fault = uuidLookupFault(query.Session);
    if (fault !== undefined) throw refuse(`invalid session: ${fault}`);
    if (sessions.get(query.Session) === undefined)
      throw refuse(`invalid session "${query.Session}"`);
  }
  tx.put(preparedQueries, {
    ...query,
    CreateIndex: known?.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  });
  touchQuery(tx, query.ID);
}

function requireFreeName(tx: WriteTx, { ID, Name, Template }: PreparedQuery): void {
  const { preparedQueries } = tx.tables;
  if (Name === "") {
    const other = Template.Type === "" ? undefined : preparedQueries.order("byPrefix").get("");
    if (other !== undefined && other.ID !== ID) {
      throw refuse("a query template with an empty name already exists");
    }
    return;
  }
  const namesake = preparedQueries.order("byName").get(fold(Name));
  if (namesake !== undefined && namesake.ID !== ID) {
    throw refuse(`name '${Name}' aliases an existing query name`);
  }
  if (preparedQueries.get(fold(Name)) !== undefined) {
    throw refuse(`name '${Name}' aliases an existing query ID`);
  }
}

function deleteQuery(tx: WriteTx, id: string): void {
  if (tx.remove(tx.tables.preparedQueries, fold(id)) !== undefined) touchQuery(tx, id);
}

export function deleteQueriesOfSession(tx: WriteTx, session: string): void {
  const bound = tx.tables.preparedQueries.order("bySession").values(join(session, ""));
  for (const { ID } of bound) deleteQuery(tx, ID);
}

function touchQuery(tx: WriteTx, id: string): void {
  tx.bump(row.preparedQueries);
  tx.touch(cell.preparedQuery(fold(id)));
}
