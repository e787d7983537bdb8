/**
 * Makes the codec of a schema: a reader and a writer put together from closures once, when a module is loaded.
 *
 * What Go's decoder tolerates is tolerated: unknown keys are skipped, missing keys and nils leave the zero
 * value, a struct may come as a list in the order of its fields, the last of two equal keys counts, and what
 * follows the value is not looked at. Values that were decoded share nothing with the bytes (but `sharedBytes`)
 * and are not to be changed: zero values are shared among them.
 */
import { decodeGoTime, encodeGoTime, ZERO_TIME } from "./go-time.ts";
import { malformed } from "./malformed.ts";
import { readAny, writeAny } from "./msgpack-any.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import type { AnyValue, Schema, Struct, ValueOf } from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

export interface Codec<T> {
  readonly zero: T;
  /** @throws {RollcallError} `wire/malformed`, as `EndsEarly` where more bytes may help */
  read(from: MsgpackReader): T;
  /** @throws {RangeError} for a number that its field cannot hold: a bug of the caller */
  write(into: MsgpackWriter, value: T): void;
  decode(bytes: Uint8Array): T;
  encode(value: T): Uint8Array;
}

export function codecOf<const S extends Schema>(schema: S): Codec<ValueOf<S>> {
  return codecOfPart(compile(schema)) as unknown as Codec<ValueOf<S>>;
}

function codecOfPart({ zero, read, write }: Part<unknown>): Codec<unknown> {
  return {
    zero,
    read,
    write,
    decode: (bytes) => read(new MsgpackReader(bytes)),
    encode: (value) => {
      const into = new MsgpackWriter();
      write(into, value);
      return into.finish();
    },
  };
}

interface Part<T> {
  readonly zero: T;
  read(this: void, from: MsgpackReader): T;
  write(this: void, into: MsgpackWriter, value: T): void;
}
type Of<K extends Schema["kind"]> = Extract<Schema, { kind: K }>;

const EMPTY_BYTES = new Uint8Array(0);

const COMPILERS: { readonly [K in Schema["kind"]]: (schema: Of<K>) => Part<never> } = {
  bool: () =>
    part(
      false,
      (from) => from.bool(),
      (into, value) => into.bool(value),
    ),
  integer: ({ min, max }) => integerPart(min, max),
  wide: ({ signed }) => widePart(signed),
  duration: () => durationPart,
  float32: () =>
    part(
      0,
      (from) => from.float(),
      (into, value) => into.float32(value),
    ),
  float64: () =>
    part(
      0,
      (from) => from.float(),
      (into, value) => into.float64(value),
    ),
  text: () =>
    part(
      "",
      (from) => from.text(),
      (into, value) => into.text(value),
    ),
  bytes: ({ shared }) =>
    part(EMPTY_BYTES, shared ? (from) => from.raw() : (from) => from.rawCopy(), (into, value) =>
      into.raw(value),
    ),
  time: () =>
    part(
      ZERO_TIME,
      (from) => decodeGoTime(from.raw()),
      (into, value) => into.raw(encodeGoTime(value)),
    ),
  any: () => part<AnyValue>(null, readAny, writeAny),
  list: ({ of }) => listPart(compile(of)),
  map: ({ of }) => mapPart(compile(of)),
  nullable: ({ of }) => nullablePart(compile(of)),
  omitEmpty: ({ of }) => compile(of) as Part<never>,
  sparse: ({ of }) => compile(of) as Part<never>,
  instead: ({ of, nil }) => {
    const { read, write } = compile(of);
    return part<unknown>(nil, read, write);
  },
  struct: (schema) => structPart(schema),
};

function compile(schema: Schema): Part<unknown> {
  const compiler = COMPILERS[schema.kind] as (schema: Schema) => Part<unknown>;
  return compiler(schema);
}

/** A nil is the zero value, whatever is wanted. */
function part<T>(zero: T, read: Part<T>["read"], write: Part<T>["write"]): Part<never> {
  const made: Part<T> = {
    zero,
    read: (from) => (from.takeNil() ? zero : read(from)),
    write,
  };
  return made as unknown as Part<never>;
}

function integerPart(min: number, max: number): Part<never> {
  return part(
    0,
    (from) => from.integer(min, max),
    (into, value) => {
      if (value < min || value > max) throw new RangeError(`integer out of range: ${value}`);
      into.integer(value);
    },
  );
}

function widePart(signed: boolean): Part<never> {
  const fits = (value: bigint) =>
    value === (signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value));
  return part(
    0n,
    (from) => {
      const value = from.wideInteger();
      if (!fits(value)) throw malformed(`integer out of range: ${value}`);
      return value;
    },
    (into, value) => {
      if (!fits(value)) throw new RangeError(`integer out of range: ${value}`);
      into.wideInteger(value);
    },
  );
}

