import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { StoppingDisk } from "../wal/testkit.ts";
import { memorySnapshotStore, openSnapshotStore } from "./index.ts";
import type { SnapshotStore, StoredSnapshot } from "./index.ts";
import type { SnapshotMeta } from "./raft-log.ts";
import { SLICE_BYTES, Slicer } from "./slicer.ts";

let platform: SimPlatform;
beforeEach(() => {
  platform = simPlatform({ seed: 1 });
});
const openOnDisk = (): Promise<SnapshotStore> => {
  const { disk, clock } = platform;
  return openSnapshotStore({ disk, clock, logger: noLogger, directory: "/raft" });
};
const metaOf = (term: number, index: number): SnapshotMeta => ({
  term,
  index,
  configuration: { servers: [{ id: "a", address: "127.0.0.1:8300", suffrage: "voter" }] },
  configurationIndex: 1,
});

async function taken(
  store: SnapshotStore,
  meta: SnapshotMeta,
  ...slices: readonly Uint8Array[]
): Promise<StoredSnapshot> {
  const sink = await store.create(meta);
  for (const slice of slices) await sink.write(slice);
  return sink.commit();
}

async function contentOf(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const slices: Uint8Array[] = [];
  for await (const slice of bytes) slices.push(slice);
  return Buffer.concat(slices);
}

const textOf = async (path: string): Promise<string> =>
  Buffer.from((await platform.disk.read(path)) ?? []).toString();
const state = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

describe.each([
  { where: "on disk", open: openOnDisk },
  { where: "in memory", open: async () => memorySnapshotStore() },
])("snapshots $where", ({ open }) => {
  test("are read as they were written, in slices of bounded size, whatever they came in", async () => {
    const store = await open();
    const crumbs = Array.from({ length: 5000 }, (_, at) => state(`entry ${at}\n`));
    const slices = [...crumbs, platform.random.bytes(3 * SLICE_BYTES + 7), state(""), state("end")];
    const snapshot = await taken(store, metaOf(2, 9), ...slices);
    const whole = Buffer.concat(slices);
    expect(snapshot).toMatchObject({ ...metaOf(2, 9), sizeBytes: whole.byteLength });
    expect(store.newest).toEqual(snapshot);
    expect(Buffer.compare(await contentOf(store.read(snapshot)), whole)).toBe(0);
    for await (const { byteLength } of store.read(snapshot)) {
      expect(byteLength).toBeLessThanOrEqual(SLICE_BYTES);
    }
  });

  test("keep their bytes when the caller uses its buffer again", async () => {
    const store = await open();
    const buffer = state("one");
    const sink = await store.create(metaOf(1, 1));
    await sink.write(buffer);
    buffer.set(state("two"));
    await sink.write(buffer);
    expect(String(await contentOf(store.read(await sink.commit())))).toBe("onetwo");
  });

  test("may be empty", async () => {
    const store = await open();
    expect(await contentOf(store.read(await taken(store, metaOf(1, 1))))).toHaveLength(0);
  });

  test("count from the commit on, the one that reaches furthest first", async () => {
    const store = await open();
    expect(store.newest).toBeUndefined();
    const sink = await store.create(metaOf(2, 7));
    await sink.write(state("seven"));
    expect(store.newest).toBeUndefined();
    const older = await taken(store, metaOf(2, 5), state("five"));
    expect(store.newest?.id).toBe(older.id);
    const newer = await sink.commit();
    await taken(store, metaOf(2, 6), state("six"));
    await taken(store, metaOf(1, 9), state("of an older term"));
    expect(store.newest?.id).toBe(newer.id);
  });

  test("leave nothing behind when they are given up", async () => {
    const store = await open();
    const kept = await taken(store, metaOf(1, 1), state("kept"));
    const sink = await store.create(metaOf(1, 2));
    await sink.write(state("given up"));
    await sink.abort();
    expect(store.newest?.id).toBe(kept.id);
    const files = (await platform.disk.list("/raft/snapshots")) ?? [];
    expect(files.map(({ name }) => name)).not.toContain("1-2");
    expect(files.length).toBeLessThanOrEqual(1);
  });

  test("may be taken at the same place at the same time", async () => {
    const store = await open();
    const [first, second] = await Promise.all([
      store.create(metaOf(1, 1)),
      store.create(metaOf(1, 1)),
    ]);
    await Promise.all([first.write(state("first")), second.write(state("second"))]);
    const one = await first.commit();
    expect(String(await contentOf(store.read(one)))).toBe("first");
    const other = await second.commit();
    expect(other.id).not.toBe(one.id);
    expect(String(await contentOf(store.read(other)))).toBe("second");
  });

  test("are read to their end while others take their place", async () => {
    const store = await open();
    const first = await taken(store, metaOf(1, 1), platform.random.bytes(2 * SLICE_BYTES));
    const slices = store.read(first)[Symbol.asyncIterator]();
    const begun = (await slices.next()).value as Uint8Array;
    for (let index = 2; index < 6; index += 1) await taken(store, metaOf(1, index), state("newer"));
    const rest = await contentOf({ [Symbol.asyncIterator]: () => slices });
    expect(begun.byteLength + rest.byteLength).toBe(2 * SLICE_BYTES);
  });

  test("that are not there cannot be read", async () => {
    const store = await open();
    const missing = { ...metaOf(1, 1), id: "1-1-1", sizeBytes: 1 };
    await expect(contentOf(store.read(missing))).rejects.toMatchObject({ code: "disk/failed" });
  });
});

