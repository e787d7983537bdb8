/**
 * JSON to records, as Go's encoding/json fills a struct: keys match without regard to case, what is missing
 * or null keeps Go's zero value, and what does not fit is refused in Go's words
 * (`json: cannot unmarshal string into Go struct field Weights.Weights.Passing of type int`).
 *
 * Two kinds of failure differ in Go, and clients see which one wins. A value of the wrong type is noted and
 * decoding goes on; the first note is reported at the end. A failure inside a struct that decodes itself
 * (`json-go-types.ts`) ends everything at once, and names only the field that holds the struct.
 *
 * Durations are read after the other fields of their struct, as Consul's own decoders do.
 */
import { RollcallError } from "../errors/index.ts";
import {
  Abort,
  atTop,
  insideField,
  note,
  textOf,
  type Context,
  type Fault,
} from "./json-decode-fault.ts";
import { decodeScalar, decodeDuration, type Decode } from "./json-decode-scalar.ts";
import { fittingDecoder, UNFIT } from "./json-decode-fitting.ts";
import { goQuote } from "./go-strconv.ts";
import { SILENT_ABOUT_NAMESPACES, goFieldType, goTypeName, ownDecoderOf } from "./json-go-types.ts";
import { isJsonObject, parseJson, type JsonValue } from "./json-parse.ts";
import { fieldKind, valuesOf, type FieldSchema, type Static, type TSchema } from "./schema.ts";
import { zeroOf, zeroRecord } from "./zero-value.ts";

export interface DecodeOptions<T extends TSchema> {
  /** What becomes of a field that the schema does not know. */
  readonly unknown: "refuse" | "ignore";
  /** What fields hold that the JSON leaves out or gives as null, where that is not Go's zero value. */
  readonly initial?: Partial<Static<T>>;
}

/**
 * A decoder for a schema, which is compiled when it is first used: an agent has hundreds, and meets few.
 *
 * @returns a function that throws {RollcallError} `request/bad`; its message is Go's text without a prefix
 */
export function jsonDecoder<T extends TSchema>(
  schema: T,
  options: DecodeOptions<T>,
): (text: string) => Static<T> {
  const { unknown, initial } = options;
  let fit: ((value: JsonValue) => unknown) | undefined;
  let careful: ((value: JsonValue) => unknown) | undefined;
  return (text) => {
    const json = parseJson(text);
    fit ??= fittingDecoder(schema, initial);
    const fitting = fit(json);
    if (fitting !== UNFIT) return fitting as Static<T>;
    careful ??= carefulDecoder(schema, unknown, initial);
    return careful(json) as Static<T>;
  };
}

function carefulDecoder(
  schema: FieldSchema,
  unknown: Unknown,
  initial: object | undefined,
): (value: JsonValue) => unknown {
  const decode = compile(schema, unknown, goTypeName(schema), initial);
  const zero = zeroOf(schema);
  return (json) => {
    const context = atTop();
    const value = orFault(() => decode(json, context), context);
    if (context.fault !== undefined) throw new RollcallError("request/bad", textOf(context.fault));
    return value ?? zero();
  };
}

function orFault<T>(decode: () => T, context: Context): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof Abort)) throw error;
    context.fault = error.fault;
    return undefined;
  }
}

type Unknown = "refuse" | "ignore";

function compile(schema: FieldSchema, unknown: Unknown, goType: string, initial?: object): Decode {
  const decode = compileValue(schema, unknown, goType, initial);
  if (schema["x-nullable"] !== true) {
    return (value, context) => (value === null ? undefined : decode(value, context));
  }
  return (value, context) => (value === null ? null : decode(value, context));
}

function compileValue(
  schema: FieldSchema,
  unknown: Unknown,
  goType: string,
  initial?: object,
): Decode {
  const kind = fieldKind(schema);
  if (kind === "struct") return compileStruct(schema, unknown, goType, initial);
  if (kind === "list") return compileList(schema, unknown, goType);
  if (kind === "map") return compileMap(schema, unknown, goType);
  return decodeScalar(kind, goType);
}

function compileList(schema: FieldSchema, unknown: Unknown, goType: string): Decode {
  const items = schema.items ?? {};
  const decode = compile(items, unknown, goTypeName(items));
  const zero = zeroOf(items);
  return (value, context) => {
    if (!Array.isArray(value)) return note(context, value, goType);
    const list: unknown[] = [];
    for (const item of value as readonly JsonValue[]) list.push(decode(item, context) ?? zero());
    return list;
  };
}

