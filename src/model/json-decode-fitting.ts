/**
 * Decoding of JSON that fits its schema, which nearly all does: fields under their names, every value of its type.
 * It knows no faults: at the first thing that does not fit, or that takes more than a look to tell, it gives up, and
 * `json-decode.ts` decodes the text again and finds Go's words for what is wrong. Where it does not give up, both
 * agree; a property test holds them to it.
 */
import { base64Bytes } from "./base64.ts";
import { parseDuration } from "./duration.ts";
import { isJsonObject, type JsonValue } from "./json-parse.ts";
import { fieldKind, valuesOf, type FieldKind, type FieldSchema } from "./schema.ts";
import { zeroOf, zeroRecord } from "./zero-value.ts";

/** What a value that does not fit is decoded to. */
export const UNFIT: unique symbol = Symbol("unfit");

type Fit = (value: JsonValue) => unknown;

/** @param initial what fields hold instead of Go's zero value when they are missing or null */
export function fittingDecoder(schema: FieldSchema, initial?: object): Fit {
  const fit = compileValue(schema, initial);
  const zero = zeroOf(schema);
  return (value) => (value === null ? zero() : fit(value));
}

function compileValue(schema: FieldSchema, initial?: object): Fit {
  const kind = fieldKind(schema);
  if (kind === "struct") return structDecoder(schema, initial);
  if (kind === "list") return listDecoder(schema.items ?? {});
  return kind === "map" ? mapDecoder(valuesOf(schema)) : SCALARS[kind];
}

const SCALARS: Readonly<Record<Exclude<FieldKind, "struct" | "list" | "map">, Fit>> = {
  text: (value) => (typeof value === "string" ? value : UNFIT),
  bool: (value) => (typeof value === "boolean" ? value : UNFIT),
  // Whether a number may be negative depends on the field.
  int: (value) => (typeof value === "number" && value >= 0 ? value + 0 : UNFIT),
  uint64: (value) => (typeof value === "number" && value >= 0 ? BigInt(value) : UNFIT),
  float: (value) => (typeof value === "number" ? value : UNFIT),
  bytes: (value) => (typeof value === "string" ? (base64Bytes(value) ?? UNFIT) : UNFIT),
  duration: (value) => {
    if (typeof value === "string") return parseDuration(value) ?? UNFIT;
    return typeof value === "number" ? value + 0 : UNFIT;
  },
  any: (value) => (typeof value === "object" ? UNFIT : value),
};

function listDecoder(items: FieldSchema): Fit {
  const fit = fittingDecoder(items);
  return (value) => {
    if (!Array.isArray(value)) return UNFIT;
    const list: unknown[] = [];
    for (let i = 0; i < value.length; i++) {
      const item = fit(value[i] as JsonValue);
      if (item === UNFIT) return UNFIT;
      list.push(item);
    }
    return list;
  };
}

function mapDecoder(values: FieldSchema): Fit {
  const fit = fittingDecoder(values);
  return (value) => {
    if (!isJsonObject(value)) return UNFIT;
    const map = Object.create(null) as Record<string, unknown>;
    for (const key in value) {
      const item = fit(value[key] as JsonValue);
      if (item === UNFIT) return UNFIT;
      map[key] = item;
    }
    return map;
  };
}

interface Field {
  readonly name: string;
  readonly isNullable: boolean;
  readonly fit: Fit;
}

function structDecoder(schema: FieldSchema, initial?: object): Fit {
  const zero = zeroRecord(schema);
  const fields = new Map<string, Field>();
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const isNullable = field["x-nullable"] === true;
    fields.set(name, { name, isNullable, fit: compileValue(field) });
  }
  for (const [name, { "x-alias": aliases = [] }] of Object.entries(schema.properties ?? {})) {
    const field = fields.get(name);
    for (const alias of aliases) {
      if (field !== undefined && !fields.has(alias)) fields.set(alias, field);
    }
  }
  return (value) => {
    if (!isJsonObject(value)) return UNFIT;
    const record = initial === undefined ? zero() : Object.assign(zero(), initial);
    for (const key in value) {
      const field = fields.get(key);
      if (field === undefined) return UNFIT;
      // Which of two spellings counts is not for here to say.
      if (field.name !== key && Object.hasOwn(value, field.name)) return UNFIT;
      const given = value[key] as JsonValue;
      if (given === null) {
        if (field.isNullable) record[field.name] = null;
        continue;
      }
      const decoded = field.fit(given);
      if (decoded === UNFIT) return UNFIT;
      record[field.name] = decoded;
    }
    return record;
  };
}
