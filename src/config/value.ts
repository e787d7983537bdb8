/**
 * A parsed document before anybody knows what its keys mean: what HCL and JSON have in common.
 *
 * Two things of Go's decoders are kept because error texts and acceptance depend on them: whether a number
 * was written as an integer (JSON numbers never are), and whether a list came from repeated HCL blocks
 * (`a { }` is a list of one map there) or from brackets.
 */
export type Value =
  | Readonly<{ kind: "string"; value: string }>
  | Readonly<{ kind: "int" | "float"; value: number }>
  | Readonly<{ kind: "bool"; value: boolean }>
  | Readonly<{ kind: "null" }>
  | ListValue
  | MapValue;

export interface ListValue {
  readonly kind: "list";
  readonly items: readonly Value[];
  /** "blocks": made by HCL from objects that may be repeated. */
  readonly from: "brackets" | "blocks";
}
export interface MapValue {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Value>;
}

/** What a value is once decoded, and what defaults are written in. */
export type Plain = string | number | boolean | null | readonly Plain[] | PlainMap;
export interface PlainMap {
  readonly [key: string]: Plain;
}

export const NULL: Value = { kind: "null" };
/** Deeper documents are refused rather than risk the stack. Real ones nest about six deep. */
export const NESTING_MAX = 100;
/** Larger documents are refused. A thousand services with checks make about a megabyte. */
export const DOCUMENT_MAX_CHARS = 16 * 1024 * 1024;

/** Line and column, both counted from 1, in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export const at = ({ line, column }: Position): string => `At ${line}:${column}`;

/** Go's name for the type that its decoders give the value. */
export function goTypeOf(value: Value): string {
  switch (value.kind) {
    case "float":
      return "float64";
    case "list":
      return value.from === "blocks" ? "[]map[string]interface {}" : "[]interface {}";
    case "map":
      return "map[string]interface {}";
    case "null":
      return "<nil>";
    case "string":
    case "int":
    case "bool":
      return value.kind;
  }
}

/** Go's name for the shape: its reflect.Kind. */
export function goKindOf(value: Value): string {
  if (value.kind === "list") return "slice";
  return value.kind === "float" ? "float64" : value.kind;
}

/** A map that treats `__proto__` as a key like any other. */
export function plainMap(entries: Iterable<readonly [string, Plain]>): PlainMap {
  const map = Object.create(null) as Record<string, Plain>;
  for (const [key, value] of entries) map[key] = value;
  return map;
}

/** A block that stands alone is the map, not a list of one. */
export function toPlain(value: Value): Plain {
  switch (value.kind) {
    case "null":
      return null;
    case "list": {
      const [only] = value.items;
      if (value.from === "blocks" && value.items.length === 1 && only !== undefined) {
        return toPlain(only);
      }
      return value.items.map(toPlain);
    }
    case "map":
      return plainMap([...value.entries].map(([key, item]) => [key, toPlain(item)] as const));
    case "string":
    case "int":
    case "float":
    case "bool":
      return value.value;
  }
}
