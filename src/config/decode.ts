/**
 * Values to typed settings: the types are checked as Consul checks them, in Consul's words.
 *
 * No weak conversion: "true" is no boolean, 5 is no duration. Two leniencies are Consul's own: a fraction
 * given for an integer is cut off, and a list of one stands for its element, since HCL writes objects so.
 * Keys match whatever their case. Unknown keys are collected, not refused: `unknownKeysError` does that, so
 * that all of a document's typing mistakes are told together.
 */
import { errorList, RollcallError } from "../errors/index.ts";
import { suggest } from "./suggest.ts";
import {
  goKindOf,
  goTypeOf,
  plainMap,
  toPlain,
  type MapValue,
  type Plain,
  type PlainMap,
  type Value,
} from "./value.ts";

type ScalarType = "string" | "bool" | "int" | "uint" | "uint32" | "uint64" | "float64";
export type Shape =
  | ScalarType
  | Readonly<{ kind: "list" | "map"; of: Shape }>
  | Readonly<{
      kind: "struct";
      fields: Readonly<Record<string, Shape>>;
      /** Further spellings, in lower case, and the field that each stands for. */
      aliases?: Readonly<Record<string, string>>;
    }>
  /** A map whose content is nobody's business. */
  | Readonly<{ kind: "any-map" }>
  | Readonly<{ kind: "any" }>;
export type StructShape = Extract<Shape, { kind: "struct" }>;

export const listOf = (of: Shape): Shape => ({ kind: "list", of });
export const mapOf = (of: Shape): Shape => ({ kind: "map", of });
export const struct = (
  fields: Readonly<Record<string, Shape>>,
  aliases: Readonly<Record<string, string>> = {},
): StructShape => ({ kind: "struct", fields, aliases });
export const anyMap: Shape = { kind: "any-map" };

/** A key nobody knows: where it was found, and the names that its place does have. */
export interface UnknownKey {
  readonly parent: string;
  readonly key: string;
  readonly known: readonly string[];
}
export interface Decoded {
  readonly value: PlainMap;
  readonly unknown: readonly UnknownKey[];
}

/**
 * @returns only what the document gives: absent and null fields are absent
 * @throws {RollcallError} `config/invalid`: `1 error(s) decoding:⏎⏎* 'ports.http' expected type 'int', …`
 */
export function decode(document: MapValue, shape: StructShape): Decoded {
  const context: Context = { errors: [], unknown: [] };
  const value = decodeStruct(document, shape, "", context);
  if (context.errors.length > 0) throw decodeError(context.errors);
  return { value, unknown: context.unknown };
}

function decodeError(errors: readonly string[]): RollcallError {
  const lines = errors.toSorted().map((error) => `* ${error}`);
  return new RollcallError(
    "config/invalid",
    `${errors.length} error(s) decoding:\n\n${lines.join("\n")}`,
  );
}

/** Consul's text, with a guess at what was meant: `* invalid config key port (did you mean ports?)`. */
export function unknownKeysError(unknown: readonly UnknownKey[]): RollcallError | undefined {
  if (unknown.length === 0) return undefined;
  return manyErrors(
    unknown.map(({ parent, key, known }) => {
      const prefix = parent === "" ? "" : `${parent}.`;
      const guess = suggest(key, known);
      const hint = guess === undefined ? "" : ` (did you mean ${prefix}${guess}?)`;
      return `invalid config key ${prefix}${key}${hint}`;
    }),
  );
}

/** How Consul lists several errors, or one. */
export function manyErrors(errors: readonly string[]): RollcallError {
  return new RollcallError("config/invalid", errorList(errors));
}

interface Context {
  readonly errors: string[];
  readonly unknown: UnknownKey[];
}

