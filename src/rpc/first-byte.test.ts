// What the first byte of a connection says, and who is hung up on. In virtual time.
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import type { Logger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { FirstBytes } from "./first-byte.ts";

const PORT = { host: "10.0.0.1", port: 8300 };

async function scene({ connectionsPerClientMax = 100 } = {}) {
  const { clock, network } = simPlatform({ seed: 1 });
  const seen: string[] = [];
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const logger = { warn: log, error: log } as unknown as Logger;
  const takes = (what: string) => (stream: Duplex, kind?: string) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    stream.on("end", () => seen.push([what, kind, text].filter((part) => part).join(" ")));
  };
  const firstBytes = new FirstBytes({
    clock,
    logger,
    handshakeTimeoutMs: 5000,
    connectionsPerClientMax,
    rpc: takes("rpc"),
    raft: takes("raft"),
    snapshot: takes("snapshot"),
  });
  await network.listen(PORT, (stream, peer) => firstBytes.accept(stream, peer));
  const dialed: Duplex[] = [];
  const dial = async (from = network): Promise<Duplex> => {
    const stream = await clock.until(from.connect(PORT, { signal: new AbortController().signal }));
    dialed.push(stream);
    stream.on("data", () => {});
    return stream;
  };
  const isOpen = (stream: Duplex): boolean => !stream.readableEnded && !stream.destroyed;
  return { clock, network, seen, logged, dial, isOpen, firstBytes };
}

test.each([
  [0, "rpc plain"],
  [4, "rpc multiplexed"],
  [1, "raft"],
  [5, "snapshot"],
])("%i is for %s, which has all that follows", async (first, what) => {
  const { clock, dial, seen } = await scene();
  const stream = await dial();
  stream.write(Buffer.from([first, 0x61]));
  await clock.run(10);
  stream.write("bc");
  await clock.run(6000);
  stream.end();
  await clock.run(10);
  expect(seen).toEqual([`${what} abc`]);
});

test.each([
  [2, "unrecognized RPC byte"],
  [3, "a TLS connection is refused: TLS between servers is not built yet"],
  [6, "unrecognized RPC byte"],
  [7, "unrecognized RPC byte"],
  [0x16, "unrecognized RPC byte"],
])("%i is hung up on: %s", async (first, why) => {
  const { clock, dial, isOpen, logged } = await scene();
  const stream = await dial();
  stream.write(Buffer.from([first]));
  await clock.run(10);
  expect(isOpen(stream)).toBe(false);
  expect(logged).toEqual([why]);
});

test("who says nothing for 5 s is hung up on", async () => {
  const { clock, dial, isOpen, logged } = await scene();
  const stream = await dial();
  await clock.run(4990);
  expect(isOpen(stream)).toBe(true);
  await clock.run(20);
  expect(isOpen(stream)).toBe(false);
  expect(logged).toEqual(["a connection has not said what it is for, and is closed"]);
});

test("who hangs up without a word leaves nothing behind", async () => {
  const { clock, dial } = await scene();
  (await dial()).destroy();
  await clock.run(10);
  expect(clock.timerCount).toBe(0);
});

test("a client has 100 connections and no more, until one of them is closed", async () => {
  const { clock, network, dial, isOpen, logged } = await scene();
  const here = network.at("10.0.0.2");
  const streams: Duplex[] = [];
  for (let i = 0; i < 101; i += 1) {
    const stream = await dial(here);
    stream.write(Buffer.from([4]));
    streams.push(stream);
  }
  await clock.run(10);
  expect(streams.map(isOpen)).toEqual([...Array.from({ length: 100 }, () => true), false]);
  expect(logged).toEqual(["a connection is refused: there are too many"]);
  // Another client is not concerned.
  const other = await dial(network.at("10.0.0.3"));
  await clock.run(10);
  expect(isOpen(other)).toBe(true);
  streams[0]?.destroy();
  await clock.run(10);
  const again = await dial(here);
  await clock.run(10);
  expect(isOpen(again)).toBe(true);
});

test("0 is no limit", async () => {
  const { clock, dial, isOpen } = await scene({ connectionsPerClientMax: 0 });
  const streams: Duplex[] = [];
  for (let i = 0; i < 150; i += 1) streams.push(await dial());
  await clock.run(10);
  expect(streams.every(isOpen)).toBe(true);
});

test("with the port all connections go", async () => {
  const { clock, dial, isOpen, firstBytes } = await scene();
  const streams = [await dial(), await dial()];
  streams[0]?.write(Buffer.from([4]));
  await clock.run(10);
  firstBytes[Symbol.dispose]();
  await clock.run(10);
  expect(streams.some(isOpen)).toBe(false);
  expect(clock.timerCount).toBe(0);
});
