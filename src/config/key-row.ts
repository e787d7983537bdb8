/** What a row of the key table says, and the short forms in which keys.ts writes it. */
import { anyMap, listOf, mapOf, type Shape } from "./decode.ts";
import type { Plain } from "./value.ts";
import type { RuntimeConfig } from "./runtime.ts";
import { checkShape, serviceShape } from "./definition-shapes.ts";

/** Dotted path of a setting in RuntimeConfig: `dns.soa.refreshS`. */
type PathOf<T> = {
  [K in keyof T & string]-?: NonNullable<T[K]> extends
    | string
    | number
    | boolean
    | readonly unknown[]
    ? K
    : string extends keyof NonNullable<T[K]>
      ? K
      : `${K}.${PathOf<NonNullable<T[K]>>}`;
}[keyof T & string];
export type RuntimePath = PathOf<RuntimeConfig>;

/** How a key is written, and for some of them what more is checked of it. */
export const TYPES = {
  text: "string",
  flag: "bool",
  int: "int",
  uint: "uint",
  uint32: "uint32",
  uint64: "uint64",
  float: "float64",
  /** Zero and below mean disabled and are kept as -1; above 65535 is refused. */
  port: "int",
  /** Go's way: "1h30m". */
  duration: "string",
  texts: listOf("string"),
  map: mapOf("string"),
  durations: mapOf("string"),
  anything: anyMap,
  anythings: listOf(anyMap),
  check: checkShape,
  checks: listOf(checkShape),
  service: serviceShape,
  services: listOf(serviceShape),
} as const satisfies Readonly<Record<string, Shape>>;
export type KeyType = keyof typeof TYPES;

type Effect =
  /** Copied to `into`; a name ending in Ms or S says the unit of a duration. */
  | Readonly<{ kind: "lands"; into: RuntimePath; unused?: true }>
  /** derive.ts makes something of it. */
  | Readonly<{ kind: "derived" }>
  /** Its feature does not exist: using it is warned of, with `consequence` where that matters. */
  | Readonly<{ kind: "later"; consequence?: string }>
  /** Of Consul Enterprise, which has its own warning. */
  | Readonly<{ kind: "enterprise" }>
  /** Asks for nothing, or for what is so anyway. */
  | Readonly<{ kind: "moot" }>;

export interface KeyRow {
  readonly key: string;
  readonly type: KeyType;
  /** Unset means Go's zero value, which is "" for a duration. */
  readonly default: Plain | undefined;
  readonly effect: Effect;
}

export const lands = (
  key: string,
  type: KeyType,
  initial: Plain | undefined,
  into: RuntimePath,
): KeyRow => ({ key, type, default: initial, effect: { kind: "lands", into } });

/** As `lands`, but nothing reads it there yet: using it is warned of. */
export const landsLater = (
  key: string,
  type: KeyType,
  initial: Plain | undefined,
  into: RuntimePath,
): KeyRow => ({ key, type, default: initial, effect: { kind: "lands", into, unused: true } });

export const derived = (key: string, type: KeyType, initial?: Plain): KeyRow => ({
  key,
  type,
  default: initial,
  effect: { kind: "derived" },
});

export const later = (
  key: string,
  type: KeyType,
  initial?: Plain,
  consequence?: string,
): KeyRow => ({
  key,
  type,
  default: initial,
  effect: consequence === undefined ? { kind: "later" } : { kind: "later", consequence },
});

export const enterprise = (key: string, type: KeyType): KeyRow => ({
  key,
  type,
  default: undefined,
  effect: { kind: "enterprise" },
});

export const moot = (key: string, type: KeyType): KeyRow => ({
  key,
  type,
  default: undefined,
  effect: { kind: "moot" },
});

/** Several keys below one parent, of one type and effect. */
export const group = (
  parent: string,
  names: string,
  row: (key: string) => KeyRow,
): readonly KeyRow[] => names.split(" ").map((name) => row(`${parent}${name}`));
