import type { Duplex } from "node:stream";
import { assert, asyncProperty, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { restoreOver, saveOver, serveSnapshot } from "./snapshot-stream.ts";
import type { SavedSnapshot, SnapshotOptions, Snapshots } from "./snapshots.ts";

const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);
const ADDRESS = { host: "10.0.0.1", port: 8300 };
const DEFAULT: SnapshotOptions = { datacenter: "dc1", consistency: "default" };

async function allOf(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}
async function* slices(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface World {
  readonly platform: SimPlatform;
  readonly asked: SnapshotOptions[];
  readonly restored: Buffer[];
  connect(): Promise<Duplex>;
}
/** A server that has this to give, or refuses everything in these words. */
async function world(
  archive: Uint8Array,
  refusal?: string,
  facts: Partial<SavedSnapshot> = {},
): Promise<World> {
  const platform = simPlatform({ seed: 1 });
  const asked: SnapshotOptions[] = [];
  const restored: Buffer[] = [];
  const look = (options: SnapshotOptions): void => {
    asked.push(options);
    if (refusal !== undefined) throw new RollcallError("request/refused", refusal);
  };
  const snapshots: Snapshots = {
    save: async (options): Promise<SavedSnapshot> => {
      look(options);
      const known = { index: 53, knownLeader: true, lastContactMs: 12, ...facts };
      return { ...known, archive: slices(archive) };
    },
    restore: async (given, options) => {
      look(options);
      restored.push(await allOf(given));
    },
  };
  const { clock, network } = platform;
  await network.listen(ADDRESS, (stream) => {
    stream.once("readable", () => {
      expect((stream.read(1) as Uint8Array)[0]).toBe(5);
      void serveSnapshot(stream, { clock, logger: noLogger, snapshots });
    });
  });
  const signal = new AbortController().signal;
  return { platform, asked, restored, connect: () => network.connect(ADDRESS, { signal }) };
}

test("a snapshot comes as it was saved, with its index and how old it may be", async () => {
  const archive = Buffer.alloc(300_000, "state");
  const { platform, connect, asked } = await world(archive);
  const options: SnapshotOptions = { datacenter: "", consistency: "stale" };
  const saved = await platform.clock.until(
    saveOver(await platform.clock.until(connect()), options),
  );
  expect(saved).toMatchObject({ index: 53, knownLeader: true, lastContactMs: 12 });
  expect((await platform.clock.until(allOf(saved.archive))).equals(archive)).toBe(true);
  expect(asked).toEqual([options]);
});

test("an archive to restore arrives whole, and its end is the end of the stream", async () => {
  const archive = Buffer.alloc(300_000, "backup");
  const { platform, connect, restored } = await world(archive);
  const stream = await platform.clock.until(connect());
  await platform.clock.until(restoreOver(stream, DEFAULT, slices(archive, 1000)));
  expect(restored.map((bytes) => bytes.equals(archive))).toEqual([true]);
});

test("what the server says against it is what the caller throws", async () => {
  const { platform, connect } = await world(Buffer.alloc(0), "stale not allowed for restore");
  const over = await platform.clock.until(connect());
  const outcome = restoreOver(over, DEFAULT, slices(Buffer.alloc(100_000))).catch(String);
  expect(await platform.clock.until(outcome)).toContain("stale not allowed for restore");
  const { platform: other, connect: again } = await world(Buffer.alloc(0), "No cluster leader");
  const refused = saveOver(await other.clock.until(again()), DEFAULT).catch((e: unknown) => e);
  expect(await other.clock.until(refused)).toMatchObject({ code: "raft/no-leader" });
});

// Recorded from Consul 1.8.7.
const REQUEST = "0584aa416c6c6f775374616c65c2aa4461746163656e746572a3646331a24f7000a5546f6b656ea0";
const RESPONSE =
  "85b0436f6e73697374656e63794c6576656ca0a54572726f72a0a5496e64657820ab4b6e6f776e4c6561646572c3ab4c617374436f6e7461637400";

test("Consul's request is read, and answered in the bytes of Consul's response", async () => {
  const { platform, connect, asked } = await world(Buffer.from("archive"), undefined, {
    index: 32,
    lastContactMs: 0,
  });
  const stream = await platform.clock.until(connect());
  const answer = allOf(stream as AsyncIterable<Uint8Array>);
  stream.end(Buffer.from(REQUEST, "hex"));
  const bytes = await platform.clock.until(answer);
  expect(asked).toEqual([DEFAULT]);
  expect(bytes.toString("hex")).toBe(RESPONSE + Buffer.from("archive").toString("hex"));
});

test("whatever comes instead of a request ends the connection, and nothing is restored", async () => {
  await assert(
    asyncProperty(uint8Array({ maxLength: 200 }), async (bytes) => {
      const { platform, connect, restored } = await world(Buffer.from("x"));
      const stream = await platform.clock.until(connect());
      const closed = new Promise((resolve) => stream.once("close", resolve));
      stream.on("error", () => {});
      stream.resume();
      stream.end(Buffer.concat([Buffer.of(5), bytes]));
      await platform.clock.until(closed);
      expect(restored.every((state) => state.length < bytes.length)).toBe(true);
    }),
    { numRuns: FUZZ_RUNS },
  );
});

test("who does not say what is wanted is hung up on", async () => {
  const { platform, connect } = await world(Buffer.alloc(0));
  const stream = await platform.clock.until(connect());
  const closed = new Promise((resolve) => stream.once("close", resolve));
  stream.resume();
  stream.write(Buffer.of(5, 0x84));
  await platform.clock.run(10_001);
  await platform.clock.until(closed);
});
