/**
 * Which fields of a record a filter can name, and what it can ask of them. Both follow from the record's
 * schema; what Consul leaves out besides is listed here.
 */
import { fieldKind, valuesOf, type FieldSchema } from "../model/index.ts";
import type { MatchOperator } from "./expression.ts";

/** Consul hides these, wherever they stand. */
const HIDDEN_FIELDS: ReadonlySet<string> = new Set(["CreateIndex", "ModifyIndex", "Definition"]);

/** The schema of a field that filters can name. */
export function selectableField(struct: FieldSchema, name: string): FieldSchema | undefined {
  const fields = struct.properties ?? {};
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined || HIDDEN_FIELDS.has(name) || !isSelectable(field)) return undefined;
  return field;
}

function isSelectable(schema: FieldSchema): boolean {
  const kind = fieldKind(schema);
  switch (kind) {
    case "any":
    case "bytes":
    case "duration":
    case "float":
    case "uint64":
      return false;
    case "list":
      return isSelectable(schema.items ?? {});
    case "map":
      return isSelectable(valuesOf(schema));
    case "struct":
    case "text":
    case "bool":
    case "int":
      return true;
  }
}

const EMPTINESS: readonly MatchOperator[] = ["Is Empty", "Is Not Empty"];
const EQUALITY: readonly MatchOperator[] = ["Equal", "Not Equal"];
const MEMBERSHIP: readonly MatchOperator[] = ["In", "Not In"];
const PATTERN: readonly MatchOperator[] = ["Matches", "Not Matches"];

export function operatorsOf(schema: FieldSchema): readonly MatchOperator[] {
  const kind = fieldKind(schema);
  switch (kind) {
    case "text":
      return [...EQUALITY, ...MEMBERSHIP, ...PATTERN];
    case "bool":
    case "int":
      return EQUALITY;
    case "map":
      return [...MEMBERSHIP, ...EMPTINESS];
    case "list":
      return fieldKind(schema.items ?? {}) === "text" ? [...MEMBERSHIP, ...EMPTINESS] : EMPTINESS;
    case "struct":
    case "any":
    case "bytes":
    case "duration":
    case "float":
    case "uint64":
      return [];
  }
}
