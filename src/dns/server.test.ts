import type { Duplex } from "node:stream";
import * as dnsPacket from "dns-packet";
import { expect, test } from "vitest";
import { noLogger, type Logger, type LogFields } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { startDnsServer, CONNECTIONS_MAX, DATAGRAMS_OUTSTANDING_MAX } from "./server.ts";
import { IDLE_TIMEOUT_MS, OUTSTANDING_MAX } from "./tcp-connection.ts";
import { FakeCatalog, query, testConfig, type TestConfig } from "./testkit.ts";

const ADDRESS = { host: "127.0.0.1", port: 8600 };

async function start(overrides: TestConfig = {}) {
  const platform = simPlatform({ seed: "server" });
  const delegate = new FakeCatalog([
    { Node: "n1", Address: "10.0.0.1", Service: { Service: "web", Port: 80 } },
  ]);
  const lines: string[] = [];
  const logger: Logger = {
    ...noLogger,
    info: (message: string, fields?: LogFields) => {
      lines.push(
        `${message}: ${Object.entries(fields ?? {})
          .map((pair) => pair.join("="))
          .join(" ")}`,
      );
    },
  };
  const config = testConfig(overrides);
  const server = await startDnsServer({ platform, logger, config: () => config, delegate });
  const connect = async (): Promise<Client> => {
    const stream = await platform.network.connect(ADDRESS, { signal: AbortSignal.timeout(5000) });
    return client(stream);
  };
  return { platform, delegate, lines, server, connect };
}

interface Client {
  readonly stream: Duplex;
  readonly ids: () => number[];
}

/** Collects the ids of whole answers. */
function client(stream: Duplex): Client {
  let bytes = Buffer.alloc(0);
  const ids: number[] = [];
  stream.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      const end = 2 + bytes.readUInt16BE(0);
      const { id, answers } = dnsPacket.decode(bytes.subarray(2, end));
      expect(answers).toHaveLength(1);
      ids.push(id);
      bytes = bytes.subarray(end);
    }
  });
  return { stream, ids: () => ids };
}

function isOver({ stream }: Client): boolean {
  return stream.destroyed || stream.readableEnded;
}

function framed(id: number): Buffer {
  const message = query("web.service.consul", "A", { id });
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]);
}

