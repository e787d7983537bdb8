import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { Connections } from "./connections.ts";

/** Longer than a head may take, with the time until it is seen to have begun. */
const TOO_LONG_MS = 90_000;
const PEER = { host: "127.0.0.1", port: 1 };

/** Counts what came, as a socket does; nothing is sent anywhere. */
class CountingStream extends Duplex {
  bytesRead = 0;
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }
  come(text: string): void {
    this.bytesRead += text.length;
    this.push(text);
  }
}

function underTest() {
  const { clock } = simPlatform({ seed: 1 });
  const connections = new Connections({ clock, maxPerClient: () => 9 });
  const stream = new CountingStream();
  expect(connections.admit(stream, PEER)).toBe(true);
  stream.on("data", () => {});
  return { clock, connections, stream };
}

test("who begins a request and does not go on is cut off, who begins none is not", async () => {
  const { clock, connections, stream } = underTest();
  await clock.run(TOO_LONG_MS);
  expect(stream.destroyed).toBe(false);
  connections.requestBegun(stream);
  stream.come("a request");
  await clock.settle();
  connections.requestDone(stream);
  await clock.run(TOO_LONG_MS);
  expect(stream.destroyed).toBe(false);
  stream.come("half");
  await clock.run(TOO_LONG_MS);
  expect(stream.destroyed).toBe(true);
});

test("who is not read from is not hurried, and nothing is begun by what waits", async () => {
  const { clock, connections, stream } = underTest();
  stream.pause();
  stream.come("much that waits until answers are read");
  await clock.run(TOO_LONG_MS);
  expect(stream.destroyed).toBe(false);
  connections.requestBegun(stream);
  connections.requestDone(stream);
  stream.resume();
  await clock.settle();
  connections.requestBegun(stream);
  await clock.run(TOO_LONG_MS);
  expect(stream.destroyed).toBe(false);
});

test("who ends its side is answered, but does not wait for a change", async () => {
  for (const held of ["before", "after"] as const) {
    const { clock, connections, stream } = underTest();
    connections.requestBegun(stream);
    if (held === "before") connections.hold(stream);
    stream.push(null);
    await clock.settle();
    expect(stream.destroyed).toBe(held === "before");
    if (held === "after") connections.hold(stream);
    expect(stream.destroyed).toBe(true);
  }
});
