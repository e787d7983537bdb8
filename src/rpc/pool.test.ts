// Calls over connections, from a pool through the first byte to a server, in virtual time.
import type { Duplex } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import type { DirEntry, KvsRequest } from "../model/index.ts";
import { DisposableScope, noLogger, type Clock } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { MsgpackWriter, writeRpcResponseHeader, rpcRequestReader } from "../wire/index.ts";
import type { StreamEvents } from "./byte-stream.ts";
import {
  DEFAULT_QUERY,
  FirstBytes,
  RpcPool,
  RpcServer,
  type CallServer,
  type KeyQuery,
} from "./index.ts";
import { isUnanswered } from "./failure.ts";
import { YamuxSession } from "./yamux-session.ts";

const THERE = { name: "s1", address: "10.0.0.1:8300" };
const PORT = { host: "10.0.0.1", port: 8300 };
const META = { Index: 7, KnownLeader: true, LastContactMs: 0 };
const nothing = { value: { Entries: [] }, meta: META };
const query = (Key: string, MinQueryIndex = 0): KeyQuery => ({
  ...DEFAULT_QUERY,
  Key,
  MinQueryIndex,
});

let scope = new DisposableScope();
afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  scope = new DisposableScope();
});

type Answer = (method: string, args: never, signal: AbortSignal) => Promise<unknown>;

/** @param byHand takes the connections, of which the first byte is read, from the server that answers by `answer` */
async function scene(
  answer: Answer = async () => nothing,
  byHand?: (clock: Clock, connection: Duplex) => void,
) {
  const { clock, network } = simPlatform({ seed: 1 });
  const called = {
    call: (method: string, args: never, { signal }: { signal: AbortSignal }) =>
      answer(method, args, signal),
    hooks: {},
  } as unknown as CallServer;
  const logger = noLogger;
  const server = new RpcServer({ clock, logger, called });
  const firstBytes = new FirstBytes({
    clock,
    logger,
    handshakeTimeoutMs: 5000,
    connectionsPerClientMax: 100,
    rpc: (stream, kind) => {
      if (byHand === undefined) server.serve(stream, kind);
      else byHand(clock, stream);
    },
    raft: (stream) => stream.destroy(),
    snapshot: (stream) => stream.destroy(),
  });
  const arrived: Duplex[] = [];
  const listener = await network.listen(PORT, (stream, peer) => {
    arrived.push(stream);
    firstBytes.accept(stream, peer);
  });
  const pool = new RpcPool({
    clock,
    logger,
    datacenter: "dc1",
    dial: (_, signal) => network.connect(PORT, { signal }),
  });
  scope.use(pool);
  scope.use(listener);
  const call = (key = "k", options = {}) => pool.call(THERE, "KVS.Get", query(key), options);
  return { clock, network, pool, call, arrived, server, firstBytes, listener };
}

const errorOf = (call: Promise<unknown>): Promise<RollcallError> =>
  call.then(
    () => {
      throw new Error("no error");
    },
    (error: RollcallError) => error,
  );

test("one connection carries all calls to a server", async () => {
  const { clock, call, arrived } = await scene();
  const replies = await clock.until(Promise.all(Array.from({ length: 300 }, () => call())));
  expect(replies).toHaveLength(300);
  expect(replies[299]).toEqual(nothing);
  expect(arrived).toHaveLength(1);
});

test("arguments and replies of megabytes come through whole", async () => {
  const Value = Buffer.alloc(5_000_000, "some bytes");
  const entry = { Key: "k", Value, Flags: 0n, LockIndex: 0, Session: "" };
  const DirEnt = { ...entry, CreateIndex: 1, ModifyIndex: 1 };
  let stored: KvsRequest | undefined;
  const { clock, pool, call } = await scene(async (method, args) => {
    if (method === "KVS.Get") return { value: { Entries: [DirEnt] }, meta: META };
    stored = args;
    return true;
  });
  const args = { Datacenter: "", Op: "set", DirEnt } as const;
  expect(await clock.until(pool.call(THERE, "KVS.Apply", args))).toBe(true);
  const got = await clock.until(call());
  const isWhole = (held: DirEntry | undefined): boolean =>
    Value.equals(held?.Value ?? Buffer.alloc(0));
  expect([stored?.Datacenter, isWhole(stored?.DirEnt), isWhole(got.value.Entries[0])]).toEqual([
    "dc1",
    true,
    true,
  ]);
});