function decodeValue(given: Value, shape: Shape, path: string, context: Context): Plain {
  const value = isListShape(shape) ? given : withoutSingleLists(given);
  if (value.kind === "null") return null;
  if (typeof shape === "string") return decodeScalar(value, shape, path, context);
  switch (shape.kind) {
    case "list":
      return decodeList(value, shape.of, path, context);
    case "map":
      return decodeMap(value, shape.of, path, context);
    case "struct":
      if (isMap(value, path, context)) return decodeStruct(value, shape, path, context);
      return null;
    case "any-map":
      return isMap(value, path, context) ? toPlain(value) : null;
    case "any":
      return toPlain(value);
  }
}

const isListShape = (shape: Shape): boolean =>
  typeof shape === "object" && (shape.kind === "list" || shape.kind === "any");

function withoutSingleLists(given: Value): Value {
  let value = given;
  while (value.kind === "list" && value.items.length === 1 && value.items[0] !== undefined) {
    value = value.items[0];
  }
  return value;
}

function decodeScalar(value: Value, type: ScalarType, path: string, context: Context): Plain {
  const isNumber = value.kind === "int" || value.kind === "float";
  if (type === "string" && value.kind === "string") return value.value;
  if (type === "bool" && value.kind === "bool") return value.value;
  if (type !== "string" && type !== "bool" && isNumber) {
    if (type === "float64") return value.value;
    if (type !== "int" && value.value < 0) {
      const shown = value.kind === "float" ? value.value.toFixed(6) : String(value.value);
      context.errors.push(`cannot parse '${path}', ${shown} overflows uint`);
      return null;
    }
    return Math.trunc(value.value);
  }
  context.errors.push(
    `'${path}' expected type '${type}', got unconvertible type '${goTypeOf(value)}'`,
  );
  return null;
}

function decodeList(value: Value, of: Shape, path: string, context: Context): Plain {
  if (value.kind !== "list") {
    context.errors.push(`'${path}': source data must be an array or slice, got ${goKindOf(value)}`);
    return null;
  }
  return value.items.map((item, i) => {
    const decoded = decodeValue(item, of, `${path}[${i}]`, context);
    return decoded ?? zeroOf(of);
  });
}

/** A null inside a list is Go's zero value there. */
function zeroOf(shape: Shape): Plain {
  if (shape === "string") return "";
  if (shape === "bool") return false;
  if (typeof shape === "string") return 0;
  return shape.kind === "list" ? [] : plainMap([]);
}

function decodeMap(value: Value, of: Shape, path: string, context: Context): Plain {
  if (!isMap(value, path, context)) return null;
  return plainMap(
    [...value.entries].map(
      ([key, item]) =>
        [key, decodeValue(item, of, `${path}[${key}]`, context) ?? zeroOf(of)] as const,
    ),
  );
}

function isMap(value: Value, path: string, context: Context): value is MapValue {
  if (value.kind === "map") return true;
  context.errors.push(`'${path}' expected a map, got '${goKindOf(value)}'`);
  return false;
}

function decodeStruct(
  value: MapValue,
  { fields, aliases = {} }: StructShape,
  path: string,
  context: Context,
): PlainMap {
  const given = new Map<string, Value>();
  const strays: string[] = [];
  const byLowerCase = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  for (const [key, item] of value.entries) {
    const lower = key.toLowerCase();
    const name = Object.hasOwn(fields, key) ? key : byLowerCase.get(lower);
    const aliased = Object.hasOwn(aliases, lower) ? aliases[lower] : undefined;
    if (name !== undefined) given.set(name, item);
    else if (aliased === undefined) strays.push(key);
    // The proper spelling wins over an alias, whichever comes first.
    else if (!given.has(aliased) && !value.entries.has(aliased)) given.set(aliased, item);
  }
  const decoded: [string, Plain][] = [];
  for (const [name, shape] of Object.entries(fields)) {
    const item = given.get(name);
    if (item === undefined) continue;
    const plain = decodeValue(item, shape, path === "" ? name : `${path}.${name}`, context);
    if (plain !== null) decoded.push([name, plain]);
  }
  const known = Object.keys(fields);
  for (const key of strays) context.unknown.push({ parent: path, key, known });
  return plainMap(decoded);
}
