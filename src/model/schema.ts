/**
 * How the nouns are described: TypeBox schemas with Go's notions added.
 *
 * A schema is the single source of a record's TypeScript type, of its JSON in both directions
 * (`json-encode.ts`, `json-decode.ts`), of the selectors that a filter may use (`filter/`) and of OpenAPI.
 * The order of the fields is the order on the wire.
 *
 * Go's zero values hold: a field that was not given is "", 0, false, or null for lists, maps and pointers.
 * `omitEmpty(field)` leaves such a value out of the JSON; in TypeScript the field stays required, so that a
 * record always has all its fields (one hidden class, no `undefined`).
 */
import { Type, type Static, type TSchema, type TUnsafe } from "typebox";

export type { Static, TSchema };

/** Values of the `x-go` keyword: how Go would hold the value. Absent on strings, booleans and structs. */
export type GoKind = "bytes" | "duration" | "int" | "uint64" | "list" | "map" | "struct" | "any";

export interface FieldSchema extends TSchema {
  type?: string | readonly string[];
  "x-go"?: GoKind;
  /** Left out of the JSON when empty, as Go's `omitempty`. */
  "x-omitempty"?: boolean;
  /** May be null: a Go pointer, slice or map. */
  "x-nullable"?: boolean;
  /** Name of the Go struct, for error texts. */
  "x-struct"?: string;
  /** Other spellings accepted in JSON input. */
  "x-alias"?: readonly string[];
  /** Fields of the struct that messages have and JSON does not; records hold them only when they are not zero. */
  "x-unseen"?: Readonly<Record<string, FieldSchema>>;
  /** Beyond Consul's struct: messages are without it while it is zero. */
  "x-extra"?: boolean;
  /** What the struct is when a message has nil in its place. */
  "x-nil"?: object;
  /** A duration that JSON shows as text ("10s") instead of nanoseconds. */
  "x-output"?: "string";
  properties?: Record<string, FieldSchema>;
  items?: FieldSchema;
  additionalProperties?: FieldSchema | boolean;
}

/** `T`: the words that it may be. Nothing checks that what was decoded is one of them. */
export const text = <T extends string = string>(
  options: { description?: string } = {},
): TUnsafe<T> => Type.Unsafe<T>({ type: "string", ...options });
export const bool = (options: { description?: string } = {}): TUnsafe<boolean> =>
  Type.Unsafe<boolean>({ type: "boolean", ...options });
/** Absent (null) is neither true nor false. */
export const nullableBool = (options: { description?: string } = {}): TUnsafe<boolean | null> =>
  Type.Unsafe<boolean | null>({ type: ["boolean", "null"], "x-nullable": true, ...options });
/** A signed integer within JavaScript's safe range. */
export const int = (options: { description?: string } = {}): TUnsafe<number> =>
  Type.Unsafe<number>({ type: "integer", "x-go": "int", ...options });
export const float = (options: { description?: string } = {}): TUnsafe<number> =>
  Type.Unsafe<number>({ type: "number", ...options });
/** All 64 bits, hence a bigint. Indexes are `int`: they are counted up from 1 and stay safe. */
export const uint64 = (options: { description?: string } = {}): TUnsafe<bigint> =>
  Type.Unsafe<bigint>({ type: "integer", minimum: 0, "x-go": "uint64", ...options });
/** Nanoseconds. JSON input is a Go duration ("10s") or nanoseconds; output is nanoseconds. */
export const duration = (
  options: { description?: string; output?: "string" } = {},
): TUnsafe<number> =>
  Type.Unsafe<number>({
    type: options.output === "string" ? "string" : ["integer", "string"],
    "x-go": "duration",
    ...(options.output === "string" ? { "x-output": "string" } : {}),
    ...(options.description === undefined ? {} : { description: options.description }),
  });
/** base64 in JSON, null when empty. */
export const bytes = (options: { description?: string } = {}): TUnsafe<Uint8Array | null> =>
  Type.Unsafe<Uint8Array | null>({
    type: ["string", "null"],
    contentEncoding: "base64",
    "x-go": "bytes",
    ...options,
  });
/** Any JSON value, kept as it is. */
export const any = (options: { description?: string } = {}): TUnsafe =>
  Type.Unsafe({ "x-go": "any", ...options });

export const list = <T extends TSchema>(
  items: T,
  options: { description?: string } = {},
): TUnsafe<readonly Static<T>[] | null> =>
  Type.Unsafe<readonly Static<T>[] | null>({
    type: ["array", "null"],
    items,
    "x-go": "list",
    "x-nullable": true,
    ...options,
  });

/** Keys sorted on output. Held as an object without a prototype: `__proto__` is a key like any other. */
export const map = <T extends TSchema>(
  values: T,
  options: { description?: string } = {},
): TUnsafe<Readonly<Record<string, Static<T>>> | null> =>
  Type.Unsafe<Readonly<Record<string, Static<T>>> | null>({
    type: ["object", "null"],
    additionalProperties: values,
    "x-go": "map",
    "x-nullable": true,
    ...options,
  });

type Fields = Record<string, TSchema>;
export type Struct<F extends Fields, U extends Fields = {}> = TUnsafe<
  { readonly [K in keyof F]: Static<F[K]> } & { readonly [K in keyof U]?: Static<U[K]> }
> & { properties: F };

/**
 * A record.
 *
 * @param name the Go struct's, which error texts quote
 * @param unseen fields that messages carry and JSON neither shows nor takes, nearly always zero
 */
export function struct<F extends Fields, U extends Fields = {}>(
  name: string,
  properties: F,
  unseen?: U,
): Struct<F, U> {
  const required = Object.entries(properties)
    .filter(([, field]) => (field as FieldSchema)["x-omitempty"] !== true)
    .map(([key]) => key);
  return Type.Unsafe({
    type: "object",
    properties,
    required,
    additionalProperties: false,
    "x-go": "struct",
    "x-struct": name,
    ...(unseen === undefined ? {} : { "x-unseen": unseen }),
  }) as unknown as Struct<F, U>;
}

/** A pointer to a record: null when absent. */
export const pointer = <T extends TSchema>(to: T): TUnsafe<Static<T> | null> =>
  Type.Unsafe<Static<T> | null>({
    ...(to as object),
    type: ["object", "null"],
    "x-nullable": true,
  });

/** For a struct that Go has a pointer to where there is none here: what nil in a message means. */
export const orWhenNil = <T extends TSchema>(to: T, nil: Static<T> & object): T =>
  ({ ...(to as object), "x-nil": nil }) as unknown as T;

export const omitEmpty = <T extends TSchema>(field: T): T =>
  ({ ...(field as object), "x-omitempty": true }) as unknown as T;

/** Accepts further spellings of a field's name in JSON input, e.g. snake_case. */
export const alias = <T extends TSchema>(field: T, ...names: readonly string[]): T =>
  ({ ...(field as object), "x-alias": names }) as unknown as T;

/** How a field's value is held: what its schema says, in one word. */
export type FieldKind = GoKind | "text" | "bool" | "float";

/** A schema that was not built here, and says nothing, describes any value. */
export function fieldKind(schema: FieldSchema): FieldKind {
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  return schema["x-go"] ?? SCALAR_KINDS.get(type) ?? "any";
}

const SCALAR_KINDS: ReadonlyMap<unknown, FieldKind> = new Map([
  ["string", "text"],
  ["boolean", "bool"],
  ["number", "float"],
]);

/** The schema of a map's values. */
export function valuesOf(map: FieldSchema): FieldSchema {
  return typeof map.additionalProperties === "object" ? map.additionalProperties : {};
}
