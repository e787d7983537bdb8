/**
 * The vocabulary that messages are described in. A message is described once, as data; its TypeScript type
 * (`ValueOf`) and its codec (`codecOf`) follow from that.
 *
 *     const SUSPECT = struct({ Incarnation: uint32, Node: text, From: text });
 *     type Suspect = ValueOf<typeof SUSPECT>; // { readonly Incarnation: number; readonly Node: string; … }
 *
 * Fields stand in Go's order and under Go's names; they are written in the order of their names. An embedded
 * Go struct is spread into the table (`...QUERY_OPTIONS.fields`). A nil reads as the zero value of what was
 * wanted, so that only what must tell nil from empty says `nullable` (a pointer, or a slice that is nil).
 */
import type { GoTime } from "./go-time.ts";

export type Schema =
  | Readonly<{ kind: "bool" | "float32" | "float64" | "text" | "time" | "any" }>
  /** Values beyond ±2^53 are refused: no field that is described this way has a use for them. */
  | Readonly<{ kind: "integer"; min: number; max: number }>
  /** All 64 bits, as a bigint. */
  | Readonly<{ kind: "wide"; signed: boolean }>
  | Readonly<{ kind: "duration" }>
  /** `shared`: a view into the message instead of a copy. */
  | Readonly<{ kind: "bytes"; shared: boolean }>
  | Readonly<{ kind: "list" | "map" | "nullable" | "omitEmpty" | "sparse"; of: Schema }>
  /** `nil` is what a nil, or a field that is missing, is read as. */
  | Readonly<{ kind: "instead"; of: Schema; nil: unknown }>
  | Struct;
export interface Struct<F extends Fields = Fields> {
  readonly kind: "struct";
  readonly fields: F;
}
export type Fields = Readonly<Record<string, Schema>>;

/** What an interface{} of Go holds: a bigint is an integer, a number is a float. */
export type AnyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly AnyValue[]
  | Readonly<{ [key: string]: AnyValue }>;

export type ValueOf<S> = S extends { kind: "struct"; fields: infer F }
  ? { readonly [K in keyof F]: ValueOf<F[K]> }
  : S extends { kind: "list"; of: infer E }
    ? readonly ValueOf<E>[]
    : S extends { kind: "map"; of: infer E }
      ? Readonly<Record<string, ValueOf<E>>>
      : S extends { kind: "nullable"; of: infer E }
        ? ValueOf<E> | null
        : S extends { kind: "omitEmpty"; of: infer E }
          ? ValueOf<E>
          : S extends { kind: keyof Scalars }
            ? Scalars[S["kind"]]
            : never;
interface Scalars {
  bool: boolean;
  integer: number;
  wide: bigint;
  duration: number;
  float32: number;
  float64: number;
  text: string;
  bytes: Uint8Array;
  time: GoTime;
  any: AnyValue;
}

export const bool = { kind: "bool" } as const;
export const uint8 = { kind: "integer", min: 0, max: 0xff } as const;
export const uint16 = { kind: "integer", min: 0, max: 0xffff } as const;
export const uint32 = { kind: "integer", min: 0, max: 0xffff_ffff } as const;
export const uint64 = { kind: "integer", min: 0, max: Number.MAX_SAFE_INTEGER } as const;
export const int32 = { kind: "integer", min: -0x8000_0000, max: 0x7fff_ffff } as const;
/** Also Go's int. */
export const int64 = {
  kind: "integer",
  min: Number.MIN_SAFE_INTEGER,
  max: Number.MAX_SAFE_INTEGER,
} as const;
export const wideUint64 = { kind: "wide", signed: false } as const;
/** Go's time.Duration, in nanoseconds; those of more than a hundred days to within a microsecond. */
export const duration = { kind: "duration" } as const;
export const float32 = { kind: "float32" } as const;
export const float64 = { kind: "float64" } as const;
export const text = { kind: "text" } as const;
export const bytes = { kind: "bytes", shared: false } as const;
export const sharedBytes = { kind: "bytes", shared: true } as const;
export const time = { kind: "time" } as const;
export const any = { kind: "any" } as const;

export function list<const S extends Schema>(of: S): Readonly<{ kind: "list"; of: S }> {
  return { kind: "list", of };
}
/** Keys are text. In values, what a hostile key names is a property like any other: no prototype is behind it. */
export function map<const S extends Schema>(of: S): Readonly<{ kind: "map"; of: S }> {
  return { kind: "map", of };
}
export function nullable<const S extends Schema>(of: S): Readonly<{ kind: "nullable"; of: S }> {
  return { kind: "nullable", of };
}
/** A field that is left out when it has its zero value. Only for fields of a struct. */
export function omitEmpty<const S extends Schema>(of: S): Readonly<{ kind: "omitEmpty"; of: S }> {
  return { kind: "omitEmpty", of };
}
/**
 * A field that records are without while it has its zero value, and that is written all the same: for what hardly
 * any record has. Only for fields of a struct. For schemas that are made of others: `ValueOf` does not know it.
 */
export function sparse<const S extends Schema>(of: S): Readonly<{ kind: "sparse"; of: S }> {
  return { kind: "sparse", of };
}
/** What is not a pointer here but is one in Go, and what its absence means. `ValueOf` does not know it either. */
export function instead<const S extends Schema>(
  of: S,
  nil: unknown,
): Readonly<{ kind: "instead"; of: S; nil: unknown }> {
  return { kind: "instead", of, nil };
}
export function struct<const F extends Fields>(fields: F): Struct<F> {
  return { kind: "struct", fields };
}
