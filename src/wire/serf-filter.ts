/**
 * Filters of a query (serf: messages.go, filterType): who is to answer. A type byte and msgpack.
 *
 *     00 │ ["node-1", …]      the receiver's name is one of these
 *     01 │ {Tag, Expr}        the receiver's tag matches the expression of RE2, anywhere in it
 */
import { malformed } from "./malformed.ts";
import { codecOf } from "./msgpack-codec.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import { list, struct, text } from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

export type QueryFilter =
  | Readonly<{ kind: "nodes"; names: readonly string[] }>
  | Readonly<{ kind: "tag"; Tag: string; Expr: string }>;

const NODES_BYTE = 0;
const TAG_BYTE = 1;
const NODES = codecOf(list(text));
const TAG = codecOf(struct({ Tag: text, Expr: text }));

/** @throws {RollcallError} `wire/malformed`, also for an unknown kind: such a query is not to be answered */
export function decodeFilter(filter: Uint8Array): QueryFilter {
  const from = new MsgpackReader(filter, 1);
  const [type] = filter;
  if (type === NODES_BYTE) return { kind: "nodes", names: NODES.read(from) };
  if (type === TAG_BYTE) return { kind: "tag", ...TAG.read(from) };
  throw malformed(`unknown filter type: ${type ?? "none"}`);
}

export function encodeFilter(filter: QueryFilter): Uint8Array {
  const into = new MsgpackWriter();
  if (filter.kind === "nodes") {
    into.byte(NODES_BYTE);
    NODES.write(into, filter.names);
  } else {
    into.byte(TAG_BYTE);
    TAG.write(into, filter);
  }
  return into.finish();
}
