/**
 * yamux, version 0: many streams over one connection, in frames of a 12-byte header (big-endian) and, for data,
 * `length` bytes after it (hashicorp/yamux, spec.md).
 *
 *     0         1         2         4                   8                  12
 *     +---------+---------+---------+-------------------+-------------------+
 *     | version | type    | flags   | streamId          | length            |
 *     | u8 = 0  | u8      | u16     | u32, 0 = session  | u32               |
 *     +---------+---------+---------+-------------------+-------------------+
 *
 * `length` of a window update is its increment in bytes, of a ping an opaque number that is echoed, and of a
 * go-away its reason. What the frames mean together is in rpc/yamux-session.ts.
 */
import { viewOf } from "./byte-view.ts";
import { malformed } from "./malformed.ts";

export const YAMUX_HEADER_BYTES = 12;
/** How much each side may send on a new stream before the other lets it send more. */
export const YAMUX_WINDOW_BYTES = 262_144;

export const YAMUX_TYPE = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;
export const YAMUX_FLAG = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;
export const YAMUX_GO_AWAY = { normal: 0, protocolError: 1, internalError: 2 } as const;

const TYPE_LAST = YAMUX_TYPE.goAway;

export interface YamuxHeader {
  /** One of `YAMUX_TYPE`. */
  readonly type: number;
  /** `YAMUX_FLAG`s, added up. */
  readonly flags: number;
  readonly streamId: number;
  readonly length: number;
}

/** @param into has `YAMUX_HEADER_BYTES` of room from `offset` */
export function encodeYamuxHeader(header: YamuxHeader, into: Uint8Array, offset: number): void {
  into[offset] = 0;
  into[offset + 1] = header.type;
  into[offset + 2] = header.flags >> 8;
  into[offset + 3] = header.flags;
  writeU32(header.streamId, into, offset + 4);
  writeU32(header.length, into, offset + 8);
}

/** @throws {RollcallError} `wire/malformed` for another version or an unknown type: hang up */
export function decodeYamuxHeader(from: Uint8Array, offset: number): YamuxHeader {
  const type = from[offset + 1] ?? 0;
  if (from[offset] !== 0) throw malformed(`yamux version ${from[offset]}`);
  if (type > TYPE_LAST) throw malformed(`yamux frame of type ${type}`);
  const flags = ((from[offset + 2] ?? 0) << 8) | (from[offset + 3] ?? 0);
  return { type, flags, streamId: readU32(from, offset + 4), length: readU32(from, offset + 8) };
}

export interface YamuxSink {
  /** @throws to have no more read */
  header(header: YamuxHeader): void;
  /** The bytes after the last data header, or some of them: a view into what was read. */
  payload(bytes: Uint8Array): void;
}

/** Takes one direction of a connection apart as its bytes arrive. Of what it is given it keeps a header at most. */
export class YamuxDecoder {
  readonly #partial = new Uint8Array(YAMUX_HEADER_BYTES);
  #partialBytes = 0;
  #payloadLeft = 0;

  /** @throws {RollcallError} `wire/malformed`, and whatever `sink` throws; then the decoder is of no use any more */
  read(chunk: Uint8Array, sink: YamuxSink): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const end = Math.min(chunk.length, at + this.#payloadLeft);
        this.#payloadLeft -= end - at;
        sink.payload(viewOf(chunk, at, end));
        at = end;
      } else if (this.#partialBytes === 0 && chunk.length - at >= YAMUX_HEADER_BYTES) {
        this.#header(chunk, at, sink);
        at += YAMUX_HEADER_BYTES;
      } else {
        const taken = Math.min(YAMUX_HEADER_BYTES - this.#partialBytes, chunk.length - at);
        this.#partial.set(viewOf(chunk, at, at + taken), this.#partialBytes);
        this.#partialBytes += taken;
        at += taken;
        if (this.#partialBytes < YAMUX_HEADER_BYTES) return;
        this.#partialBytes = 0;
        this.#header(this.#partial, 0, sink);
      }
    }
  }

  #header(from: Uint8Array, offset: number, sink: YamuxSink): void {
    const header = decodeYamuxHeader(from, offset);
    if (header.type === YAMUX_TYPE.data) this.#payloadLeft = header.length;
    sink.header(header);
  }
}

function writeU32(value: number, into: Uint8Array, offset: number): void {
  into[offset] = value >>> 24;
  into[offset + 1] = value >>> 16;
  into[offset + 2] = value >>> 8;
  into[offset + 3] = value;
}

function readU32(from: Uint8Array, offset: number): number {
  const high = ((from[offset] ?? 0) << 8) | (from[offset + 1] ?? 0);
  const low = ((from[offset + 2] ?? 0) << 8) | (from[offset + 3] ?? 0);
  return high * 0x1_0000 + low;
}
