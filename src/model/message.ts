/**
 * The msgpack of the nouns, as Consul's servers and agents send and log them: it follows from their schemas, and so
 * the records are the very ones that the store holds and HTTP prints.
 *
 * Every field is there, also what JSON leaves out, and what it never shows (`x-unseen`). Lists, maps, pointers and
 * bytes are null or empty as they came. In values without a schema, integers are bigints and floats are numbers, so
 * that each is written again as it was read; JSON shows both as numbers.
 */
import {
  any,
  bool,
  bytes,
  codecOf,
  duration as wireDuration,
  float64,
  instead,
  int64,
  list,
  map,
  nullable,
  omitEmpty,
  sparse,
  struct,
  text as wireText,
  wideUint64,
  type Codec,
  type Schema,
} from "../wire/index.ts";
import {
  fieldKind,
  valuesOf,
  type FieldKind,
  type FieldSchema,
  type Static,
  type TSchema,
} from "./schema.ts";

export type { Codec } from "../wire/index.ts";

/** The codec of a noun. It is made when it is first used: an agent has hundreds, and meets few. */
export function messageOf<T extends TSchema>(schema: T): Codec<Static<T>> {
  let made: Codec<Static<T>> | undefined;
  const codec = (): Codec<Static<T>> =>
    // What the values are is what the schema says, not what the codec's own type would.
    (made ??= codecOf(wireSchema(schema) as typeof any) as unknown as Codec<Static<T>>);
  return {
    get zero() {
      return codec().zero;
    },
    read: (from) => codec().read(from),
    write: (into, value) => codec().write(into, value),
    decode: (encoded) => codec().decode(encoded),
    encode: (value) => codec().encode(value),
  };
}

function wireSchema(schema: FieldSchema): Schema {
  const kind = fieldKind(schema);
  const wire = WIRE_SCHEMAS[kind](schema);
  if (schema["x-nil"] !== undefined) return instead(wire, schema["x-nil"]);
  if (schema["x-extra"] === true) return omitEmpty(wire);
  return schema["x-nullable"] === true || kind === "bytes" ? nullable(wire) : wire;
}

const WIRE_SCHEMAS: Readonly<Record<FieldKind, (schema: FieldSchema) => Schema>> = {
  any: () => any,
  bool: () => bool,
  bytes: () => bytes,
  duration: () => wireDuration,
  float: () => float64,
  int: () => int64,
  list: ({ items = {} }) => list(wireSchema(items)),
  map: (schema) => map(wireSchema(valuesOf(schema))),
  struct: ({ properties = {}, "x-unseen": unseen = {} }) =>
    struct(
      Object.fromEntries([
        ...Object.entries(properties).map(([name, field]) => [name, wireSchema(field)] as const),
        ...Object.entries(unseen).map(
          ([name, field]) => [name, sparse(wireSchema(field))] as const,
        ),
      ]),
    ),
  text: () => wireText,
  uint64: () => wideUint64,
};
