/**
 * Records to JSON, byte for byte as Go's encoding/json prints them: fields in the schema's order, empty
 * fields left out where the schema says so, map keys sorted by bytes, `<`, `>` and `&` escaped.
 *
 * A schema is compiled once to a tree of closures; encoding a record walks that tree and looks at no keyword.
 */
import { encodeBase64 } from "./base64.ts";
import { formatDuration } from "./duration.ts";
import { compareKeys } from "./key-text.ts";
import { fieldKind, valuesOf, type FieldSchema, type Static, type TSchema } from "./schema.ts";

type Encode = (value: unknown) => string;

export function jsonEncoder<T extends TSchema>(schema: T): (value: Static<T>) => string {
  return compile(schema);
}

function compile(schema: FieldSchema): Encode {
  const encode = compileValue(schema);
  if (schema["x-nullable"] !== true) return encode;
  return (value) => (value === null ? "null" : encode(value));
}

function compileValue(schema: FieldSchema): Encode {
  switch (fieldKind(schema)) {
    case "struct":
      return structEncoder(schema.properties ?? {});
    case "list":
      return listEncoder(compile(schema.items ?? {}));
    case "map":
      return mapEncoder(compile(valuesOf(schema)));
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
      return encodeAny;
  }
}

interface FieldEncoder {
  readonly name: string;
  /** `"Name":` */
  readonly label: string;
  readonly encode: Encode;
  /** Says whether a value is left out. Undefined: none is. */
  readonly isEmpty: ((value: unknown) => boolean) | undefined;
}

function structEncoder(properties: Readonly<Record<string, FieldSchema>>): Encode {
  const fields: readonly FieldEncoder[] = Object.entries(properties).map(([name, schema]) => ({
    name,
    label: `${encodeString(name)}:`,
    encode: compile(schema),
    isEmpty: schema["x-omitempty"] === true ? emptiness(schema) : undefined,
  }));
  return (value) => {
    const record = value as Readonly<Record<string, unknown>>;
    let out = "";
    for (const { name, label, encode, isEmpty } of fields) {
      const field = record[name];
      if (isEmpty?.(field) === true) continue;
      out += out === "" ? label : `,${label}`;
      out += encode(field);
    }
    return `{${out}}`;
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

function listEncoder(encode: Encode): Encode {
  return (value) => {
    let out = "";
    for (const item of value as readonly unknown[]) {
      out += out === "" ? encode(item) : `,${encode(item)}`;
    }
    return `[${out}]`;
  };
}

function mapEncoder(encode: Encode): Encode {
  return (value) => {
    const map = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(map);
    if (keys.length > 1) keys.sort(compareKeys);
    let out = "";
    for (const key of keys) {
      out += out === "" ? "" : ",";
      out += `${encodeString(key)}:${encode(map[key])}`;
    }
    return `{${out}}`;
  };
}

const encodeAnyList = listEncoder(encodeAny);
const encodeAnyMap = mapEncoder(encodeAny);

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