describe("snapshots on disk", () => {
  test("are there when the store is opened again: the two that reach furthest", async () => {
    const store = await openOnDisk();
    for (const index of [3, 1, 4, 2]) await taken(store, metaOf(1, index), state(`${index}`));
    const again = await openOnDisk();
    expect(again.newest).toEqual(store.newest);
    expect(String(await contentOf(again.read(again.newest as StoredSnapshot)))).toBe("4");
    const names = (await platform.disk.list("/raft/snapshots"))?.map(({ name }) => name);
    expect(names?.map((name) => name.slice(0, 3))).toEqual(["1-3", "1-4"]);
  });

  test("are whole whichever call the power fails at, and what was not finished is cleared away", async () => {
    const directory = "/raft";
    let calls = 0;
    for (let seed = 0; seed < 5; seed += 1) {
      for (let callsLeft = 0; callsLeft <= Math.max(calls, 10); callsLeft += 1) {
        platform = simPlatform({ seed });
        const { clock } = platform;
        await taken(await openOnDisk(), metaOf(1, 1), state("before"));
        await taken(await openOnDisk(), metaOf(1, 2), state("then"));
        const disk = new StoppingDisk(platform.disk, callsLeft);
        const taking = openSnapshotStore({ disk, clock, logger: noLogger, directory }).then(
          (store) =>
            taken(store, metaOf(1, 3), state("after "), platform.random.bytes(SLICE_BYTES)),
        );
        const outcome = await Promise.race([taking, disk.stopped]);
        platform.disk.crash();
        calls = disk.calls.length;
        const { newest } = await openOnDisk();
        const names = (await platform.disk.list("/raft/snapshots"))?.map(({ name }) => name) ?? [];
        if (outcome !== "stopped") expect(newest).toEqual(outcome);
        expect([2, 3]).toContain(newest?.index);
        expect(names).toContain(newest?.id);
        const whole = newest?.index === 3 ? 6 + SLICE_BYTES : 4;
        expect(newest?.sizeBytes).toBe(whole);
        const store = await openOnDisk();
        expect(await contentOf(store.read(newest as StoredSnapshot))).toHaveLength(whole);
        expect(names.length).toBeLessThanOrEqual(3);
        await taken(store, metaOf(1, 4), state("later"));
        expect((await platform.disk.list("/raft/snapshots")) ?? []).toHaveLength(2);
      }
    }
    expect(calls).toBeGreaterThan(8);
  });

  test("whose bytes have rotted are not passed off as whole", async () => {
    const store = await openOnDisk();
    const snapshot = await taken(store, metaOf(1, 1), platform.random.bytes(1000));
    platform.disk.flipBit(`/raft/snapshots/${snapshot.id}/state.bin`, 500, 3);
    const corrupt = { code: "disk/failed", message: /corrupt/ };
    await expect(contentOf(store.read(snapshot))).rejects.toMatchObject(corrupt);
  });

  test("whose meta.json cannot be read, or has no sum yet, are none", async () => {
    const store = await openOnDisk();
    const good = await taken(store, metaOf(1, 1), state("good"));
    const bad = await taken(store, metaOf(1, 2), state("bad"));
    const path = `/raft/snapshots/${bad.id}/meta.json`;
    const meta = JSON.parse(await textOf(path)) as object;
    const changed = [
      { CRC: null },
      { Index: "2" },
      { Term: -1 },
      { Size: 0.5 },
      { Configuration: {} },
    ];
    const texts = changed.map((change) => JSON.stringify({ ...meta, ...change }));
    for (const text of ["", "[]", "null", '{"CRC":"x"}', ...texts]) {
      await platform.disk.makeDirectory(`/raft/snapshots/${bad.id}`);
      await platform.disk.replace(path, Buffer.from(text));
      expect((await openOnDisk()).newest?.id, text).toBe(good.id);
    }
  });

  test("are laid out as hashicorp/raft does, which can be read as well as our own", async () => {
    const { meta, state: bytes } = JSON.parse(
      await readFile(new URL("./testdata/consul-snapshot.json", import.meta.url), "utf8"),
    ) as { readonly meta: string; readonly state: string };
    const { ID: id } = JSON.parse(meta) as { readonly ID: string };
    const { disk } = platform;
    const directory = `/raft/snapshots/${id}`;
    await disk.makeDirectory(directory);
    await disk.replace(`${directory}/meta.json`, Buffer.from(meta));
    await disk.replace(`${directory}/state.bin`, Buffer.from(bytes, "base64"));
    const { newest } = await openOnDisk();
    const store = await openOnDisk();
    const found = newest as StoredSnapshot;
    expect((await contentOf(store.read(found))).toString("base64")).toBe(bytes);

    // Written by us, it differs in nothing but when.
    const copy = await taken(store, found, Buffer.from(bytes, "base64"));
    const own = await textOf(`/raft/snapshots/${copy.id}/meta.json`);
    expect(own).toBe(meta.replace(id, copy.id));
  });
});

test("slices are of one length, whatever comes in", () => {
  const slicer = new Slicer();
  const lengths = [1, SLICE_BYTES, SLICE_BYTES - 1, 3 * SLICE_BYTES, 0, 5];
  const full = lengths.flatMap((length) => slicer.take(new Uint8Array(length)));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  expect(full.map(({ byteLength }) => byteLength)).toEqual(full.map(() => SLICE_BYTES));
  expect(full).toHaveLength(Math.floor(total / SLICE_BYTES));
  expect(slicer.rest().map(({ byteLength }) => byteLength)).toEqual([total % SLICE_BYTES]);
});
