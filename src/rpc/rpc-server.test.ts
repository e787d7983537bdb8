// What a server does about connections that want too much of it, in virtual time.
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import type { CallServer } from "./remote-methods.ts";
import { RpcServer } from "./rpc-server.ts";

const PORT = { host: "10.0.0.1", port: 8300 };
const MEBIBYTE = 1024 * 1024;
const PING = Buffer.from(
  "82a353657101ad536572766963654d6574686f64ab5374617475732e50696e6780",
  "hex",
);
/** A request of KVS.Get up to its key, which is to have 40 MiB. */
const UNFINISHED = Buffer.from(
  "82a353657101ad536572766963654d6574686f64a74b56532e47657481a34b6579db02800000",
  "hex",
);

async function scene() {
  const { clock, network } = simPlatform({ seed: 1 });
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const server = new RpcServer({
    clock,
    logger: { ...noLogger, warn },
    called: {} as CallServer,
    heldMaxBytes: 8 * MEBIBYTE,
  });
  await network.listen(PORT, (stream) => server.serve(stream, "plain"));
  const dial = async (): Promise<Duplex> => {
    const stream = await clock.until(
      network.connect(PORT, { signal: new AbortController().signal }),
    );
    stream.on("data", () => {});
    return stream;
  };
  const send = async (stream: Duplex, bytes: Uint8Array): Promise<void> => {
    stream.write(bytes);
    await clock.run(1);
  };
  return { clock, server, dial, send, warnings };
}
const isOpen = (stream: Duplex): boolean => !stream.readableEnded && !stream.destroyed;

test("who holds most is closed when all hold too much, and the others are served", async () => {
  const { clock, server, dial, send, warnings } = await scene();
  const peers = [await dial(), await dial(), await dial()];
  for (const peer of peers) await send(peer, UNFINISHED);
  const [first, second, third] = peers;
  await send(first as Duplex, Buffer.alloc(MEBIBYTE));
  await send(third as Duplex, Buffer.alloc(MEBIBYTE));
  for (let i = 0; i < 12 && isOpen(second as Duplex); i += 1) {
    await send(second as Duplex, Buffer.alloc(MEBIBYTE));
    expect(server.heldBytes).toBeLessThanOrEqual(8 * MEBIBYTE);
  }
  expect(peers.map(isOpen)).toEqual([true, false, true]);
  expect(warnings).toEqual([
    "a connection holds too much of what is not read or not complete, and is closed",
  ]);
  const other = await dial();
  let answer = "";
  other.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  await send(other, PING);
  expect(answer).toContain("Status.Ping");
  for (const peer of [...peers, other]) peer.destroy();
  await clock.run(10);
  expect(server.heldBytes).toBe(0);
});

test("a server that is closed serves nobody, and has closed what it served", async () => {
  const { clock, server, dial } = await scene();
  const before = await dial();
  await clock.run(1);
  server[Symbol.dispose]();
  const after = await dial();
  await clock.run(10);
  expect([isOpen(before), isOpen(after)]).toEqual([false, false]);
  expect(clock.timerCount).toBe(0);
});
