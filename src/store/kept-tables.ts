/**
 * Tables of the nouns that are kept as they came (`model/kept.ts`), each under its key, and under what else is unique
 * in it or leads to it.
 */
import type { KeptRecord } from "../model/index.ts";
import { fold, join } from "./keys.ts";
import { Table } from "./table.ts";

export type KeptTable = Table<KeptRecord, "other">;

/** A field that is text; "" where it is something else. */
export function textOf(record: KeptRecord, field: string): string {
  const value = record[field];
  return typeof value === "string" ? value : "";
}

export function indexOf(
  record: KeptRecord,
  field: "CreateIndex" | "ModifyIndex" | "Index",
): number {
  const value = record[field];
  return typeof value === "bigint" ? Number(value) : 0;
}

type KeyOf = (record: KeptRecord) => string;

/** @param otherOf "": the record does not stand in the other order */
function table(keyOf: KeyOf, otherOf: KeyOf = () => ""): () => KeptTable {
  const orders = {
    other: (record: KeptRecord): readonly string[] => {
      const key = otherOf(record);
      return key === "" ? [] : [key];
    },
  };
  return () => new Table({ key: keyOf, orders });
}

const folded =
  (field: string): KeyOf =>
  (record) =>
    fold(textOf(record, field));

/** The two ends of an intention, which no other may have. */
const ends: KeyOf = (intention) =>
  ["SourceNS", "SourceName", "DestinationNS", "DestinationName"]
    .map((field) => join(fold(textOf(intention, field)), ""))
    .join("");

/** The table of the CA's configuration has one row. */
export const CA_CONFIG_KEY = "";

const TABLES = {
  /** Legacy tokens have no accessor. */
  aclTokens: table((token) => textOf(token, "SecretID"), folded("AccessorID")),
  aclPolicies: table(folded("ID"), folded("Name")),
  aclRoles: table(folded("ID"), folded("Name")),
  aclBindingRules: table(folded("ID"), (rule) =>
    join(fold(textOf(rule, "AuthMethod")), fold(textOf(rule, "ID"))),
  ),
  aclAuthMethods: table(folded("Name")),
  intentions: table(folded("ID"), ends),
  caRoots: table((root) => textOf(root, "ID")),
  caProviderStates: table((state) => textOf(state, "ID")),
  caConfig: table(() => CA_CONFIG_KEY),
  configEntries: table((entry) => join(fold(textOf(entry, "Kind")), fold(textOf(entry, "Name")))),
  federationStates: table(folded("Datacenter")),
} as const;

export type KeptTableName = keyof typeof TABLES;
export type KeptTables = Readonly<Record<KeptTableName, KeptTable>>;

const NAMES = Object.keys(TABLES) as KeptTableName[];

export function emptyKeptTables(): KeptTables {
  return Object.fromEntries(NAMES.map((name) => [name, TABLES[name]()])) as unknown as KeptTables;
}

export function cloneKeptTables(tables: KeptTables): KeptTables {
  return Object.fromEntries(
    NAMES.map((name) => [name, tables[name].clone()]),
  ) as unknown as KeptTables;
}
