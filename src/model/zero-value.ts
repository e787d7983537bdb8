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

/** As `zeroOf`, but the record itself even where the schema is a pointer to it. Fields stand in order. */
export function zeroRecord(struct: FieldSchema): () => Record<string, unknown> {
  const fields = Object.entries(struct.properties ?? {}).map(
    ([name, field]) => [name, zeroOf(field)] as const,
  );
  return () => {
    const record: Record<string, unknown> = {};
    for (const [name, zero] of fields) record[name] = zero();
    return record;
  };
}

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
