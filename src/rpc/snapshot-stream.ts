/**
 * Snapshots between servers and agents: a connection of its own, whose first byte is 5.
 *
 *     caller    05 │ SnapshotRequest  │ to restore: the archive │ half close
 *     server         SnapshotResponse │ to save: the archive    │ close
 *
 * Nothing says how long an archive is: the end of the stream is its end. What is cut off on the way is found out by
 * the archive's own sums. Behind a response with an error no archive comes.
 */
import type { Duplex } from "node:stream";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import {
  bool,
  codecOf,
  EndsEarly,
  int64,
  MsgpackReader,
  struct,
  text,
  uint64,
  type Codec,
  type ValueOf,
} from "../wire/index.ts";
import { FIRST_BYTE } from "./first-byte.ts";
import { plainErrorOfText } from "./failure.ts";
import type { SavedSnapshot, SnapshotOptions, Snapshots } from "./snapshots.ts";

/** ONLY APPEND: wire format. */
const OPERATIONS = ["save", "restore"] as const;
type Operation = (typeof OPERATIONS)[number];

const REQUEST = struct({ AllowStale: bool, Datacenter: text, Op: uint64, Token: text });
const RESPONSE = struct({
  ConsistencyLevel: text,
  Error: text,
  Index: uint64,
  KnownLeader: bool,
  /** Nanoseconds. */
  LastContact: int64,
});
export type SnapshotRequest = ValueOf<typeof REQUEST>;
export type SnapshotResponse = ValueOf<typeof RESPONSE>;
const requestCodec = codecOf(REQUEST);
const responseCodec = codecOf(RESPONSE);

/** More than any request or response needs. */
const HEAD_BYTES_MAX = 65_536;
const REQUEST_TIMEOUT_MS = 10_000;
const NANOSECONDS = 1_000_000;

export interface SnapshotServerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly snapshots: Snapshots;
}

/** Answers the one request of a connection, and closes it. */
export async function serveSnapshot(stream: Duplex, options: SnapshotServerOptions): Promise<void> {
  const { clock, logger, snapshots } = options;
  // Who restores says by that end that this was all, and still wants the answer.
  stream.allowHalfOpen = true;
  const slow = clock.after(REQUEST_TIMEOUT_MS, () => stream.destroy());
  try {
    const { value: request, rest } = await readHead(stream, requestCodec);
    slow[Symbol.dispose]();
    await answer(stream, request, rest, snapshots);
    stream.end();
  } catch (error) {
    logger.error("error handling snapshot request", { error: messageOf(error) });
    stream.destroy();
  } finally {
    slow[Symbol.dispose]();
  }
}

async function answer(
  stream: Duplex,
  request: SnapshotRequest,
  rest: AsyncIterable<Uint8Array>,
  snapshots: Snapshots,
): Promise<void> {
  const options: SnapshotOptions = {
    datacenter: request.Datacenter,
    consistency: request.AllowStale ? "stale" : "default",
  };
  let saved: SavedSnapshot | undefined;
  try {
    saved = await carryOut(OPERATIONS[request.Op], options, rest, snapshots);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    await write(stream, responseCodec.encode({ ...NO_RESPONSE, Error: error.message }));
    // Who is still sending would not read the answer of a connection that is reset.
    for await (const _bytes of rest);
    return;
  }
  await write(stream, responseCodec.encode(responseOf(saved)));
  for await (const bytes of saved?.archive ?? []) await write(stream, bytes);
}

async function carryOut(
  operation: Operation | undefined,
  options: SnapshotOptions,
  archive: AsyncIterable<Uint8Array>,
  snapshots: Snapshots,
): Promise<SavedSnapshot | undefined> {
  switch (operation) {
    case "save":
      return snapshots.save(options);
    case "restore":
      await snapshots.restore(archive, options);
      return undefined;
    case undefined:
      throw new RollcallError("request/refused", "unrecognized snapshot op");
  }
}