test.each([
  ["No cluster leader", "raft/no-leader"],
  ["rpc error making call: No cluster leader", "raft/no-leader"],
  ["No path to datacenter", "dc/unknown"],
  ["Query not found", "request/not-found"],
  ["Permission denied", "request/forbidden"],
  ["ACL support disabled", "feature/disabled"],
  ["Must provide node", "request/refused"],
])("the error %o is %s to the caller, behind what every hop puts before it", async (text, code) => {
  const { clock, call, arrived } = await scene(async (_, { Key }: KeyQuery) => {
    if (Key === "bad") throw new RollcallError("request/bad", text);
    return nothing;
  });
  const error = await clock.until(errorOf(call("bad")));
  expect(error).toMatchObject({ code, message: `rpc error making call: ${text}` });
  expect(isUnanswered(error)).toBeUndefined();
  await clock.until(call());
  expect(arrived).toHaveLength(1);
});

test("nobody there: nothing was sent", async () => {
  const { clock, call, listener } = await scene();
  await listener[Symbol.asyncDispose]();
  const error = await clock.until(errorOf(call()));
  expect(error).toMatchObject({
    code: "net/dial",
    message: "rpc error getting client: dial tcp 10.0.0.1:8300: connect: connection refused",
  });
  expect(isUnanswered(error)).toBe("not sent");
});

test("who cannot be reached within 10 s is not waited for any longer", async () => {
  const { clock, pool } = await scene();
  const slow = new RpcPool({
    clock,
    logger: noLogger,
    datacenter: "dc1",
    dial: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  });
  scope.use(slow);
  const since = clock.now();
  const error = await clock.until(errorOf(slow.call(THERE, "Status.Ping", {})));
  expect(clock.now() - since).toBe(10_000);
  expect(error.message).toBe("rpc error getting client: i/o timeout");
  expect(isUnanswered(error)).toBe("not sent");
  await pool[Symbol.asyncDispose]();
});

test("a connection that is lost in the middle of a call: nobody knows what was done", async () => {
  const { clock, call, arrived } = await scene(() => new Promise(() => {}));
  const held = errorOf(call());
  await clock.run(10);
  arrived[0]?.destroy();
  const error = await clock.until(held);
  expect(error).toMatchObject({ code: "net/dial", message: "rpc error making call: EOF" });
  expect(isUnanswered(error)).toBe("unknown");
});

test("a connection that was lost meanwhile is made again", async () => {
  const { clock, call, arrived } = await scene();
  await clock.until(call());
  arrived[0]?.destroy();
  await clock.run(10);
  expect(await clock.until(call())).toEqual(nothing);
  expect(arrived).toHaveLength(2);
});

test("a server that goes away is dialed again for the next call, and the last one is still answered", async () => {
  const sessions: YamuxSession[] = [];
  const answers: (() => void)[] = [];
  const { clock, call, arrived } = await scene(undefined, (own, connection) =>
    sessions.push(serveByHand(own, connection, (reply) => answers.push(reply))),
  );
  const first = call();
  await clock.run(10);
  sessions[0]?.goAway();
  await clock.run(10);
  const second = call();
  await clock.run(10);
  expect(arrived).toHaveLength(2);
  for (const answer of answers) answer();
  expect(await clock.until(Promise.all([first, second]))).toEqual([nothing, nothing]);
});

