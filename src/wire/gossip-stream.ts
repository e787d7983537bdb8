/**
 * What goes over TCP (memberlist: net.go, "stream"): one message each way on a connection of its own.
 *
 *     label │ 10 u32 length, sealed blob │ 9 compressed │ one message (gossip-stream-body.ts)
 *
 * Nothing on a stream says how long it is before it has been read, unless it is sealed. `StreamDecoder` takes
 * the bytes as they come, keeps what it has read, and looks again only once as many bytes are there as the
 * next step needs.
 */
import { seal, sealedLength, unseal } from "./gossip-cipher.ts";
import { readLabel, withLabel } from "./gossip-label.ts";
import { gossipTypeByte, gossipTypeOf } from "./gossip-messages.ts";
import { compressed, readCompressed, type Opening, type Wrapping } from "./gossip-packet.ts";
import { StreamBody, type StreamMessage } from "./gossip-stream-body.ts";
import { EndsEarly, malformed } from "./malformed.ts";
import { MsgpackReader } from "./msgpack-reader.ts";

/** Memberlist's limit for what is sealed; the same here for all that is received. */
const STREAM_BYTES_MAX = 20 * 1024 * 1024;
const DECOMPRESSED_BYTES_MAX = 2 * STREAM_BYTES_MAX;
const SEALED_HEADER_BYTES = 5;
/** With the longest label and the header of a sealed stream. */
const RECEIVED_BYTES_MAX = STREAM_BYTES_MAX + SEALED_HEADER_BYTES + 257;
const FIRST_BYTES = 4096;
const NO_LABEL = new Uint8Array(0);

/** On a stream what is compressed stays so, even if it is larger, and there is no checksum. */
export function wrapStream(message: Uint8Array, wrapping: Omit<Wrapping, "crc">): Uint8Array {
  const { sealing, label = NO_LABEL } = wrapping;
  const plain = wrapping.compress ? compressed(message) : message;
  if (sealing === undefined) return withLabel(label, plain);
  const header = Buffer.alloc(SEALED_HEADER_BYTES);
  header[0] = gossipTypeByte("encrypt");
  header.writeUInt32BE(sealedLength(plain.length, sealing.version), 1);
  const blob = seal(plain, sealing, Buffer.concat([header, label]));
  return withLabel(label, Buffer.concat([header, blob]));
}

/**
 * One incoming stream. Feed it until `read` returns a message, or throws; it is of no use afterwards.
 *
 * @example
 * const decoder = new StreamDecoder({ keys: [], verifyIncoming: true });
 * for await (const chunk of stream) {
 *   const message = decoder.read(chunk);
 *   if (message !== undefined) return message;
 * }
 */
export class StreamDecoder {
  readonly #opening: Opening;
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  /** Before this many bytes are there, looking again is of no use. */
  #needed = 1;
  /** Set once it is known that the message is neither sealed nor compressed. */
  #body: StreamBody | undefined;

  constructor(opening: Opening) {
    this.#opening = opening;
  }

  /**
   * @param chunk is copied
   * @returns undefined while the message is not all there
   * @throws {RollcallError} `wire/malformed`, with the text that memberlist sends back as `err`
   */
  read(chunk: Uint8Array): StreamMessage | undefined {
    this.#append(chunk);
    if (this.#length < this.#needed) return undefined;
    try {
      return this.#decode(this.#bytes.subarray(0, this.#length));
    } catch (error) {
      if (!(error instanceof EndsEarly)) throw error;
      if (error.neededBytes > RECEIVED_BYTES_MAX) throw tooLarge();
      this.#needed = error.neededBytes;
      return undefined;
    }
  }

  #decode(bytes: Buffer): StreamMessage {
    if (this.#body !== undefined) return this.#body.read(bytes);
    const { keys, verifyIncoming } = this.#opening;
    const start = this.#skipLabel(bytes);
    const lead = bytes[start];
    if (lead === undefined) throw new EndsEarly(start + 1);
    const type = gossipTypeOf(lead);
    if (type === "encrypt") {
      if (keys.length === 0) {
        throw malformed("Remote state is encrypted and encryption is not configured");
      }
      return readOpened(this.#unseal(bytes, start));
    }
    if (keys.length > 0 && verifyIncoming) {
      throw malformed("Encryption is configured but remote state is not encrypted");
    }
    if (type === "compress") {
      const inner = readCompressed(new MsgpackReader(bytes, start + 1), DECOMPRESSED_BYTES_MAX);
      return complete(() => new StreamBody(0).read(inner));
    }
    this.#body = new StreamBody(start);
    return this.#body.read(bytes);
  }

  /** @returns where the label ends */
  #skipLabel(bytes: Buffer): number {
    const { label: wanted = NO_LABEL } = this.#opening;
    if (wanted.length === 0) return 0;
    const { label, end } = readLabel(bytes);
    if (Buffer.compare(label, wanted) === 0) return end;
    throw malformed("the label of another cluster, or none");
  }

  #unseal(bytes: Buffer, start: number): Uint8Array {
    const body = start + SEALED_HEADER_BYTES;
    if (bytes.length < body) throw new EndsEarly(body);
    const length = bytes.readUInt32BE(start + 1);
    if (length > STREAM_BYTES_MAX) throw tooLarge();
    if (bytes.length < body + length) throw new EndsEarly(body + length);
    const { keys, label = NO_LABEL } = this.#opening;
    const extra = Buffer.concat([bytes.subarray(start, body), label]);
    const plain = unseal(bytes.subarray(body, body + length), keys, extra);
    if (plain === undefined) throw malformed("No installed keys could decrypt the message");
    return plain;
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > RECEIVED_BYTES_MAX) throw tooLarge();
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }
}

function readOpened(plain: Uint8Array): StreamMessage {
  return complete(() => {
    if (gossipTypeOf(plain[0]) !== "compress") return new StreamBody(0).read(plain);
    const inner = readCompressed(new MsgpackReader(plain, 1), DECOMPRESSED_BYTES_MAX);
    return new StreamBody(0).read(inner);
  });
}

/** No further byte of the stream can complete what was sealed or compressed. */
function complete<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EndsEarly) throw malformed(error.message);
    throw error;
  }
}

function tooLarge(): Error {
  return malformed(`Remote node state is larger than limit (${STREAM_BYTES_MAX})`);
}