const LONGEST = 2n ** 63n - 1n;

const durationPart = part(
  0,
  (from) => {
    const value = from.wideInteger();
    if (value !== BigInt.asIntN(64, value)) throw malformed(`duration out of range: ${value}`);
    return Number(value);
  },
  (into, value) => {
    const nanoseconds = BigInt(Math.round(value));
    // What is nearest to the longest one is a number that lies beyond it.
    into.wideInteger(nanoseconds > LONGEST ? LONGEST : nanoseconds);
  },
);

function listPart(element: Part<unknown>): Part<never> {
  return part<readonly unknown[]>(
    Object.freeze([]),
    (from) => {
      const values: unknown[] = [];
      for (let left = from.listHeader(); left > 0; left -= 1) values.push(element.read(from));
      return values;
    },
    (into, values) => {
      into.listHeader(values.length);
      for (const value of values) element.write(into, value);
    },
  );
}

function mapPart(element: Part<unknown>): Part<never> {
  return part<Readonly<Record<string, unknown>>>(
    Object.freeze(Object.create(null) as Record<string, unknown>),
    (from) => {
      const values = Object.create(null) as Record<string, unknown>;
      for (let left = from.mapHeader(); left > 0; left -= 1) {
        const key = from.text();
        values[key] = element.read(from);
      }
      return values;
    },
    (into, values) => {
      const keys = Object.keys(values);
      into.mapHeader(keys.length);
      for (const key of keys) {
        into.text(key);
        element.write(into, values[key]);
      }
    },
  );
}

function nullablePart(inner: Part<unknown>): Part<never> {
  return part<unknown>(null, inner.read, (into, value) => {
    if (value === null) into.nil();
    else inner.write(into, value);
  });
}

interface Field {
  readonly name: string;
  /** Its name as it stands on the wire, header included. */
  readonly key: Uint8Array;
  readonly part: Part<unknown>;
  readonly omitted: boolean;
  readonly isSparse: boolean;
}
type Values = Record<string, unknown>;

function structPart({ fields }: Struct): Part<never> {
  const declared = Object.entries(fields).map(([name, schema]): Field => {
    const key = new MsgpackWriter();
    key.text(name);
    const omitted = schema.kind === "omitEmpty";
    const isSparse = schema.kind === "sparse";
    return { name, key: key.finish(), part: compile(schema), omitted, isSparse };
  });
  const sorted = [...declared].sort((a, b) => (a.name < b.name ? -1 : 1));
  const byName = new Map(declared.map((field) => [field.name, field]));
  const omits = declared.some(({ omitted }) => omitted);
  const zero: Readonly<Values> = Object.freeze(
    Object.fromEntries(
      declared.filter((field) => !field.isSparse).map((field) => [field.name, field.part.zero]),
    ),
  );

  /** Keys come sorted from Go, so the field after the last one is nearly always the next. */
  const readKey = (from: MsgpackReader, expected: number): number => {
    for (let at = expected; at < sorted.length; at += 1) {
      const field = sorted[at];
      if (field !== undefined && from.takeBytes(field.key)) return at;
    }
    const field = byName.get(from.text());
    return field === undefined ? -1 : sorted.indexOf(field);
  };
  const readMap = (from: MsgpackReader): Values => {
    const values = { ...zero };
    let expected = 0;
    for (let left = from.mapHeader(); left > 0; left -= 1) {
      const at = readKey(from, expected);
      const field = sorted[at];
      if (field === undefined) {
        from.skip();
        continue;
      }
      readField(field, from, values);
      expected = at + 1;
    }
    return values;
  };
  const readList = (from: MsgpackReader): Values => {
    const values = { ...zero };
    const count = from.listHeader();
    for (let at = 0; at < count; at += 1) {
      const field = declared[at];
      if (field === undefined) from.skip();
      else readField(field, from, values);
    }
    return values;
  };
  const write = (into: MsgpackWriter, values: Readonly<Values>): void => {
    const written = omits ? sorted.filter((field) => !isOmitted(field, values)) : sorted;
    into.mapHeader(written.length);
    for (const { name, key, part: inner, isSparse } of written) {
      into.bytes(key);
      const value = values[name];
      // Of other fields nothing may be missing: that would be a mistake of the caller.
      inner.write(into, isSparse && value === undefined ? inner.zero : value);
    }
  };
  return part<Readonly<Values>>(
    zero,
    (from) => (from.isList() ? readList(from) : readMap(from)),
    write,
  );
}

function readField(field: Field, from: MsgpackReader, values: Values): void {
  const value = field.part.read(from);
  if (!field.isSparse || value !== field.part.zero) values[field.name] = value;
}

function isOmitted({ name, part: { zero }, omitted }: Field, values: Readonly<Values>): boolean {
  if (!omitted) return false;
  const value = values[name];
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return value === zero;
}