test("who gives a call up ends it on the server, and only that", async () => {
  const ended: string[] = [];
  const { clock, pool, call, arrived } = await scene(
    (_, { Key, MinQueryIndex }: KeyQuery, signal) =>
      MinQueryIndex === 0
        ? Promise.resolve(nothing)
        : new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              ended.push(Key);
              reject(signal.reason as Error);
            });
          }),
  );
  const giveUp = new AbortController();
  const held = errorOf(pool.call(THERE, "KVS.Get", query("held", 9), { signal: giveUp.signal }));
  const other = errorOf(pool.call(THERE, "KVS.Get", query("other", 9)));
  await clock.run(10);
  const reason = new RollcallError("request/aborted");
  giveUp.abort(reason);
  expect(await clock.until(held)).toBe(reason);
  await clock.run(10);
  expect(ended).toEqual(["held"]);
  await clock.until(call());
  expect(arrived).toHaveLength(1);
  await pool[Symbol.asyncDispose]();
  expect(isUnanswered(await other)).toBe("unknown");
});

test("a call whose time is over is given up, and nobody knows what was done", async () => {
  let isAborted = false;
  const { clock, call } = await scene(
    (_, _args, signal) =>
      new Promise(() => signal.addEventListener("abort", () => (isAborted = true))),
  );
  const since = clock.now();
  const error = await clock.until(errorOf(call("k", { timeoutMs: 50 })));
  expect(clock.now() - since).toBe(50);
  expect(error.message).toBe("rpc error making call: i/o deadline reached");
  expect(isUnanswered(error)).toBe("unknown");
  await clock.run(10);
  expect(isAborted).toBe(true);
});

test("who has given up before dials nobody", async () => {
  const { call, arrived } = await scene();
  const reason = new RollcallError("request/aborted");
  expect(await errorOf(call("k", { signal: AbortSignal.abort(reason) }))).toBe(reason);
  expect(arrived).toHaveLength(0);
});

test("who does not wait for the connection leaves it to the others", async () => {
  const { clock, call, arrived } = await scene();
  const giveUp = new AbortController();
  const first = errorOf(call("k", { signal: giveUp.signal }));
  const second = call();
  const reason = new RollcallError("request/aborted");
  giveUp.abort(reason);
  expect(await first).toBe(reason);
  expect(await clock.until(second)).toEqual(nothing);
  expect(arrived).toHaveLength(1);
});

test("a connection that nobody uses for 2 minutes is closed, and one with a call is not", async () => {
  let finish = (): void => {};
  const { clock, pool, call, arrived } = await scene((_, { Key }: KeyQuery) =>
    Key === "k"
      ? Promise.resolve(nothing)
      : new Promise((resolve) => (finish = () => resolve(nothing))),
  );
  await clock.until(call());
  await clock.run(119_000);
  expect(arrived[0]?.destroyed).toBe(false);
  const held = call("held");
  await clock.run(500_000);
  expect(arrived[0]?.destroyed).toBe(false);
  finish();
  await clock.until(held);
  await clock.run(119_000);
  expect(arrived[0]?.destroyed).toBe(false);
  await clock.run(2000);
  expect(arrived[0]?.destroyed).toBe(true);
  await pool[Symbol.asyncDispose]();
  expect(clock.timerCount).toBe(0);
});

test("64 streams are kept for later calls, and used again", async () => {
  const streams = new Set<StreamEvents>();
  let opened = 0;
  const { clock, call } = await scene(undefined, (own, connection) =>
    serveByHand(
      own,
      connection,
      (answer) => answer(),
      (stream, isOpen) => {
        if (isOpen) opened += 1;
        if (isOpen) streams.add(stream);
        else streams.delete(stream);
      },
    ),
  );
  for (let i = 0; i < 5; i += 1) await clock.until(call());
  expect(opened).toBe(1);
  await clock.until(Promise.all(Array.from({ length: 100 }, () => call())));
  await clock.run(10);
  expect(opened).toBe(100);
  expect(streams.size).toBe(64);
});

