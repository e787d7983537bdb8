/**
 * Hostile peers against the RPC port of one server: what it holds, and whether others are served meanwhile. Server,
 * attacker and a well-behaved client are processes of their own on loopback addresses. Needs `npx tsc -b`.
 *
 *   node scripts/rpc-hostile.mjs [first address]          127.0.32.100 when not given
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { noLogger } from "../dist/platform/index.js";
import { nodePlatform } from "../dist/platform/node/index.js";
import { DEFAULT_QUERY, FirstBytes, RpcPool, RpcServer } from "../dist/rpc/index.js";
import { encodeYamuxHeader, MsgpackWriter, writeRpcRequestHeader } from "../dist/wire/index.js";

const FIRST_ADDRESS = process.env.RPC_HOSTILE ?? process.argv[2] ?? "127.0.32.100";
const PORT = 18_300;
const [, net, last] = /^(.*\.)(\d+)$/.exec(FIRST_ADDRESS);
const addressOf = (number) => `${net}${Number(last) + number}`;
const SERVER = { host: addressOf(0), port: PORT };
const META = { Index: 7, KnownLeader: true, LastContactMs: 0 };
const MEBIBYTE = 2 ** 20;
const mebibytes = (bytes) => `${Math.round(bytes / MEBIBYTE)} MiB`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function serve() {
  const { clock, network } = nodePlatform();
  const Value = Buffer.alloc(MEBIBYTE, "x");
  const entry = { Value, Flags: 0n, LockIndex: 0, Session: "", CreateIndex: 1, ModifyIndex: 1 };
  const called = {
    call: async (_, { Key }) => ({
      value: { Entries: Key === "large" ? [{ Key, ...entry }] : [] },
      meta: META,
    }),
    hooks: {},
  };
  const server = new RpcServer({ clock, logger: noLogger, called });
  const firstBytes = new FirstBytes({
    clock,
    logger: noLogger,
    handshakeTimeoutMs: 5000,
    connectionsPerClientMax: 100,
    rpc: (stream, kind) => server.serve(stream, kind),
    raft: (stream) => stream.destroy(),
    snapshot: (stream) => stream.destroy(),
  });
  let open = 0;
  let peakBytes = 0;
  await network.listen(SERVER, (stream, peer) => {
    open += 1;
    stream.once("close", () => (open -= 1));
    firstBytes.accept(stream, peer);
  });
  setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage().rss)), 20);
  process.on("message", (what) => {
    if (what === "peak") peakBytes = 0;
    globalThis.gc?.();
    const rss = process.memoryUsage().rss;
    process.send({ rss, peakBytes: Math.max(peakBytes, rss), open, held: server.heldBytes });
  });
  process.send("ready");
}

/** Ten calls a second, each as long as it takes. */
async function ask() {
  const { clock, network } = nodePlatform();
  const dial = (_, signal) => network.connect(SERVER, { signal });
  const pool = new RpcPool({ clock, logger: noLogger, datacenter: "dc1", dial });
  let waits = [];
  let failures = 0;
  process.on("message", () => {
    waits.sort((a, b) => a - b);
    const of = (share) => waits[Math.floor(share * (waits.length - 1))] ?? 0;
    process.send({ count: waits.length, failures, median: of(0.5), worst: of(1) });
    waits = [];
    failures = 0;
  });
  process.send("ready");
  for (;;) {
    const beganAt = performance.now();
    try {
      const query = { ...DEFAULT_QUERY, Key: "small" };
      await pool.call({ name: "s", address: "s" }, "KVS.Get", query, { timeoutMs: 10_000 });
      waits.push(performance.now() - beganAt);
    } catch {
      failures += 1;
    }
    await sleep(100);
  }
}

async function attack() {
  const start = async (as, address) => {
    const env = { ...process.env, RPC_HOSTILE: FIRST_ADDRESS, RPC_HOSTILE_ROLE: as, address };
    const execArgv = ["--expose-gc"];
    const child = fork(fileURLToPath(import.meta.url), [], { env, execArgv });
    await once(child, "message");
    return child;
  };
  const told = async (child, what) => {
    child.send(what);
    return (await once(child, "message"))[0];
  };
  const server = await start("serve");
  const client = await start("ask");
  await sleep(1000);
  console.log("| peers | before | peak | after | open | others: calls, median, worst, failed |");
  console.log("| --- | --: | --: | --: | --: | --- |");
  for (const [what, act] of ATTACKS) {
    const before = await told(server, "peak");
    await told(client, "tell");
    const sockets = [];
    await act((number, bytes) => dialFrom(sockets, number, bytes), sockets);
    const during = await told(server, "tell");
    for (const socket of sockets) socket.destroy();
    const goneAt = performance.now();
    let after = await told(server, "tell");
    while (after.open > 1 && performance.now() - goneAt < 20_000) {
      await sleep(100);
      after = await told(server, "tell");
    }
    const { count, median, worst, failures } = await told(client, "tell");
    console.log(
      `| ${String(what)} | ${mebibytes(before.rss)} | ${mebibytes(during.peakBytes)} | ${mebibytes(after.rss)} ` +
        `| ${Number(during.open)} | ${Number(count)}, ${median.toFixed(1)} ms, ${worst.toFixed(0)} ms, ${Number(failures)} |`,
    );
    if (after.open > 1) console.error(`${String(what)}: ${after.open} connections are left`);
  }
  server.kill();
  client.kill();
}

