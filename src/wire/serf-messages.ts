/**
 * What serf nodes say to each other (hashicorp/serf 0.9: messages.go): inside memberlist's user messages, and
 * as the user state of a push/pull. A type byte and a msgpack map. A broadcast is passed on byte for byte as
 * it came, so it is never encoded again.
 */
import { viewOf } from "./byte-view.ts";
import { malformed } from "./malformed.ts";
import { codecOf, type Codec } from "./msgpack-codec.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import {
  bool,
  bytes,
  int64,
  list,
  map,
  nullable,
  struct,
  text,
  uint16,
  uint32,
  uint64,
  uint8,
  type ValueOf,
} from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

/** Index = type byte: append only. */
const SERF_TYPES = [
  "leave",
  "join",
  "pushPull",
  "userEvent",
  "query",
  "queryResponse",
  "conflictResponse",
  "keyRequest",
  "keyResponse",
  "relay",
] as const;

/** Status of a `Member`. Index = value: append only. */
export const MEMBER_STATUSES = ["none", "alive", "leaving", "left", "failed"] as const;
export type MemberStatus = (typeof MEMBER_STATUSES)[number];

/** Bits of a query's `Flags`. */
export const QUERY_FLAGS = { ack: 1, noBroadcast: 2 } as const;
/** Bits of the `Flags` of a response. */
export const RESPONSE_FLAGS = { ack: 1 } as const;

/** Payloads of an event are equal when their bytes are; a nil reads as none. */
const EVENT = struct({ Name: text, Payload: bytes });
const MEMBER = struct({
  Name: text,
  Addr: bytes,
  Port: uint16,
  Tags: map(text),
  /** Index into `MEMBER_STATUSES`. */
  Status: uint8,
  ProtocolMin: uint8,
  ProtocolMax: uint8,
  ProtocolCur: uint8,
  DelegateMin: uint8,
  DelegateMax: uint8,
  DelegateCur: uint8,
});

export const SERF_BODIES = {
  leave: struct({ LTime: uint64, Node: text, Prune: bool }),
  join: struct({ LTime: uint64, Node: text }),
  /** `Events`: a slot for each time modulo 512, most of them nil. */
  pushPull: struct({
    LTime: uint64,
    StatusLTimes: map(uint64),
    LeftMembers: list(text),
    EventLTime: uint64,
    Events: list(nullable(struct({ LTime: uint64, Events: list(EVENT) }))),
    QueryLTime: uint64,
  }),
  /** `CC`: may be coalesced with others of its name before it is shown. */
  userEvent: struct({ LTime: uint64, Name: text, Payload: bytes, CC: bool }),
  query: struct({
    LTime: uint64,
    ID: uint32,
    Addr: bytes,
    Port: uint16,
    SourceNode: text,
    /** Each as serf-filter.ts reads it. */
    Filters: nullable(list(bytes)),
    Flags: uint32,
    RelayFactor: uint8,
    /** Nanoseconds from when it is received. */
    Timeout: int64,
    Name: text,
    Payload: nullable(bytes),
  }),
  queryResponse: struct({
    LTime: uint64,
    ID: uint32,
    From: text,
    Flags: uint32,
    Payload: nullable(bytes),
  }),
  /** The answer to "whom do you know under this name?"; null: nobody. */
  conflictResponse: nullable(MEMBER),
  /** A raw key; empty to list. */
  keyRequest: struct({ Key: bytes }),
  /** Keys in base64. */
  keyResponse: struct({
    Result: bool,
    Message: text,
    Keys: nullable(list(text)),
    PrimaryKey: text,
  }),
} as const;
const RELAY = codecOf(
  struct({ DestAddr: struct({ IP: bytes, Port: int64, Zone: text }), DestName: text }),
);

type Bodies = { readonly [K in keyof typeof SERF_BODIES]: ValueOf<(typeof SERF_BODIES)[K]> };
export type LeaveIntent = Bodies["leave"];
export type JoinIntent = Bodies["join"];
export type SerfPushPull = Bodies["pushPull"];
export type UserEvent = Bodies["userEvent"];
export type Query = Bodies["query"];
export type QueryResponse = Bodies["queryResponse"];
export type KeyRequest = Bodies["keyRequest"];
export type KeyResponse = Bodies["keyResponse"];
export type Member = ValueOf<typeof MEMBER>;
export interface Relay {
  readonly DestAddr: Readonly<{ IP: Uint8Array; Port: number; Zone: string }>;
  readonly DestName: string;
  /** A whole serf message, type byte included. */
  readonly inner: Uint8Array;
}
export type SerfMessage =
  | { readonly [K in keyof Bodies]: Readonly<{ kind: K; body: Bodies[K] }> }[keyof Bodies]
  | Readonly<{ kind: "relay"; body: Relay }>;

const CODECS = Object.fromEntries(
  Object.entries(SERF_BODIES).map(([kind, schema]) => [kind, codecOf(schema)]),
) as unknown as { readonly [K in keyof Bodies]: Codec<Bodies[K]> };

/** @throws {RollcallError} `wire/malformed`, also for a type that is not known */
export function decodeSerfMessage(message: Uint8Array): SerfMessage {
  const lead = message[0];
  const type = lead === undefined ? undefined : SERF_TYPES[lead];
  if (type === undefined) throw malformed(`unknown serf message type: ${lead ?? "none"}`);
  const from = new MsgpackReader(message, 1);
  if (type === "relay") {
    const header = RELAY.read(from);
    return { kind: type, body: { ...header, inner: viewOf(message, from.offset) } };
  }
  return { kind: type, body: CODECS[type].read(from) } as SerfMessage;
}

/** @param into a writer of the caller's, to be used again and again */
export function encodeSerfMessage(message: SerfMessage, into = new MsgpackWriter()): Uint8Array {
  into.reset().byte(SERF_TYPES.indexOf(message.kind));
  if (message.kind === "relay") {
    RELAY.write(into, message.body);
    into.bytes(message.body.inner);
  } else {
    (CODECS[message.kind] as Codec<typeof message.body>).write(into, message.body);
  }
  return into.finish();
}