const NO_RESPONSE: SnapshotResponse = {
  ConsistencyLevel: "",
  Error: "",
  Index: 0,
  KnownLeader: false,
  LastContact: 0,
};

function responseOf(saved: SavedSnapshot | undefined): SnapshotResponse {
  if (saved === undefined) return NO_RESPONSE;
  const { index: Index, knownLeader: KnownLeader, lastContactMs } = saved;
  const LastContact = Math.round(lastContactMs * NANOSECONDS);
  return { ...NO_RESPONSE, Index, KnownLeader, LastContact };
}

/**
 * Asks a server for an archive. What is left unread of it has to be given up by ending the iteration.
 * @param stream a new connection to its port; closed by this in the end
 */
export async function saveOver(stream: Duplex, options: SnapshotOptions): Promise<SavedSnapshot> {
  try {
    await write(stream, opening("save", options));
    stream.end();
    const { value: response, rest } = await readResponse(stream);
    return {
      index: response.Index,
      knownLeader: response.KnownLeader,
      lastContactMs: response.LastContact / NANOSECONDS,
      archive: untilDone(stream, rest),
    };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** Sends a server an archive that is to be restored. @param stream as for `saveOver` */
export async function restoreOver(
  stream: Duplex,
  options: SnapshotOptions,
  archive: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    await write(stream, opening("restore", options));
    for await (const bytes of archive) {
      // It may refuse before it has read all, and says why.
      if (stream.destroyed || stream.readableLength > 0) break;
      await write(stream, bytes);
    }
    stream.end();
    await readResponse(stream);
  } finally {
    stream.destroy();
  }
}

function opening(operation: Operation, { datacenter, consistency }: SnapshotOptions): Uint8Array {
  const request: SnapshotRequest = {
    AllowStale: consistency === "stale",
    Datacenter: datacenter,
    Op: OPERATIONS.indexOf(operation),
    Token: "",
  };
  return Buffer.concat([Uint8Array.of(FIRST_BYTE.snapshot), requestCodec.encode(request)]);
}

async function readResponse(
  stream: Duplex,
): Promise<{ readonly value: SnapshotResponse; readonly rest: AsyncIterable<Uint8Array> }> {
  const head = await readHead(stream, responseCodec);
  if (head.value.Error !== "") throw plainErrorOfText(head.value.Error);
  return head;
}

async function* untilDone(
  stream: Duplex,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* rest;
  } finally {
    stream.destroy();
  }
}

/** @throws {RollcallError} `wire/malformed`, also when the stream ends before */
async function readHead<T>(
  stream: Duplex,
  codec: Codec<T>,
): Promise<{ readonly value: T; readonly rest: AsyncIterable<Uint8Array> }> {
  const parts = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  let head: Uint8Array = new Uint8Array();
  for (;;) {
    const { done, value: part } = await parts.next();
    if (done === true) throw new RollcallError("wire/malformed", "EOF");
    head = Buffer.concat([head, part]);
    try {
      const from = new MsgpackReader(head);
      const value = codec.read(from);
      return { value, rest: restOf(head.subarray(from.offset), parts) };
    } catch (error) {
      const mayCome = error instanceof EndsEarly && head.length < HEAD_BYTES_MAX;
      if (!mayCome) throw error;
    }
  }
}

async function* restOf(
  first: Uint8Array,
  parts: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  if (first.length > 0) yield first;
  for (;;) {
    const { done, value } = await parts.next();
    if (done === true) return;
    yield value;
  }
}

/** Resolves when there is room for more. @throws {RollcallError} `net/dial` when the connection is gone */
async function write(stream: Duplex, bytes: Uint8Array): Promise<void> {
  if (!stream.destroyed && stream.write(bytes)) return;
  if (!stream.destroyed) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off("drain", done);
        stream.off("close", done);
        resolve();
      };
      stream.on("drain", done);
      stream.on("close", done);
    });
  }
  if (stream.destroyed) throw new RollcallError("net/dial", "the connection was closed");
}
