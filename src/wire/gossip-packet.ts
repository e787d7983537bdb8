/**
 * Datagrams (memberlist: net.go, "UDP pipeline"). Layers from the outside in, each of them optional:
 *
 *     label │ sealed blob │ 12 CRC-32 │ 9 compressed │ 7 compound │ messages
 *
 * Compound and compressed may nest in what is received, so depth and decompressed bytes are bounded for a
 * whole datagram. A part that cannot be read costs only itself, as in memberlist: it is reported in `rejected`
 * and the other parts count. A packet that does not authenticate, or whose checksum is wrong, is thrown out
 * whole.
 */
import { crc32 } from "node:zlib";
import { messageOf, RollcallError } from "../errors/index.ts";
import { seal, unseal, type GossipKey, type Sealing } from "./gossip-cipher.ts";
import { takeLabel, withLabel } from "./gossip-label.ts";
import {
  ALGO_LZW,
  COMPRESSED,
  decodeGossipMessage,
  gossipTypeByte,
  gossipTypeOf,
  type GossipMessage,
} from "./gossip-messages.ts";
import { compress, decompress } from "./lzw.ts";
import { malformed } from "./malformed.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

/** Old receivers count twice this in eight bits. */
export const COMPOUND_PARTS_MAX = 127;
/** What a compound costs beside its parts: type and count, and a length for each part. */
export const COMPOUND_HEADER_BYTES = 2;
export const COMPOUND_PART_BYTES = 2;

/** Of all compressed parts of one datagram. What peers send holds 1400, and no buffer takes more than 65,536. */
const DECOMPRESSED_BYTES_MAX = 65_536;
const NESTING_MAX = 4;
const CRC_BYTES = 5;
const NO_LABEL = new Uint8Array(0);

export interface Received {
  /** In the order in which they stand in the packet. */
  readonly messages: readonly GossipMessage[];
  /** What was wrong with the parts that are not among them. */
  readonly rejected: readonly string[];
}
export interface Opening {
  /** The primary first. None: nothing is expected to be sealed. */
  readonly keys: readonly GossipKey[];
  /** False while a cluster is being moved to encryption: then what does not open counts as plain. */
  readonly verifyIncoming: boolean;
  readonly label?: Uint8Array;
}
export interface Wrapping {
  /** Compress, if that makes it smaller. */
  readonly compress: boolean;
  /** Only for nodes whose highest protocol is 5 or more. */
  readonly crc: boolean;
  readonly sealing?: Sealing | undefined;
  readonly label?: Uint8Array;
}

/** @throws {RollcallError} `wire/malformed` when the datagram as a whole is to be dropped */
export function openPacket(datagram: Uint8Array, opening: Opening): Received {
  const { keys, verifyIncoming, label = NO_LABEL } = opening;
  const sealed = takeLabel(datagram, label);
  if (keys.length === 0) return decodePacket(sealed);
  const opened = unseal(sealed, keys, label);
  if (opened !== undefined) return decodePacket(opened);
  if (verifyIncoming) throw malformed("No installed keys could decrypt the message");
  return decodePacket(sealed);
}

export function wrapPacket(message: Uint8Array, wrapping: Wrapping): Uint8Array {
  const { sealing, label = NO_LABEL } = wrapping;
  let packet = wrapping.compress ? smallerOf(message, compressed(message)) : message;
  if (wrapping.crc) packet = withCrc(packet);
  if (sealing !== undefined) packet = seal(packet, sealing, label);
  return withLabel(label, packet);
}

/** @param parts 2 to 127 encoded messages, none of them empty */
export function compound(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length > COMPOUND_PARTS_MAX) throw new RangeError("too many parts for one packet");
  const header = Buffer.alloc(COMPOUND_HEADER_BYTES + COMPOUND_PART_BYTES * parts.length);
  header[0] = gossipTypeByte("compound");
  header[1] = parts.length;
  for (const [i, part] of parts.entries()) {
    if (part.length === 0) throw new RangeError("an empty part");
    header.writeUInt16BE(part.length, COMPOUND_HEADER_BYTES + COMPOUND_PART_BYTES * i);
  }
  return Buffer.concat([header, ...parts]);
}

/** The same for packets and streams; a stream keeps it even if it is larger. */
export function compressed(message: Uint8Array): Uint8Array {
  const into = new MsgpackWriter();
  into.byte(gossipTypeByte("compress"));
  COMPRESSED.write(into, { Algo: ALGO_LZW, Buf: compress(message) });
  return into.finish();
}

/** @param from stands after the type byte */
export function readCompressed(from: MsgpackReader, maxBytes: number): Uint8Array {
  const { Algo, Buf } = COMPRESSED.read(from);
  if (Algo !== ALGO_LZW) throw malformed(`unknown compression: ${Algo}`);
  return decompress(Buf, maxBytes);
}

/** What is neither labelled nor sealed. */
function decodePacket(packet: Uint8Array): Received {
  let plain = packet;
  if (gossipTypeOf(packet[0]) === "hasCrc" && packet.length >= CRC_BYTES) {
    plain = packet.subarray(CRC_BYTES);
    const view = new DataView(packet.buffer, packet.byteOffset, CRC_BYTES);
    if (view.getUint32(1) !== crc32(plain)) throw malformed("wrong checksum");
  }
  const into: Gathered = { messages: [], rejected: [], inflatable: DECOMPRESSED_BYTES_MAX };
  gather(plain, into, 0);
  return into;
}

interface Gathered {
  readonly messages: GossipMessage[];
  readonly rejected: string[];
  /** Bytes that compressed parts may still come to. */
  inflatable: number;
}

function gather(message: Uint8Array, into: Gathered, depth: number): void {
  try {
    if (depth > NESTING_MAX) throw malformed("nested too deeply");
    const type = gossipTypeOf(message[0]);
    if (type === "compound") gatherParts(message, into, depth);
    else if (type === "compress") {
      const inner = readCompressed(new MsgpackReader(message, 1), into.inflatable);
      into.inflatable -= inner.length;
      gather(inner, into, depth + 1);
    } else into.messages.push(decodeGossipMessage(message));
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    into.rejected.push(messageOf(error));
  }
}

/** A tail that is cut off costs only the parts that it had. */
function gatherParts(message: Uint8Array, into: Gathered, depth: number): void {
  const count = message[1];
  if (count === undefined) throw malformed("a compound without a count");
  let at = COMPOUND_HEADER_BYTES + COMPOUND_PART_BYTES * count;
  if (message.length < at) throw malformed("a compound that ends among its lengths");
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  for (let i = 0; i < count; i += 1) {
    const end = at + view.getUint16(COMPOUND_HEADER_BYTES + COMPOUND_PART_BYTES * i);
    if (end > message.length) throw malformed(`a compound cut off after ${i} of ${count} parts`);
    gather(message.subarray(at, end), into, depth + 1);
    at = end;
  }
}

function smallerOf(plain: Uint8Array, packed: Uint8Array): Uint8Array {
  return packed.length < plain.length ? packed : plain;
}

function withCrc(message: Uint8Array): Uint8Array {
  const header = Buffer.alloc(CRC_BYTES);
  header[0] = gossipTypeByte("hasCrc");
  header.writeUInt32BE(crc32(message), 1);
  return Buffer.concat([header, message]);
}