/** @param number of the client's address */
async function dialFrom(sockets, number, bytes) {
  const socket = connect({ ...SERVER, localAddress: addressOf(1 + number) });
  socket.on("error", () => {});
  sockets.push(socket);
  await either(socket, "connect");
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}

/** @param event or the end of the socket */
function either(socket, event) {
  return new Promise((resolve) => {
    const done = () => {
      socket.off(event, done);
      socket.off("close", done);
      resolve();
    };
    socket.on(event, done);
    socket.on("close", done);
  });
}

function request(Key) {
  const writer = new MsgpackWriter();
  writeRpcRequestHeader(writer, { Seq: 1n, ServiceMethod: "KVS.Get" });
  const key = new MsgpackWriter();
  key.mapHeader(2);
  key.text("Datacenter");
  key.text("dc1");
  key.text("Key");
  key.text(Key);
  return Buffer.concat([writer.finish(), key.finish()]);
}
/** A request up to its key, which says that it will have so many bytes. */
const unfinished = (bytes) => {
  const length = Buffer.alloc(5, 0xdb);
  length.writeUInt32BE(bytes, 1);
  return Buffer.concat([request("").subarray(0, -1), length]);
};
function frame(type, flags, streamId, payload = Buffer.alloc(0)) {
  const bytes = Buffer.alloc(12 + payload.length);
  encodeYamuxHeader({ type, flags, streamId, length: payload.length }, bytes, 0);
  bytes.set(payload, 12);
  return bytes;
}

const ATTACKS = [
  ["nobody", () => sleep(3000)],
  [
    "100 announce a message of 1 GB",
    async (dial) => {
      const bytes = Buffer.concat([Buffer.of(0), unfinished(1e9)]);
      for (let i = 0; i < 100; i += 1) (await dial(1, bytes)).write(Buffer.alloc(100_000));
      await sleep(2000);
    },
  ],
  [
    "40 send 60 of 63 MiB each, and wait",
    async (dial) => {
      const head = Buffer.concat([Buffer.of(0), unfinished(63 * MEBIBYTE)]);
      const piece = Buffer.alloc(MEBIBYTE);
      for (let i = 0; i < 40; i += 1) {
        const socket = await dial(1, head);
        for (let sent = 0; sent < 60 && !socket.destroyed; sent += 1) {
          if (!socket.write(piece)) await either(socket, "drain");
        }
      }
      await sleep(2000);
    },
  ],
  [
    "50 ask for 1 MiB on 100 streams each, and read nothing",
    async (dial) => {
      for (let i = 0; i < 50; i += 1) {
        const frames = [Buffer.of(4)];
        for (let stream = 0; stream < 100; stream += 1) {
          frames.push(frame(0, 1, 2 * stream + 1, request("large")));
        }
        (await dial(1)).pause().write(Buffer.concat(frames));
      }
      await sleep(15_000);
    },
  ],
  [
    "1,000 silent ones, and 1,000 that say 4 and no more",
    async (dial) => {
      for (let i = 0; i < 2000; i += 1) {
        await dial(1 + (i % 25), i < 1000 ? undefined : Buffer.of(4));
      }
      await sleep(7000);
    },
  ],
  [
    "one opens 65,536 streams, and says nothing on them",
    async (dial) => {
      const opens = Array.from({ length: 65_536 }, (_, i) => frame(1, 1, 2 * i + 1));
      const socket = await dial(1, Buffer.concat([Buffer.of(4), ...opens]));
      socket.resume();
      await sleep(5000);
    },
  ],
  [
    "20 open 65,536 streams each, and say nothing on them",
    async (dial) => {
      const opens = Array.from({ length: 65_536 }, (_, i) => frame(1, 1, 2 * i + 1));
      const bytes = Buffer.concat([Buffer.of(4), ...opens]);
      for (let i = 0; i < 20; i += 1) (await dial(1, bytes)).resume();
      await sleep(10_000);
    },
  ],
];

const role = { serve, ask }[process.env.RPC_HOSTILE_ROLE];
process.on("disconnect", () => process.exit());
await (role ?? attack)();
