/**
 * Go's net/rpc in msgpack, as Consul speaks it: a stream is a run of calls, each two values one after the other.
 *
 *     request    map {Seq, ServiceMethod} │ the arguments
 *     response   map {Error, Seq, ServiceMethod} │ the reply; an empty map where Error is not ""
 *
 * Nothing says how long a message is. It is stepped over as its bytes arrive, each byte once, and handed out when
 * all of it is there.
 */
import { viewOf } from "./byte-view.ts";
import { EndsEarly, malformed } from "./malformed.ts";
import { codecOf, type Codec } from "./msgpack-codec.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import { struct, text, wideUint64, type ValueOf } from "./msgpack-schema.ts";
import type { MsgpackWriter } from "./msgpack-writer.ts";

const REQUEST_HEADER = struct({ Seq: wideUint64, ServiceMethod: text });
const RESPONSE_HEADER = struct({ Error: text, Seq: wideUint64, ServiceMethod: text });
export type RpcRequestHeader = ValueOf<typeof REQUEST_HEADER>;
export type RpcResponseHeader = ValueOf<typeof RESPONSE_HEADER>;

const requestHeader: Codec<RpcRequestHeader> = codecOf(REQUEST_HEADER);
const responseHeader: Codec<RpcResponseHeader> = codecOf(RESPONSE_HEADER);

export function writeRpcRequestHeader(into: MsgpackWriter, header: RpcRequestHeader): void {
  requestHeader.write(into, header);
}
export function writeRpcResponseHeader(into: MsgpackWriter, header: RpcResponseHeader): void {
  responseHeader.write(into, header);
}

export interface RpcMessage<Header> {
  readonly header: Header;
  /** Stands at the arguments or the reply, over bytes that are good until the next `add` or `take`. */
  readonly body: MsgpackReader;
}

/** What a message may be at most; a larger one is `wire/malformed`. */
export interface RpcBounds {
  readonly messageBytes: number;
  /** Of all lists and maps together, which cost more in memory than on the wire. */
  readonly elements: number;
}
/** 64 operations of a transaction with half a MiB each are half of it. */
export const RPC_REQUEST_BOUNDS: RpcBounds = {
  messageBytes: 64 * 1024 * 1024,
  elements: 1_048_576,
};
/** From a server that was asked: a whole tree of the key/value store comes in one reply. */
export const RPC_RESPONSE_BOUNDS: RpcBounds = {
  messageBytes: 512 * 1024 * 1024,
  elements: 16 * 1_048_576,
};

/**
 * The messages of one direction of a stream.
 *
 * @example
 * reader.add(chunk);
 * for (let message = reader.take(); message !== undefined; message = reader.take()) await answer(message);
 */
export class RpcMessageReader<Header> {
  readonly #header: Codec<Header>;
  readonly #bounds: RpcBounds;
  #buffer: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  readonly #step: Step = { offset: 0, valuesLeft: VALUES, elements: 0 };
  /** Before this many bytes are there, looking again is of no use. */
  #neededBytes = 1;

  constructor(header: Codec<Header>, bounds: RpcBounds) {
    this.#header = header;
    this.#bounds = bounds;
  }

  /** Bytes that were added and not taken yet. */
  get lengthBytes(): number {
    return this.#end - this.#start;
  }

  /** Memory that they, and what was kept for more of them, take up. */
  get heldBytes(): number {
    return this.#buffer.length;
  }

  /** The next message is not all there: without more bytes there will be none. */
  get isWaiting(): boolean {
    return this.lengthBytes < this.#neededBytes;
  }

  /** @param chunk is copied */
  add(chunk: Uint8Array): void {
    this.#reserve(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** @throws {RollcallError} `wire/malformed`: nothing more can be read */
  take(): RpcMessage<Header> | undefined {
    if (this.lengthBytes === 0) {
      this.#buffer = NOTHING;
      this.#start = this.#end = 0;
    }
    if (this.isWaiting || !this.#isComplete()) return undefined;
    const bytes = viewOf(this.#buffer, this.#start, this.#start + this.#step.offset);
    this.#start += bytes.length;
    this.#step.offset = 0;
    this.#step.valuesLeft = VALUES;
    this.#step.elements = 0;
    this.#neededBytes = 1;
    const body = new MsgpackReader(bytes, 0, this.#bounds.elements);
    return { header: this.#header.read(body), body };
  }

  #isComplete(): boolean {
    const neededBytes = stepOver(
      viewOf(this.#buffer, this.#start, this.#end),
      this.#step,
      this.#bounds.elements,
    );
    if (Math.max(neededBytes, this.#step.offset) > this.#bounds.messageBytes) {
      throw malformed("a message that is too large");
    }
    this.#neededBytes = neededBytes;
    return neededBytes === 0;
  }

  #reserve(more: number): void {
    const { lengthBytes } = this;
    if (this.#end + more <= this.#buffer.length) return;
    const needed = lengthBytes + more;
    // What is being put together is likely to be more; what is not is mostly one chunk.
    const size = lengthBytes === 0 ? needed : 2 * needed;
    const grown = Buffer.allocUnsafe(size);
    this.#buffer.copy(grown, 0, this.#start, this.#end);
    this.#buffer = grown;
    this.#start = 0;
    this.#end = lengthBytes;
  }
}

export function rpcRequestReader(): RpcMessageReader<RpcRequestHeader> {
  return new RpcMessageReader(requestHeader, RPC_REQUEST_BOUNDS);
}
export function rpcResponseReader(): RpcMessageReader<RpcResponseHeader> {
  return new RpcMessageReader(responseHeader, RPC_RESPONSE_BOUNDS);
}

const NOTHING = Buffer.alloc(0);
/** The header and what follows it. */
const VALUES = 2;

/** How far into a message the steps have come. */
interface Step {
  offset: number;
  valuesLeft: number;
  /** Of lists and maps, so far. */
  elements: number;
}

/**
 * Steps over whole values as far as the bytes go, so that the next try goes on from there.
 *
 * @returns 0 when nothing is left to step over, else how many bytes of the message there must be for another try
 */
function stepOver(bytes: Uint8Array, step: Step, elementsMax: number): number {
  const from = new MsgpackReader(bytes, step.offset, elementsMax - step.elements);
  try {
    while (step.valuesLeft > 0) {
      const inner = innerValues(from, step);
      step.valuesLeft += inner - 1;
      step.offset = from.offset;
    }
    return 0;
  } catch (error) {
    if (error instanceof EndsEarly) return error.neededBytes;
    throw error;
  }
}

/** Steps over a list's or map's header, or another value. @returns how many values stand in it */
function innerValues(from: MsgpackReader, step: Step): number {
  let count = 0;
  let inner = 0;
  if (from.isMap()) {
    count = from.mapHeader();
    inner = 2 * count;
  } else if (from.isList()) {
    inner = count = from.listHeader();
  } else {
    from.skip();
  }
  step.elements += count;
  return inner;
}
