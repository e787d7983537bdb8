/** How nouns that are kept as they came (`model/kept.ts`) enter their tables and leave them. */
import { RollcallError } from "../errors/index.ts";
import type { KeptRecord } from "../model/index.ts";
import type { AnyValue } from "../wire/index.ts";
import { isRecord } from "./kept-message.ts";
import type { KeptTable, KeptTableName } from "./kept-tables.ts";
import type { WriteTx } from "./write-tx.ts";

export const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

export const NOTHING: KeptRecord = {};

/** A field that is a record, or an empty one. */
export function recordOf(record: KeptRecord, field: string): KeptRecord {
  const value = record[field];
  return isRecord(value) ? value : NOTHING;
}

export function recordsOf(record: KeptRecord, field: string): readonly KeptRecord[] {
  return listOf(record, field).filter(isRecord);
}

export function textsOf(record: KeptRecord, field: string): readonly string[] {
  return listOf(record, field).filter((value) => typeof value === "string");
}

function listOf(record: KeptRecord, field: string): readonly AnyValue[] {
  const value = record[field];
  return Array.isArray(value) ? (value as readonly AnyValue[]) : [];
}

export const tableOf = (tx: WriteTx, name: KeptTableName): KeptTable => tx.tables.kept[name];

/** Files a record under its key, with its indexes. @param index of its last change */
export function file(
  tx: WriteTx,
  name: KeptTableName,
  record: KeptRecord,
  index: number = tx.index,
): void {
  const table = tableOf(tx, name);
  tx.put(table, {
    ...record,
    CreateIndex: table.get(table.keyOf(record))?.["CreateIndex"] ?? BigInt(index),
    ModifyIndex: BigInt(index),
  });
  tx.bump(...KEPT_ROWS[name]);
}

/** Takes a record away, if it is there. */
export function strike(tx: WriteTx, name: KeptTableName, key: string): void {
  if (tx.remove(tableOf(tx, name), key) !== undefined) tx.bump(...KEPT_ROWS[name]);
}

/** The rows of the index table that a change of each moves. */
export const KEPT_ROWS: Readonly<Record<KeptTableName, readonly string[]>> = {
  aclTokens: ["acl-tokens"],
  aclPolicies: ["acl-policies"],
  aclRoles: ["acl-roles"],
  aclBindingRules: ["acl-binding-rules"],
  aclAuthMethods: ["acl-auth-methods"],
  intentions: ["connect-intentions"],
  caRoots: ["connect-ca-roots"],
  caProviderStates: ["connect-ca-builtin"],
  caConfig: [],
  configEntries: ["config-entries"],
  federationStates: ["federation-states"],
};
