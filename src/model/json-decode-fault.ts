/** What went wrong while a record was decoded, where, and in Go's words. */
import { JsonNumber, type JsonValue } from "./json-parse.ts";

/** Kept in parts: a struct that surrounds the fault may still rename its field. */
export type Fault =
  | Readonly<{ kind: "text"; text: string }>
  | Readonly<{ kind: "type"; found: string; goType: string; field: string | undefined }>;

export function textOf(fault: Fault): string {
  if (fault.kind === "text") return fault.text;
  const { found, goType, field } = fault;
  const into = field === undefined ? "value" : `struct field ${field}`;
  return `json: cannot unmarshal ${found} into Go ${into} of type ${goType}`;
}

/** Ends decoding at once. Caught in json-decode.ts, and never seen outside. */
export class Abort extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(textOf(fault));
    this.name = "Abort";
    this.fault = fault;
  }
}

export interface Context {
  /** The first one; later ones are not kept. */
  fault: Fault | undefined;
  /** `Struct.Path.To.Field`: the innermost struct, and the path from the outermost. Undefined at the top. */
  field: string | undefined;
  /** `.Path.To.Field`, or empty. */
  path: string;
}

export function atTop(): Context {
  return { fault: undefined, field: undefined, path: "" };
}

export function insideField<T>(context: Context, struct: string, name: string, decode: () => T): T {
  const { field, path } = context;
  context.path = `${path}.${name}`;
  context.field = struct + context.path;
  try {
    return decode();
  } finally {
    context.path = path;
    context.field = field;
  }
}

/** Notes a value of the wrong type. `found` says more than its kind where Go does. */
export function note(
  context: Context,
  value: JsonValue,
  goType: string,
  found: string = kindOf(value),
): undefined {
  context.fault ??= { kind: "type", found, goType, field: context.field };
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (typeof value === "number" || value instanceof JsonNumber) return "number";
  return Array.isArray(value) ? "array" : "object";
}
