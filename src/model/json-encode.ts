/**
 * Records to JSON, byte for byte as Go's encoding/json prints them: fields in the schema's order, empty
 * fields left out where the schema says so, map keys sorted by bytes, `<`, `>` and `&` escaped.
 *
 * A schema is compiled once to a tree of closures; encoding a record walks that tree and looks at no keyword.
 */
import { encodeBase64 } from "./base64.ts";
import { formatDuration } from "./duration.ts";
import { newLine, prettyJson } from "./json-pretty.ts";
import { compareKeys } from "./key-text.ts";
import { fieldKind, valuesOf, type FieldSchema, type Static, type TSchema } from "./schema.ts";

type Encode = (value: unknown) => string;

/** How a text is laid out: on one line, or one item a line, each level four spaces further in (`json-pretty.ts`). */
export type JsonStyle = "compact" | "pretty";

export function jsonEncoder<T extends TSchema>(
  schema: T,
  style: JsonStyle = "compact",
): (value: Static<T>) => string {
  return compile(schema, style === "compact" ? COMPACT : prettyLayout(0));
}

/** What stands around the items of a list or an object. A schema says how deep each is, so these are constants. */
interface Layout {
  /** Before the first item, before each other, and after the last. */
  readonly first: string;
  readonly next: string;
  readonly last: string;
  /** Between a key and its value. */
  readonly colon: string;
  /** Of the lists and objects in this one. */
  readonly inner: () => Layout;
  /** Lays out a compact text that stands in this one's place. */
  readonly layOut: (compact: string) => string;
}

const COMPACT: Layout = {
  first: "",
  next: ",",
  last: "",
  colon: ":",
  inner: () => COMPACT,
  layOut: (compact) => compact,
};

function prettyLayout(depth: number): Layout {
  const line = newLine(depth + 1);
  return {
    first: line,
    next: `,${line}`,
    last: newLine(depth),
    colon: ": ",
    inner: () => prettyLayout(depth + 1),
    layOut: (compact) => prettyJson(compact, depth),
  };
}

function compile(schema: FieldSchema, layout: Layout): Encode {
  const encode = compileValue(schema, layout);
  if (schema["x-nullable"] !== true) return encode;
  return (value) => (value === null ? "null" : encode(value));
}

function compileValue(schema: FieldSchema, layout: Layout): Encode {
  switch (fieldKind(schema)) {
    case "struct":
      return structEncoder(schema.properties ?? {}, layout);
    case "list":
      return listEncoder(compile(schema.items ?? {}, layout.inner()), layout);
    case "map":
      return mapEncoder(compile(valuesOf(schema), layout.inner()), layout);
    case "bytes":
      return encodeBytes;
    case "duration":
      return schema["x-output"] === "string"
        ? (value) => encodeString(formatDuration(value as number))
        : encodeNumber;
    case "int":
    case "float":
      return encodeNumber;
    case "uint64":
      return (value) => (value as bigint).toString();
    case "text":
      return (value) => encodeString(value as string);
    case "bool":
      return (value) => (value === true ? "true" : "false");
    case "any":
      return (value) => layout.layOut(encodeAny(value));
  }
}

interface FieldEncoder {
  readonly name: string;
  /** `"Name":` as the first field, and as another. */
  readonly firstLabel: string;
  readonly nextLabel: string;
  readonly encode: Encode;
  /** Says whether a value is left out. Undefined: none is. */
  readonly isEmpty: ((value: unknown) => boolean) | undefined;
}

function structEncoder(
  properties: Readonly<Record<string, FieldSchema>>,
  { first, next, last, colon, inner }: Layout,
): Encode {
  const fields: readonly FieldEncoder[] = Object.entries(properties).map(([name, schema]) => ({
    name,
    firstLabel: `${first}${encodeString(name)}${colon}`,
    nextLabel: `${next}${encodeString(name)}${colon}`,
    encode: compile(schema, inner()),
    isEmpty: schema["x-omitempty"] === true ? emptiness(schema) : undefined,
  }));
  return (value) => {
    const record = value as Readonly<Record<string, unknown>>;
    let out = "";
    for (const { name, firstLabel, nextLabel, encode, isEmpty } of fields) {
      const field = record[name];
      if (isEmpty?.(field) === true) continue;
      out += out === "" ? firstLabel : nextLabel;
      out += encode(field);
    }
    return out === "" ? "{}" : `{${out}${last}}`;
  };
}

/** Go's omitempty: zero, false, "" and null, an empty list or map; never a struct that is there. */
function emptiness(schema: FieldSchema): ((value: unknown) => boolean) | undefined {
  switch (fieldKind(schema)) {
    case "text":
      return (value) => value === "";
    case "bool":
      return schema["x-nullable"] === true ? (value) => value === null : (value) => value === false;
    case "int":
    case "float":
    case "duration":
      return (value) => value === 0;
    case "uint64":
      return (value) => value === 0n;
    case "list":
    case "bytes":
      return (value) => value === null || (value as ArrayLike<unknown>).length === 0;
    case "map":
      return (value) => value === null || Object.keys(value as object).length === 0;
    case "struct":
      return schema["x-nullable"] === true ? (value) => value === null : undefined;
    case "any":
      return (value) => value === null;
  }
}

function listEncoder(encode: Encode, { first, next, last }: Layout): Encode {
  return (value) => {
    let out = "";
    for (const item of value as readonly unknown[]) {
      out += out === "" ? first : next;
      out += encode(item);
    }
    return out === "" ? "[]" : `[${out}${last}]`;
  };
}

function mapEncoder(encode: Encode, { first, next, last, colon }: Layout): Encode {
  return (value) => {
    const map = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(map);
    if (keys.length > 1) keys.sort(compareKeys);
    let out = "";
    for (const key of keys) {
      out += out === "" ? first : next;
      out += encodeString(key) + colon + encode(map[key]);
    }
    return out === "" ? "{}" : `{${out}${last}}`;
  };
}

const encodeAnyList = listEncoder(encodeAny, COMPACT);
const encodeAnyMap = mapEncoder(encodeAny, COMPACT);

/** Values without a schema. `undefined`, which JSON does not know, is null. */
function encodeAny(value: unknown): string {
  if (typeof value === "string") return encodeString(value);
  if (typeof value === "number") return encodeNumber(value);
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return "null";
  if (Array.isArray(value)) return encodeAnyList(value);
  return value instanceof Uint8Array ? encodeBytes(value) : encodeAnyMap(value);
}

function encodeBytes(value: unknown): string {
  const bytes = value as Uint8Array | null;
  return bytes === null || bytes.length === 0 ? "null" : `"${encodeBase64(bytes)}"`;
}

/** JavaScript and Go agree on the shortest digits and on when to use an exponent; only -0 differs. */
function encodeNumber(value: unknown): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

const NEEDS_ESCAPE = /["\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]/;
/** With the `u` flag, surrogates that form a pair do not match. */
const ESCAPED = /["\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function encodeString(text: string): string {
  return NEEDS_ESCAPE.test(text) ? `"${text.replace(ESCAPED, escapeCharacter)}"` : `"${text}"`;
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
  return SHORT_ESCAPES[character] ?? `\\u${code.toString(16).padStart(4, "0")}`;
}
