// The answering side of a stream (Go's net/rpc): one call after the other, whatever comes in whatever pieces.
import { expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { noLogger, type Logger } from "../platform/index.ts";
import { MsgpackWriter, rpcResponseReader, writeRpcRequestHeader } from "../wire/index.ts";
import type { ByteStream } from "./byte-stream.ts";
import { CallLoop } from "./call-loop.ts";
import { EXCHANGES, servedAs } from "./exchanges.ts";
import { HeldBytesLimit } from "./held-bytes.ts";
import { DEFAULT_QUERY, type KeyQuery } from "./methods.ts";
import type { CallServer } from "./remote-methods.ts";

const STREAM_BYTES = 2048;
const nothing = { value: { Entries: [] }, meta: { Index: 7, KnownLeader: true, LastContactMs: 0 } };

/** A peer that reads when it is told to. */
class Peer implements ByteStream {
  readonly written: Uint8Array[] = [];
  releasedBytes = 0;
  isReading = true;
  hasEnded = false;
  isDestroyed = false;
  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return this.isReading;
  }
  release(bytes: number): void {
    this.releasedBytes += bytes;
  }
  end(): void {
    this.hasEnded = true;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
  /** `Seq` and `Error` of the replies. */
  replies(): readonly string[] {
    const reader = rpcResponseReader();
    for (const bytes of this.written) reader.add(bytes);
    const replies: string[] = [];
    for (let reply = reader.take(); reply !== undefined; reply = reader.take()) {
      replies.push(
        `${reply.header.Seq}${reply.header.Error === "" ? "" : ` ${reply.header.Error}`}`,
      );
    }
    return replies;
  }
}

type Answer = (args: KeyQuery, signal: AbortSignal) => Promise<unknown>;

function scene(answer: Answer = async () => nothing, logger: Logger = noLogger) {
  const peer = new Peer();
  const limit = new HeldBytesLimit(1e9);
  const called = {
    call: (_: string, args: KeyQuery, { signal }: { signal: AbortSignal }) => answer(args, signal),
    hooks: {},
  } as unknown as CallServer;
  const loop = new CallLoop(peer, { logger, called, servedAs, held: limit.connection(() => {}) });
  return { peer, loop, limit };
}

let seq = 0n;
function request(Key: string, method = "KVS.Get"): Uint8Array {
  seq += 1n;
  const writer = new MsgpackWriter();
  writeRpcRequestHeader(writer, { Seq: seq, ServiceMethod: method });
  EXCHANGES["KVS.Get"].writeArgs(writer, { ...DEFAULT_QUERY, Key }, "dc1");
  return writer.finish();
}
function requests(...keys: readonly string[]): Buffer {
  seq = 0n;
  return Buffer.concat(keys.map((key) => request(key)));
}
/** Lets promises run. */
const turns = async (): Promise<void> => {
  for (let left = 20; left > 0; left -= 1) await Promise.resolve();
};

test("calls are answered one after the other, and each is begun when the last is answered", async () => {
  const order: string[] = [];
  const waiting = new Map<string, () => void>();
  const { peer, loop } = scene(({ Key }) => {
    order.push(Key);
    return new Promise((resolve) => waiting.set(Key, () => resolve(nothing)));
  });
  loop.data(requests("a", "b", "c"));
  await turns();
  expect(order).toEqual(["a"]);
  waiting.get("a")?.();
  await turns();
  expect(order).toEqual(["a", "b"]);
  expect(peer.replies()).toEqual(["1"]);
  waiting.get("b")?.();
  await turns();
  waiting.get("c")?.();
  await turns();
  expect(peer.replies()).toEqual(["1", "2", "3"]);
});

test("bytes may come one by one, and all are released", async () => {
  const { peer, loop, limit } = scene();
  const bytes = requests("a", "b");
  for (const byte of bytes) {
    loop.data(Uint8Array.of(byte));
    await turns();
  }
  expect(peer.replies()).toEqual(["1", "2"]);
  expect(peer.releasedBytes).toBe(bytes.length);
  expect(limit.totalBytes).toBe(STREAM_BYTES);
});

test("while a call runs, what comes is neither looked at nor released", async () => {
  let finish = (): void => {};
  const { peer, loop } = scene(() => new Promise((resolve) => (finish = () => resolve(nothing))));
  const first = requests("a");
  loop.data(first);
  const released = peer.releasedBytes;
  expect(released).toBe(first.length);
  loop.data(request("b"));
  loop.data(Buffer.from("\xc1 is no message", "latin1"));
  expect(peer.releasedBytes).toBe(released);
  finish();
  await turns();
  finish();
  await turns();
  expect(peer.replies()).toEqual(["1", "2"]);
  expect(peer.isDestroyed).toBe(true);
});

test("a reply that is not read holds up the next call", async () => {
  const asked: string[] = [];
  const { peer, loop, limit } = scene(async ({ Key }) => {
    asked.push(Key);
    return nothing;
  });
  peer.isReading = false;
  loop.data(requests("a", "b"));
  await turns();
  expect(asked).toEqual(["a"]);
  expect(limit.totalBytes).toBeGreaterThan(STREAM_BYTES + (peer.written[0]?.length ?? 0));
  peer.isReading = true;
  loop.drained();
  await turns();
  expect(asked).toEqual(["a", "b"]);
  expect(limit.totalBytes).toBe(STREAM_BYTES);
});

test("an error is answered, and the stream goes on", async () => {
  const { peer, loop } = scene(async ({ Key }) => {
    if (Key === "bad") throw new RollcallError("raft/no-leader");
    return nothing;
  });
  loop.data(requests("bad", "good"));
  await turns();
  expect(peer.replies()).toEqual(["1 No cluster leader", "2"]);
  expect(peer.hasEnded).toBe(false);
});

test("a bug is answered as well, and logged with its stack", async () => {
  const logged: unknown[] = [];
  const logger = { ...noLogger, error: (_: string, fields: unknown) => logged.push(fields) };
  const bug = new TypeError("not a function");
  const { peer, loop } = scene(() => Promise.reject(bug), logger);
  loop.data(requests("a"));
  await turns();
  expect(peer.replies()).toEqual(["1 not a function"]);
  expect(logged).toEqual([{ method: "KVS.Get", error: bug.stack }]);
});

test("an error without a text is no success", async () => {
  const { peer, loop } = scene(() => Promise.reject(new RollcallError("request/refused", "")));
  loop.data(requests("a"));
  await turns();
  expect(peer.replies()).toEqual(["1 unknown error"]);
});

test("a reply that has no form on the wire is answered with why", async () => {
  const { peer, loop } = scene(async () => ({ ...nothing, meta: { ...nothing.meta, Index: 0.5 } }));
  loop.data(requests("a", "b"));
  await turns();
  expect(peer.replies()).toEqual(["1 not an integer: 0.5", "2 not an integer: 0.5"]);
});

// net/rpc cannot tell how long the arguments of a method are that it does not know.
test.each([
  ["KVS.Bar", "1 rpc: can't find method KVS.Bar"],
  ["Foo.Bar", "1 rpc: can't find service Foo.Bar"],
])("%s is answered with an error, and the stream ended", async (method, reply) => {
  const { peer, loop, limit } = scene();
  seq = 0n;
  loop.data(request("a", method));
  loop.data(request("b"));
  await turns();
  expect(peer.replies()).toEqual([reply]);
  expect(peer.hasEnded).toBe(true);
  expect(limit.totalBytes).toBe(0);
});

test("arguments that cannot be read are answered with why, and the stream ended", async () => {
  const { peer, loop } = scene();
  const writer = new MsgpackWriter();
  writeRpcRequestHeader(writer, { Seq: 5n, ServiceMethod: "KVS.Get" });
  writer.integer(5);
  loop.data(writer.finish());
  await turns();
  expect(peer.replies()).toEqual(["5 expected a map, found 0x05"]);
  expect(peer.hasEnded).toBe(true);
});

test("who has ended waits for nothing any more, but is answered", async () => {
  let reason: unknown;
  const { peer, loop } = scene(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          reject(signal.reason as Error);
        });
      }),
  );
  loop.data(requests("a"));
  loop.ended();
  await turns();
  expect(reason).toMatchObject({ code: "request/aborted" });
  expect(peer.replies()).toEqual(["1 The caller has gone"]);
  expect(peer.hasEnded).toBe(true);
});

