/**
 * What memberlist nodes say to each other (hashicorp/memberlist 0.2: net.go), each message a type byte and a
 * msgpack map. Compound, compressed, checksummed and encrypted packets are in gossip-packet.ts, what goes
 * over TCP in gossip-stream.ts.
 */
import { viewOf } from "./byte-view.ts";
import { malformed } from "./malformed.ts";
import { codecOf, type Codec } from "./msgpack-codec.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import {
  bool,
  bytes,
  int64,
  nullable,
  omitEmpty,
  sharedBytes,
  struct,
  text,
  uint16,
  uint32,
  uint8,
  type ValueOf,
} from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

/** Index = type byte: append only. */
const GOSSIP_TYPES = [
  "ping",
  "indirectPing",
  "ack",
  "suspect",
  "alive",
  "dead",
  "pushPull",
  "compound",
  "user",
  "compress",
  "encrypt",
  "nack",
  "hasCrc",
  "err",
] as const;
export type GossipType = (typeof GOSSIP_TYPES)[number];

const SOURCE = {
  SourceAddr: omitEmpty(bytes),
  SourcePort: omitEmpty(uint16),
  SourceNode: omitEmpty(text),
} as const;

/** `Addr` and `Target` have 4 or 16 bytes: peers compare them as they are, so pass them on as they came. */
export const GOSSIP_BODIES = {
  /** `Node` is whom it is meant for. */
  ping: struct({ SeqNo: uint32, Node: text, ...SOURCE }),
  indirectPing: struct({
    SeqNo: uint32,
    Target: bytes,
    Port: uint16,
    Node: text,
    /** Whether the one who asks wants to hear of a failure: `nack`. */
    Nack: bool,
    ...SOURCE,
  }),
  /** `Payload`: serf's coordinates (serf-coordinate.ts), only on the answer to a ping over UDP. */
  ack: struct({ SeqNo: uint32, Payload: nullable(bytes) }),
  nack: struct({ SeqNo: uint32 }),
  suspect: struct({ Incarnation: uint32, Node: text, From: text }),
  /** `Vsn`: protocol lowest, highest, current; then the same of the delegate, which is serf. */
  alive: struct({
    Incarnation: uint32,
    Node: text,
    Addr: bytes,
    Port: uint16,
    Meta: bytes,
    Vsn: bytes,
  }),
  /** `From` equal to `Node`: it left on purpose. */
  dead: struct({ Incarnation: uint32, Node: text, From: text }),
  err: struct({ Error: text }),
} as const;
type Bodies = { readonly [K in keyof typeof GOSSIP_BODIES]: ValueOf<(typeof GOSSIP_BODIES)[K]> };

export type Ping = Bodies["ping"];
export type IndirectPing = Bodies["indirectPing"];
export type Ack = Bodies["ack"];
export type Suspect = Bodies["suspect"];
export type Alive = Bodies["alive"];
export type Dead = Bodies["dead"];
export type GossipMessage =
  | { readonly [K in keyof Bodies]: Readonly<{ kind: K; body: Bodies[K] }> }[keyof Bodies]
  /** For the layer above, which is serf. A view into the packet. */
  | Readonly<{ kind: "user"; body: Uint8Array }>;

/** State of a node in a state exchange. Index = value: append only. */
export const NODE_STATES = ["alive", "suspect", "dead", "left"] as const;
export type NodeState = (typeof NODE_STATES)[number];

const HEADER = struct({ Nodes: int64, UserStateLen: int64, Join: bool });
export const PUSH_PULL_HEADER = codecOf(HEADER);
export type PushPullHeader = ValueOf<typeof HEADER>;
export const PUSH_PULL_NODE_SCHEMA = struct({
  Name: text,
  Addr: bytes,
  Port: uint16,
  Meta: bytes,
  Incarnation: uint32,
  /** Index into `NODE_STATES`. */
  State: uint8,
  Vsn: bytes,
});
export const PUSH_PULL_NODE = codecOf(PUSH_PULL_NODE_SCHEMA);
export type PushPullNode = ValueOf<typeof PUSH_PULL_NODE_SCHEMA>;
export const USER_STREAM_HEADER = codecOf(struct({ UserMsgLen: int64 }));
export const COMPRESSED = codecOf(struct({ Algo: uint8, Buf: sharedBytes }));
export const ALGO_LZW = 0;

const CODECS = Object.fromEntries(
  Object.entries(GOSSIP_BODIES).map(([kind, schema]) => [kind, codecOf(schema)]),
) as unknown as { readonly [K in keyof Bodies]: Codec<Bodies[K]> };

/** @returns undefined for a type byte that means nothing here */
export function gossipTypeOf(lead: number | undefined): GossipType | undefined {
  return lead === undefined ? undefined : GOSSIP_TYPES[lead];
}

export function gossipTypeByte(type: GossipType): number {
  return GOSSIP_TYPES.indexOf(type);
}

export function hasGossipBody(type: GossipType | undefined): type is keyof Bodies {
  return type !== undefined && type in CODECS;
}

/** @param from stands after the type byte */
export function readGossipBody<K extends keyof Bodies>(
  kind: K,
  from: MsgpackReader,
): Extract<GossipMessage, { kind: K }> {
  const body: unknown = CODECS[kind].read(from);
  return { kind, body } as Extract<GossipMessage, { kind: K }>;
}

/** One message that is not wrapped in any way. */
export function decodeGossipMessage(message: Uint8Array): GossipMessage {
  const type = gossipTypeOf(message[0]);
  if (type === "user") return { kind: "user", body: viewOf(message, 1) };
  if (!hasGossipBody(type)) throw malformed(`unexpected message type: ${message[0] ?? "none"}`);
  return readGossipBody(type, new MsgpackReader(message, 1));
}

/** @param into a writer of the caller's, to be used again and again */
export function encodeGossipMessage(
  message: GossipMessage,
  into = new MsgpackWriter(),
): Uint8Array {
  into.reset().byte(gossipTypeByte(message.kind));
  if (message.kind === "user") into.bytes(message.body);
  else writeGossipBody(message, into);
  return into.finish();
}

export function writeGossipBody(
  { kind, body }: Exclude<GossipMessage, { kind: "user" }>,
  into: MsgpackWriter,
): void {
  (CODECS[kind] as Codec<typeof body>).write(into, body);
}