test("a datagram is answered to where it came from", async () => {
  const { platform, server, lines } = await start();
  const replies: number[] = [];
  const socket = await platform.network.bindDatagram({ host: "127.0.0.1", port: 0 }, (bytes) => {
    replies.push(dnsPacket.decode(bytes).id);
  });
  socket.send(query("web.service.consul", "A", { id: 7 }), ADDRESS);
  socket.send(Uint8Array.of(1, 2, 3), ADDRESS);
  await platform.clock.settle();
  expect(replies).toEqual([7]);
  expect(server.addresses).toEqual([ADDRESS]);
  expect(lines).toEqual([
    "Started DNS server: address=127.0.0.1:8600 network=udp",
    "Started DNS server: address=127.0.0.1:8600 network=tcp",
  ]);
  await socket[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test("messages on TCP may come in pieces and several at a time", async () => {
  const { platform, server, connect } = await start();
  const { stream, ids } = await connect();
  const many = Buffer.concat(Array.from({ length: 500 }, (_, i) => framed(i)));
  for (let at = 0; at < many.length; at += 97) {
    stream.write(many.subarray(at, at + 97));
    if (at % 10 === 0) await platform.clock.settle();
  }
  while (ids().length < 500) await platform.clock.settle();
  expect(ids()).toEqual(Array.from({ length: 500 }, (_, i) => i));
  await server[Symbol.asyncDispose]();
  await platform.clock.settle();
  expect(stream.destroyed || stream.readableEnded).toBe(true);
  expect(platform.clock.timerCount).toBe(0);
});

test("a client that does not wait for answers is not read from until it has them", async () => {
  const { platform, delegate, server, connect } = await start();
  const call = delegate.call.bind(delegate);
  const waiting: (() => void)[] = [];
  delegate.call = async (method, args) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return call(method, args);
  };
  const { stream, ids } = await connect();
  for (let i = 0; i < 3 * OUTSTANDING_MAX; i++) stream.write(framed(i));
  await platform.clock.settle();
  expect(waiting).toHaveLength(OUTSTANDING_MAX);
  while (ids().length < 3 * OUTSTANDING_MAX) {
    for (const release of waiting.splice(0)) release();
    await platform.clock.settle();
    expect(waiting.length).toBeLessThanOrEqual(OUTSTANDING_MAX);
  }
  await server[Symbol.asyncDispose]();
});

test("a silent client is hung up on, one that asks is not", async () => {
  const { platform, server, connect } = await start();
  const [silent, busy] = [await connect(), await connect()];
  for (let i = 1; i <= 3; i++) {
    await platform.clock.run(IDLE_TIMEOUT_MS / 2);
    busy.stream.write(framed(i));
    await platform.clock.settle();
  }
  await platform.clock.settle();
  expect(silent.stream.destroyed || silent.stream.readableEnded).toBe(true);
  expect(busy.stream.destroyed).toBe(false);
  expect(busy.ids()).toEqual([1, 2, 3]);
  await server[Symbol.asyncDispose]();
});

test("what is no query ends the connection", async () => {
  const { platform, server, connect } = await start();
  const { stream } = await connect();
  stream.write(Buffer.from([0, 3, 1, 2, 3]));
  await platform.clock.settle();
  expect(stream.destroyed || stream.readableEnded).toBe(true);
  await server[Symbol.asyncDispose]();
});

test("a further connection takes the place of the one that was idle for longest", async () => {
  const { platform, server, connect } = await start();
  const clients: Client[] = [];
  for (let i = 0; i < CONNECTIONS_MAX; i++) {
    clients.push(await connect());
    if (i === 0) await platform.clock.run(1);
  }
  const [first, second] = clients;
  if (first === undefined || second === undefined) return expect.fail("no clients");
  await platform.clock.run(1);
  first.stream.write(framed(1));
  await platform.clock.settle();
  const next = await connect();
  next.stream.write(framed(5));
  await platform.clock.settle();
  expect(next.ids()).toEqual([5]);
  expect([isOver(first), isOver(second)]).toEqual([false, true]);
  expect(clients.filter(isOver)).toHaveLength(1);
  await server[Symbol.asyncDispose]();
});

test("connections have a limit while all wait for answers, and closing one makes room", async () => {
  const { platform, delegate, server, connect } = await start();
  const call = delegate.call.bind(delegate);
  delegate.call = () => new Promise(() => {});
  const clients: Client[] = [];
  for (let i = 0; i < CONNECTIONS_MAX; i++) {
    const busy = await connect();
    busy.stream.write(framed(i));
    clients.push(busy);
  }
  await platform.clock.settle();
  const surplus = await connect();
  await platform.clock.settle();
  expect(isOver(surplus)).toBe(true);
  expect(clients.filter(isOver)).toHaveLength(0);
  clients[0]?.stream.destroy();
  await platform.clock.settle();
  delegate.call = call;
  const next = await connect();
  next.stream.write(framed(5));
  await platform.clock.settle();
  expect(next.ids()).toEqual([5]);
  await server[Symbol.asyncDispose]();
});

test("a client that sends a message byte by byte is hung up on when it takes too long", async () => {
  const { platform, server, connect } = await start();
  const slow = await connect();
  const message = framed(1);
  for (let i = 0; i < 5; i++) {
    slow.stream.write(message.subarray(i, i + 1));
    await platform.clock.run(IDLE_TIMEOUT_MS / 4);
  }
  expect(isOver(slow)).toBe(true);
  await server[Symbol.asyncDispose]();
});

test("a client that never reads is owed little, and is hung up on", async () => {
  const { platform, delegate, server } = await start();
  let asked = 0;
  const call = delegate.call.bind(delegate);
  delegate.call = (method, args) => {
    asked += 1;
    return call(method, args);
  };
  const signal = new AbortController().signal;
  const stream = await platform.network.connect(ADDRESS, { signal });
  stream.on("error", () => {});
  stream.pause();
  let accepted = 0;
  for (let i = 0; i < 20_000 && !stream.writableNeedDrain; i++) {
    stream.write(framed(i & 0xffff));
    accepted += 1;
    if (i % 100 === 0) await platform.clock.settle();
  }
  await platform.clock.settle();
  expect(accepted).toBeLessThan(20_000);
  expect(asked).toBeLessThan(accepted);
  await platform.clock.run(2 * IDLE_TIMEOUT_MS);
  expect(platform.clock.timerCount).toBe(0);
  await server[Symbol.asyncDispose]();
});

test("while the catalog hangs, only so many datagrams wait for it", async () => {
  const { platform, delegate, server } = await start();
  let asked = 0;
  delegate.call = () => {
    asked += 1;
    return new Promise(() => {});
  };
  const local = { host: "127.0.0.1", port: 0 };
  const socket = await platform.network.bindDatagram(local, () => {});
  for (let i = 0; i < DATAGRAMS_OUTSTANDING_MAX + 100; i++) {
    socket.send(query("web.service.consul", "A", { id: i }), ADDRESS);
  }
  await platform.clock.settle();
  expect(asked).toBe(DATAGRAMS_OUTSTANDING_MAX);
  await socket[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test("a port that is taken is an error that leaves nothing open; -1 opens nothing", async () => {
  const platform = simPlatform({ seed: "taken" });
  const config = testConfig({ dnsAddrs: ["127.0.0.2", "127.0.0.1"] });
  const needs = { platform, logger: noLogger, config: () => config, delegate: new FakeCatalog() };
  const taken = await platform.network.listen(ADDRESS, () => {});
  await expect(startDnsServer(needs)).rejects.toMatchObject({
    code: "net/bind",
    message: "1 error occurred:\n\t* listen tcp 127.0.0.1:8600: bind: address already in use\n\n",
  });
  const datagrams = await platform.network.bindDatagram(ADDRESS, () => {});
  await expect(startDnsServer(needs)).rejects.toMatchObject({
    message: [
      "2 errors occurred:",
      "\t* listen udp 127.0.0.1:8600: bind: address already in use",
      "\t* listen tcp 127.0.0.1:8600: bind: address already in use\n\n",
    ].join("\n"),
  });
  await datagrams[Symbol.asyncDispose]();
  await taken[Symbol.asyncDispose]();
  const server = await startDnsServer(needs);
  expect(server.addresses.map(({ host }) => host)).toEqual(["127.0.0.2", "127.0.0.1"]);
  await server[Symbol.asyncDispose]();

  const off = testConfig({ port: -1 });
  const none = await startDnsServer({ ...needs, config: () => off });
  expect(none.addresses).toEqual([]);
});