test("requests before the end are answered before ours", async () => {
  const { peer, loop } = scene();
  loop.data(requests("a", "b"));
  loop.ended();
  await turns();
  expect(peer.replies()).toEqual(["1", "2"]);
  expect(peer.hasEnded).toBe(true);
});

test("a stream that is gone ends its call, and nothing is said on it", async () => {
  let isAborted = false;
  const { peer, loop, limit } = scene(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          isAborted = true;
          reject(signal.reason as Error);
        });
      }),
  );
  loop.data(requests("a"));
  loop.closed();
  await turns();
  expect(isAborted).toBe(true);
  expect(peer.written).toEqual([]);
  expect(limit.totalBytes).toBe(0);
});

test("a message that says it will be 1 GB is refused at its first bytes", () => {
  const { peer, loop, limit } = scene();
  const head = request("");
  // The key's length, as a raw of four bytes of length, in place of the empty key.
  const at = Buffer.from(head).lastIndexOf("Key") + 3;
  loop.data(Buffer.concat([head.subarray(0, at), Buffer.from("db40000000", "hex")]));
  expect(peer.isDestroyed).toBe(true);
  expect(limit.totalBytes).toBe(0);
});

test("a list that says it has a billion elements is refused at its first bytes", () => {
  const { peer, loop } = scene();
  loop.data(Buffer.from("dd3b9aca00", "hex"));
  expect(peer.isDestroyed).toBe(true);
});

test("a message that is larger in sum than 64 MiB is refused, and takes no more than twice that", () => {
  const { peer, loop, limit } = scene();
  const head = request("");
  const at = Buffer.from(head).lastIndexOf("Key") + 3;
  const sixtyMebibytes = Buffer.from("db03c00000", "hex");
  const mebibyte = new Uint8Array(1024 * 1024);
  loop.data(Buffer.concat([head.subarray(0, at), sixtyMebibytes]));
  for (let sent = 0; sent < 60; sent += 1) loop.data(mebibyte);
  expect(peer.isDestroyed).toBe(false);
  expect(limit.totalBytes).toBeLessThan(128 * 1024 * 1024);
  loop.data(Buffer.concat([Buffer.from("a5546f6b656e", "hex"), sixtyMebibytes]));
  expect(peer.isDestroyed).toBe(true);
  expect(limit.totalBytes).toBe(0);
});
