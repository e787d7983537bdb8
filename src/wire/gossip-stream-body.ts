/**
 * The one message of a stream, inside of label, seal and compression (memberlist: net.go).
 *
 *     6 push/pull   {Nodes, UserStateLen, Join} │ Nodes × node │ UserStateLen bytes for the layer above
 *     8 user        {UserMsgLen} │ that many bytes
 *     0 ping, 2 ack, 13 err: as in packets
 */
import { viewOf } from "./byte-view.ts";
import {
  gossipTypeByte,
  gossipTypeOf,
  PUSH_PULL_HEADER,
  PUSH_PULL_NODE,
  readGossipBody,
  USER_STREAM_HEADER,
  writeGossipBody,
  type GossipMessage,
  type PushPullHeader,
  type PushPullNode,
} from "./gossip-messages.ts";
import { EndsEarly, malformed } from "./malformed.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

export interface PushPull {
  readonly Join: boolean;
  /** Every node in the table, in any state, the sender too. */
  readonly nodes: readonly PushPullNode[];
  /** For the layer above: serf's push/pull. */
  readonly userState: Uint8Array;
}
export type StreamMessage =
  | Extract<GossipMessage, { kind: "ping" | "ack" | "err" | "user" }>
  | Readonly<{ kind: "pushPull"; body: PushPull }>;

/** The smallest node takes a byte on the wire and a hundred in memory. */
const NODES_MAX = 262_144;

export function encodeStreamMessage(
  message: StreamMessage,
  into = new MsgpackWriter(),
): Uint8Array {
  into.reset().byte(gossipTypeByte(message.kind));
  if (message.kind === "pushPull") {
    const { Join, nodes, userState } = message.body;
    const header = { Nodes: nodes.length, UserStateLen: userState.length, Join };
    PUSH_PULL_HEADER.write(into, header);
    for (const node of nodes) PUSH_PULL_NODE.write(into, node);
    into.bytes(userState);
  } else if (message.kind === "user") {
    USER_STREAM_HEADER.write(into, { UserMsgLen: message.body.length });
    into.bytes(message.body);
  } else {
    writeGossipBody(message, into);
  }
  return into.finish();
}

/** Reads a body whose bytes are still arriving, from where it stopped before. */
export class StreamBody {
  #at: number;
  #header: PushPullHeader | undefined;
  readonly #nodes: PushPullNode[] = [];

  /** @param start of the type byte */
  constructor(start: number) {
    this.#at = start;
  }

  /**
   * @param bytes all of the stream that has arrived
   * @throws {EndsEarly} when there is more to come: call again with more
   */
  read(bytes: Uint8Array): StreamMessage {
    if (this.#header !== undefined) return this.#readPushPull(bytes, this.#header);
    const from = new MsgpackReader(bytes, this.#at);
    const lead = from.peek();
    from.offset += 1;
    const type = gossipTypeOf(lead);
    if (type === "ping" || type === "ack" || type === "err") return readGossipBody(type, from);
    if (type === "user") {
      const { UserMsgLen } = USER_STREAM_HEADER.read(from);
      return { kind: "user", body: take(bytes, from.offset, UserMsgLen) };
    }
    if (type !== "pushPull") throw malformed(`unexpected message type on a stream: ${lead}`);
    const header = PUSH_PULL_HEADER.read(from);
    if (header.Nodes < 0 || header.Nodes > NODES_MAX) throw malformed("too many nodes");
    this.#at = from.offset;
    this.#header = header;
    return this.#readPushPull(bytes, header);
  }

  #readPushPull(bytes: Uint8Array, { Nodes, UserStateLen, Join }: PushPullHeader): StreamMessage {
    const from = new MsgpackReader(bytes, this.#at);
    while (this.#nodes.length < Nodes) {
      this.#nodes.push(PUSH_PULL_NODE.read(from));
      this.#at = from.offset;
    }
    const userState = take(bytes, this.#at, UserStateLen);
    return { kind: "pushPull", body: { Join, nodes: this.#nodes, userState } };
  }
}

function take(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (length < 0) throw malformed("a negative length");
  if (bytes.length < start + length) throw new EndsEarly(start + length);
  return viewOf(bytes, start, start + length);
}