function compileMap(schema: FieldSchema, unknown: Unknown, goType: string): Decode {
  const values = valuesOf(schema);
  const decode = compile(values, unknown, goTypeName(values));
  const zero = zeroOf(values);
  return (value, context) => {
    if (!isJsonObject(value)) return note(context, value, goType);
    const map = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(value)) {
      map[key] = decode(value[key] ?? null, context) ?? zero();
    }
    return map;
  };
}

interface Field {
  readonly name: string;
  readonly decode: Decode;
}
/** A spelling of a field. An alias does not override what came under the field's own name. */
interface Spelling {
  readonly text: string;
  readonly field: Field;
  readonly isAlias: boolean;
}

function compileStruct(
  schema: FieldSchema,
  outerUnknown: Unknown,
  goType: string,
  initial?: object,
): Decode {
  const struct = schema["x-struct"] ?? "";
  const own = ownDecoderOf(schema);
  const unknown = outerUnknown === "refuse" ? (own ?? "refuse") : "ignore";
  const zero = zeroRecord(schema);
  const { exact, folded } = spellingsOf(schema, struct, unknown);
  const durations = Object.entries(schema.properties ?? {})
    .filter(([, field]) => field["x-go"] === "duration")
    .map(([name]) => name);

  const fill: Decode = (value, context) => {
    if (!isJsonObject(value)) return note(context, value, goType);
    const record = zero();
    if (initial !== undefined) Object.assign(record, initial);
    const byOwnName = new Set<string>();
    const pending = new Map<string, JsonValue>();
    for (const key of Object.keys(value)) {
      const spelling = exact.get(key) ?? folded.get(key.toLowerCase());
      if (spelling === undefined) {
        if (unknown === "refuse") context.fault ??= unknownField(struct, key);
        continue;
      }
      const { name, decode } = spelling.field;
      const keep = spelling.isAlias && byOwnName.has(name);
      if (!spelling.isAlias) byOwnName.add(name);
      if (durations.includes(name)) {
        if (!keep) pending.set(name, value[key] ?? null);
        continue;
      }
      const decoded = insideField(context, own === undefined ? struct : "", spelling.text, () =>
        decode(value[key] ?? null, context),
      );
      if (decoded !== undefined && !keep) record[name] = decoded;
    }
    for (const name of durations) {
      const given = pending.get(name);
      if (given !== undefined) record[name] = decodeDuration(given, context) ?? record[name];
    }
    return record;
  };
  return own === undefined ? fill : decodingItself(fill);
}

/** Runs a struct's own decoder: it knows nothing of what surrounds it, and its first failure is final. */
function decodingItself(fill: Decode): Decode {
  return (value, outer) => {
    const inner = atTop();
    const record = orFault(() => fill(value, inner), inner);
    if (inner.fault === undefined) return record;
    throw new Abort(
      inner.fault.kind === "type" && outer.field !== undefined
        ? { ...inner.fault, field: outer.field }
        : inner.fault,
    );
  };
}

function spellingsOf(
  schema: FieldSchema,
  struct: string,
  unknown: Unknown,
): { exact: ReadonlyMap<string, Spelling>; folded: ReadonlyMap<string, Spelling> } {
  const exact = new Map<string, Spelling>();
  for (const [name, fieldSchema] of Object.entries(schema.properties ?? {})) {
    const decode = compile(fieldSchema, unknown, goFieldType(struct, name, fieldSchema));
    const field: Field = { name, decode };
    exact.set(name, { text: name, field, isAlias: false });
    for (const text of fieldSchema["x-alias"] ?? []) {
      exact.set(text, { text, field, isAlias: true });
    }
  }
  const folded = new Map<string, Spelling>();
  for (const [text, spelling] of exact) {
    if (!folded.has(text.toLowerCase())) folded.set(text.toLowerCase(), spelling);
  }
  return { exact, folded };
}

function unknownField(struct: string, key: string): Fault {
  const remark =
    key === "Namespace" && !SILENT_ABOUT_NAMESPACES.has(struct)
      ? " - Namespaces are a Consul Enterprise feature"
      : "";
  return { kind: "text", text: `json: unknown field ${goQuote(key)}${remark}` };
}
