/**
 * Takes a raft connection apart as its bytes arrive: commands on the server's side, replies on the client's.
 *
 * A message has no length in front. It is first stepped over, which costs nothing but the steps and is taken up
 * again only once the bytes are there that it lacked; only a message that is all there is decoded.
 */
import { viewOf } from "./byte-view.ts";
import { EndsEarly, malformed } from "./malformed.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import {
  readRaftCommand,
  readRaftRequest,
  readRaftResponse,
  type RaftCommand,
  type RaftRequest,
  type RaftResponse,
} from "./raft-messages.ts";

/** Hashicorp's leaders send at most 64 entries at once, and may be told to send 1024. */
const ENTRIES_MAX = 1024;
const FIELDS_MAX = 16;
const ELEMENTS_MAX = (ENTRIES_MAX + 1) * FIELDS_MAX;
/** 64 entries of a MiB each, twice what Consul lets an entry have, and some. */
const MESSAGE_BYTES_MAX = 65 * 1024 * 1024;
/** Replies that are waited for: pipelining sends 128 ahead. */
const EXPECTED_MAX = 1024;
const FIRST_BYTES = 4096;
/** A larger buffer than this is given back once it is empty. */
const KEPT_BYTES = 65_536;

/** A command, or after an `installSnapshot` some of the `Size` bytes of the snapshot. */
export type RaftRequestPart =
  | RaftRequest
  | Readonly<{ kind: "snapshotBytes"; bytes: Uint8Array; leftBytes: number }>;

/**
 * One incoming connection, after the byte that says it is raft's.
 *
 * @example
 * const decoder = new RaftRequestDecoder();
 * for await (const chunk of stream) {
 *   for (const part of decoder.read(chunk)) await handle(part);
 * }
 */
export class RaftRequestDecoder {
  readonly #gathered = new Gathered();
  #snapshotLeft = 0;

  /**
   * @param chunk is copied, but for a snapshot's bytes, which may be views into it
   * @returns in order what has become complete; to be gone through before the next call
   * @throws {RollcallError} `wire/malformed`: hang up
   */
  *read(chunk: Uint8Array): Generator<RaftRequestPart, void> {
    let start = 0;
    if (this.#snapshotLeft > 0) {
      // Nothing is gathered while a snapshot comes in.
      start = Math.min(chunk.length, this.#snapshotLeft);
      yield this.#snapshotBytes(viewOf(chunk, 0, start));
    }
    this.#gathered.add(viewOf(chunk, start));
    while (this.#gathered.lengthBytes > 0) {
      const request = this.#gathered.take(skipRequest, readRaftRequest);
      if (request === undefined) return;
      yield request;
      if (request.kind !== "installSnapshot") continue;
      this.#snapshotLeft = request.body.Size;
      if (this.#snapshotLeft < 0) throw malformed("a snapshot of negative size");
      const begun = this.#gathered.takeBytes(this.#snapshotLeft);
      if (begun.length > 0) yield this.#snapshotBytes(begun);
    }
  }

  #snapshotBytes(bytes: Uint8Array): RaftRequestPart {
    this.#snapshotLeft -= bytes.length;
    return { kind: "snapshotBytes", bytes, leftBytes: this.#snapshotLeft };
  }
}

/** The other side of a connection: replies to the commands that were sent, in that order. */
export class RaftResponseDecoder {
  readonly #gathered = new Gathered();
  readonly #expected: RaftCommand[] = [];

  /** To be called for each command that is sent, before its reply can come. */
  expect(kind: RaftCommand): void {
    if (this.#expected.length >= EXPECTED_MAX) throw new RangeError("too many commands at once");
    this.#expected.push(kind);
  }

  /** @throws {RollcallError} `wire/malformed`, also for a reply to nothing */
  *read(chunk: Uint8Array): Generator<RaftResponse, void> {
    this.#gathered.add(chunk);
    while (this.#gathered.lengthBytes > 0) {
      const [kind] = this.#expected;
      if (kind === undefined) throw malformed("a reply that nobody waits for");
      const response = this.#gathered.take(skipResponse, (from) => readRaftResponse(kind, from));
      if (response === undefined) return;
      this.#expected.shift();
      yield response;
    }
  }
}

function skipRequest(from: MsgpackReader): void {
  readRaftCommand(from);
  demandMap(from);
  from.skip();
}

function skipResponse(from: MsgpackReader): void {
  from.skip();
  from.skip();
}

/** What is no map will not become one: better refused now than gathered up to the limit. */
function demandMap(from: MsgpackReader): void {
  from.peek();
  if (!from.isMap() && !from.isList()) throw malformed("a command without a body");
}

/** Bytes of messages that are not complete yet. */
class Gathered {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #start = 0;
  #end = 0;
  /** Before this many bytes are there, looking again is of no use. */
  #needed = 1;

  get lengthBytes(): number {
    return this.#end - this.#start;
  }

  add(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** @returns the next message, or undefined while it is not all there */
  take<T>(skip: (from: MsgpackReader) => void, read: (from: MsgpackReader) => T): T | undefined {
    if (this.lengthBytes < this.#needed) return undefined;
    const bytes = viewOf(this.#buffer, this.#start, this.#end);
    const end = this.#endOf(bytes, skip);
    if (end === undefined) return undefined;
    const message = read(new MsgpackReader(viewOf(bytes, 0, end), 0, ELEMENTS_MAX));
    this.#start += end;
    this.#needed = 1;
    return message;
  }

  /** @returns a copy of the first bytes, at most so many, which are let go of */
  takeBytes(mostBytes: number): Uint8Array {
    const end = Math.min(this.#end, this.#start + mostBytes);
    const bytes = Uint8Array.prototype.slice.call(this.#buffer, this.#start, end);
    this.#start = end;
    return bytes;
  }

  #endOf(bytes: Uint8Array, skip: (from: MsgpackReader) => void): number | undefined {
    const from = new MsgpackReader(bytes, 0, ELEMENTS_MAX);
    try {
      skip(from);
    } catch (error) {
      if (!(error instanceof EndsEarly)) throw error;
      if (error.neededBytes > MESSAGE_BYTES_MAX) throw malformed("a message that is too large");
      this.#needed = error.neededBytes;
      return undefined;
    }
    return from.offset;
  }

  /** Moves what there is to the front, and into a larger buffer if need be. */
  #reserve(more: number): void {
    if (this.#end + more <= this.#buffer.length && this.#start === 0) return;
    const needed = this.lengthBytes + more;
    const tooLarge = this.#buffer.length > KEPT_BYTES && needed <= KEPT_BYTES;
    if (needed <= this.#buffer.length && !tooLarge) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    } else {
      const grown = Buffer.allocUnsafe(
        Math.max(needed, FIRST_BYTES, tooLarge ? 0 : 2 * this.#buffer.length),
      );
      this.#buffer.copy(grown, 0, this.#start, this.#end);
      this.#buffer = grown;
    }
    this.#end -= this.#start;
    this.#start = 0;
  }
}
