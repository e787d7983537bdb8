/**
 * The msgpack of the nouns that are kept as they came (`model/kept.ts`).
 *
 * A ConfigEntryRequest is a raw that holds its kind and itself, and an entry of kind proxy-defaults a raw again
 * (wire/rpc.md section 8). Weights of a service-splitter are the only 32-bit floats there are.
 */
import { RollcallError } from "../errors/index.ts";
import type { Codec, KeptRecord } from "../model/index.ts";
import {
  any,
  bytes,
  codecOf,
  float32,
  list,
  MsgpackReader,
  MsgpackWriter,
  nullable,
  struct,
  text,
  wideUint64,
  type AnyValue,
  type Schema,
} from "../wire/index.ts";

export function isRecord(value: AnyValue | undefined): value is KeptRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

const ANY = codecOf(any);

/** Any map with keys of text. */
export const KEPT: Codec<KeptRecord> = {
  zero: {},
  read: (from) => requireRecord(ANY.read(from)),
  write: (into, record) => ANY.write(into, record),
  decode: (encoded) => requireRecord(ANY.decode(encoded)),
  encode: (record) => ANY.encode(record),
};

function requireRecord(value: AnyValue): KeptRecord {
  if (isRecord(value)) return value;
  throw new RollcallError("wire/malformed", "expected a map");
}

const requestOf = (entry: Schema): Codec<KeptRecord> =>
  codecOf(struct({ Datacenter: text, Entry: entry as typeof any, Op: text, Token: text }));

const PLAIN_REQUEST = requestOf(any);
const WRAPPED_REQUEST = requestOf(nullable(bytes));
const SPLITTER_REQUEST = requestOf(
  nullable(
    struct({
      Kind: text,
      Meta: any,
      Name: text,
      Splits: nullable(
        list(struct({ Namespace: text, Service: text, ServiceSubset: text, Weight: float32 })),
      ),
      CreateIndex: wideUint64,
      ModifyIndex: wideUint64,
    }),
  ),
);

export const CONFIG_ENTRY_REQUEST: Codec<KeptRecord> = {
  zero: {},
  read: (from) => readConfigEntryRequest(new MsgpackReader(from.raw())),
  write: (into, request) => into.raw(configEntryRequestBytes(request)),
  decode: (encoded) => CONFIG_ENTRY_REQUEST.read(new MsgpackReader(encoded)),
  encode: (request) => {
    const into = new MsgpackWriter();
    CONFIG_ENTRY_REQUEST.write(into, request);
    return into.finish();
  },
};

function readConfigEntryRequest(from: MsgpackReader): KeptRecord {
  const kind = from.text();
  const request = readRequestOf(kind, from);
  // By its own kind it will be written again.
  if (kindOf(request) !== kind) {
    throw new RollcallError("wire/malformed", `a config entry of another kind than ${kind}`);
  }
  return request;
}

function readRequestOf(kind: string, from: MsgpackReader): KeptRecord {
  switch (kind) {
    case "proxy-defaults": {
      const { Entry, ...request } = WRAPPED_REQUEST.read(from);
      return { ...request, Entry: Entry instanceof Uint8Array ? KEPT.decode(Entry) : null };
    }
    case "service-splitter":
      return SPLITTER_REQUEST.read(from);
    default:
      return PLAIN_REQUEST.read(from);
  }
}

function kindOf({ Entry }: KeptRecord): string {
  return isRecord(Entry) && typeof Entry["Kind"] === "string" ? Entry["Kind"] : "";
}

function configEntryRequestBytes(request: KeptRecord): Uint8Array {
  const { Entry } = request;
  const kind = kindOf(request);
  const into = new MsgpackWriter();
  into.text(kind);
  if (kind === "proxy-defaults" && isRecord(Entry)) {
    WRAPPED_REQUEST.write(into, { ...request, Entry: KEPT.encode(Entry) });
  } else if (kind === "service-splitter") SPLITTER_REQUEST.write(into, request);
  else PLAIN_REQUEST.write(into, request);
  return into.finish();
}