test.each<[string, (seq: bigint) => Uint8Array]>([
  ["a reply to another call", (seq) => response(seq + 1n)],
  ["a reply that is none", () => Buffer.from("c1", "hex")],
  ["a reply of 1 GB", () => Buffer.from("db40000000", "hex")],
  ["a reply of another kind", (seq) => Buffer.concat([responseHeader(seq), Buffer.of(5)])],
])("after %s nobody knows what was done, and the stream is given up", async (_, reply) => {
  let isOpen = true;
  const { clock, call } = await scene(undefined, (own, connection) =>
    serveByHand(
      own,
      connection,
      (answer) => answer(),
      (_stream, is) => (isOpen = is),
      reply,
    ),
  );
  const error = await clock.until(errorOf(call()));
  expect(isUnanswered(error)).toBe("unknown");
  await clock.run(10);
  expect(isOpen).toBe(false);
});

test("a closed pool calls nobody", async () => {
  const { pool, call, arrived } = await scene();
  await pool[Symbol.asyncDispose]();
  const error = await errorOf(call());
  expect(isUnanswered(error)).toBe("not sent");
  expect(arrived).toHaveLength(0);
});

test("a server that closes ends its connections", async () => {
  const { clock, call, server } = await scene(() => new Promise(() => {}));
  const held = errorOf(call());
  await clock.run(10);
  server[Symbol.dispose]();
  expect(isUnanswered(await clock.until(held))).toBe("unknown");
});

test("a plain connection is one stream of calls", async () => {
  const { clock, network } = await scene();
  const connection = await clock.until(
    network.connect(PORT, { signal: new AbortController().signal }),
  );
  const received: Buffer[] = [];
  connection.on("data", (chunk: Buffer) => received.push(chunk));
  const ping = Buffer.from(
    "0082a353657101ad536572766963654d6574686f64ab5374617475732e50696e6780",
    "hex",
  );
  connection.write(ping);
  connection.write(ping.subarray(1));
  await clock.run(10);
  const pong = "83a54572726f72a0a353657101ad536572766963654d6574686f64ab5374617475732e50696e6780";
  expect(Buffer.concat(received).toString("hex")).toBe(pong + pong);
  connection.end();
  await clock.run(10);
  expect(connection.destroyed).toBe(true);
});

function responseHeader(Seq: bigint): Uint8Array {
  const writer = new MsgpackWriter();
  writeRpcResponseHeader(writer, { Error: "", Seq, ServiceMethod: "KVS.Get" });
  return writer.finish();
}
function response(seq: bigint): Uint8Array {
  const meta = "84b0436f6e73697374656e63794c6576656ca0a5496e64657807ab4b6e6f776e4c6561646572c3";
  return Buffer.concat([
    responseHeader(seq),
    Buffer.from(`${meta}ab4c617374436f6e7461637400`, "hex"),
  ]);
}

/** A server that a test holds in its hands: what it answers, and when. */
function serveByHand(
  clock: Clock,
  connection: Duplex,
  asked: (answer: () => void) => void,
  streams: (stream: StreamEvents, isOpen: boolean) => void = () => {},
  reply: (seq: bigint) => Uint8Array = response,
): YamuxSession {
  return new YamuxSession(connection, {
    clock,
    role: "acceptor",
    accept: (stream) => {
      const reader = rpcRequestReader();
      const events: StreamEvents = {
        data: (bytes) => {
          reader.add(bytes);
          stream.release(bytes.length);
          for (let call = reader.take(); call !== undefined; call = reader.take()) {
            const { Seq } = call.header;
            asked(() => stream.write(reply(Seq)));
          }
        },
        ended: () => {
          stream.end();
        },
        drained: () => {},
        closed: () => streams(events, false),
      };
      streams(events, true);
      return events;
    },
  });
}
