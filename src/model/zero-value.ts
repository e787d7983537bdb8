/** Go's zero values: what a field holds that nobody set. */
import { fieldKind, type FieldSchema } from "./schema.ts";

/** @returns a function that makes a value; records are new each time */
export function zeroOf(schema: FieldSchema): () => unknown {
  if (schema["x-nullable"] === true) return () => null;
  const kind = fieldKind(schema);
  if (kind === "struct") return zeroRecord(schema);
  const zero = ZEROS[kind];
  return () => zero;
}

/**
 * As `zeroOf`, but the record itself even where the schema is a pointer to it. Fields stand in order.
 *
 * Records are copies of one: V8 makes a dictionary of an object that gets many fields one by one.
 */
export function zeroRecord(struct: FieldSchema): () => Record<string, unknown> {
  const fields = Object.entries(struct.properties ?? {}).map(([name, field]) => ({
    name,
    zero: zeroOf(field),
  }));
  const blank = Object.fromEntries(fields.map(({ name, zero }) => [name, zero()]));
  const parts = fields.filter(({ name }) => isRecord(blank[name]));
  return () => {
    const record = { ...blank };
    for (const { name, zero } of parts) record[name] = zero();
    return record;
  };
}

const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null;

const ZEROS = {
  any: null,
  bool: false,
  bytes: null,
  duration: 0,
  float: 0,
  int: 0,
  list: null,
  map: null,
  text: "",
  uint64: 0n,
} as const;
