/** Disks that fill up, fail to sync, are slow, or decay under an open log. */
import { beforeEach, describe, expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { openWal, type Wal, type WalState } from "./index.ts";
import { contentOf, entries, entry, openSmall, shownModel } from "./testkit.ts";

let platform: SimPlatform;
beforeEach(() => {
  platform = simPlatform({ seed: 1 });
});
const open = (): Promise<Wal> => openSmall(platform.disk, platform.clock, "/wal");
const shownOf = async (wal: Wal) => shownModel((await contentOf(wal)).found).slice(1);
const shownOfAll = (from: number, through: number) =>
  entries(from, through, 1).map(({ index }) => `${index}:1 entry ${index} of term 1`);
const segmentsIn = async () => {
  const names = ((await platform.disk.list("/wal")) ?? []).map(({ name }) => name);
  return names.filter((name) => name.endsWith(".wal")).map((name) => `/wal/${name}`);
};

/** Notes when a promise is settled. */
function watched(promise: Promise<void>): { settled: boolean; readonly promise: Promise<void> } {
  const watch = { settled: false, promise };
  promise.then(
    () => (watch.settled = true),
    () => (watch.settled = true),
  );
  return watch;
}

test("while the disk is full nothing is acknowledged; once there is space, all that waited is", async () => {
  const wal = await open();
  const states: WalState[] = [];
  using _subscription = wal.subscribe((state) => states.push(state));
  await wal.append(entries(1, 3, 1));
  const used = 10_000;
  await platform.disk.replace("/other", new Uint8Array(used));
  platform.disk.capacityBytes = wal.sizeBytes + used + 200;

  const waiting = [4, 5, 6, 7, 8, 9].map((index) => watched(wal.append([entry(index, 1)])));
  const vote = watched(wal.saveHardState({ term: 2, vote: "a" }));
  await platform.clock.run(60_000);
  expect([...waiting, vote].filter(({ settled }) => settled)).toEqual([]);
  expect(wal.state).toMatchObject({ kind: "full", reason: /no space left on device/ });
  expect([wal.lastIndex, wal.hardState.term]).toEqual([9, 0]);
  expect((await wal.read(9, 9, 100)).map(({ index }) => index)).toEqual([9]);

  await platform.disk.remove("/other");
  await platform.clock.run(1000);
  await Promise.all([...waiting, vote].map(({ promise }) => promise));
  expect(wal.state).toBe("ok");
  expect(states).toEqual([expect.objectContaining({ kind: "full" }), "ok"]);
  await wal.append([entry(10, 1)]);
  platform.disk.crash();
  const after = await open();
  expect(await shownOf(after)).toEqual(shownOfAll(1, 10));
  expect(after.hardState).toEqual({ term: 2, vote: "a" });
});

test("what a sync failed to write is written to another file, and the failed one is not trusted again", async () => {
  for (let seed = 0; seed < 40; seed += 1) {
    platform = simPlatform({ seed });
    const wal = await open();
    await wal.append(entries(1, 2, 1));
    const [failing] = await segmentsIn();
    platform.disk.failSyncs = (path) => path === failing;
    await wal.append(entries(3, 4, 1));
    platform.disk.failSyncs = () => false;
    expect(await segmentsIn()).toHaveLength(2);
    await wal.append(entries(5, 6, 1));
    platform.disk.crash();
    expect(await shownOf(await open()), `seed ${seed}`).toEqual(shownOfAll(1, 6));
  }
});

test("entries that are only in the system's memory are synced again when the log is opened", async () => {
  for (let seed = 0; seed < 40; seed += 1) {
    platform = simPlatform({ seed });
    const first = await open();
    await first.append(entries(1, 2, 1));
    platform.disk.failSyncs = () => true;
    void first.append(entries(3, 4, 1)).catch(() => undefined);
    await platform.clock.run(100);
    await first[Symbol.asyncDispose]();
    platform.disk.failSyncs = () => false;
    // Only the process ended: readers still see what the sync did not write.
    const second = await open();
    expect(second.lastIndex).toBe(4);
    await second.append([entry(5, 1)]);
    await second[Symbol.asyncDispose]();
    platform.disk.crash();
    expect(await shownOf(await open()), `seed ${seed}`).toEqual(shownOfAll(1, 5));
  }
});

test("a disk that fails for good stops all acknowledgements, and closing gives up on them", async () => {
  const wal = await open();
  await wal.append(entries(1, 2, 1));
  platform.disk.failSyncs = () => true;
  const waiting = [
    watched(wal.append([entry(3, 1)])),
    watched(wal.saveHardState({ term: 2, vote: "a" })),
    watched(wal.truncateFrom(3)),
  ];
  await platform.clock.run(10_000);
  expect(wal.state).toMatchObject({ kind: "failed", reason: /input\/output error/ });
  const [append, ...others] = waiting;
  expect(append?.settled).toBe(true);
  expect(others.map(({ settled }) => settled)).toEqual([false, false]);
  await wal[Symbol.asyncDispose]();
  for (const { promise } of waiting)
    await expect(promise).rejects.toMatchObject({ code: "disk/failed" });
  expect(platform.clock.timerCount).toBe(0);
  platform.disk.failSyncs = () => false;
  expect((await shownOf(await open())).slice(0, 2)).toEqual(shownOfAll(1, 2));
});

test("a segment that cannot be removed is removed later, and never comes back into the log", async () => {
  const wal = await open();
  for (let index = 1; index <= 30; index += 1) await wal.append([entry(index, 1)]);
  const { disk } = platform;
  const remove = disk.remove.bind(disk);
  disk.remove = () => Promise.reject(new Error("no"));
  await expect(wal.dropThrough(20)).rejects.toThrow("no");
  expect(wal.firstIndex).toBeGreaterThan(10);
  await wal.resetTo(100, 2);
  await expect(wal.dropThrough(100)).rejects.toThrow("no");
  await wal.append([entry(101, 2)]);
  disk.crash();
  const before = await open();
  expect(await shownOf(before)).toEqual(["101:2 entry 101 of term 2"]);
  expect((await segmentsIn()).length).toBeGreaterThan(3);
  await before[Symbol.asyncDispose]();
  disk.remove = remove;
  expect(await shownOf(await open())).toEqual(["101:2 entry 101 of term 2"]);
  expect(await segmentsIn()).toHaveLength(1);
});

test("more than a disk can take in a while is refused, and nothing of it is appended", async () => {
  const wal = await openWal({ ...platform, directory: "/wal", logger: noLogger });
  platform.disk.pace = () => new Promise(() => {});
  const body = "x".repeat(16 * 1024 * 1024);
  for (let index = 1; index <= 4; index += 1) void wal.append([entry(index, 1, body)]);
  await expect(wal.append([entry(5, 1)])).rejects.toMatchObject({
    code: "disk/failed",
    message: /67108864 bytes wait for it/,
  });
  expect(wal.lastIndex).toBe(4);
});

describe("decay under an open log", () => {
  /** The log is opened again, so that nothing of it is in memory. */
  const rotten = async (): Promise<Wal> => {
    const writing = await open();
    for (let index = 1; index <= 20; index += 1) await writing.append([entry(index, 1)]);
    await writing[Symbol.asyncDispose]();
    const wal = await open();
    const [first = ""] = await segmentsIn();
    const text = Buffer.from((await platform.disk.read(first)) ?? []).indexOf("entry 2 of");
    platform.disk.flipBit(first, text, 0);
    return wal;
  };

  test("is found when the entry is read, which is then not served any more", async () => {
    const wal = await rotten();
    expect(wal.state).toBe("ok");
    const states: WalState[] = [];
    using _subscription = wal.subscribe((state) => states.push(state));
    expect((await wal.read(1, 5, 10_000)).map(({ index }) => index)).toEqual([1]);
    await expect(wal.read(2, 5, 10_000)).rejects.toThrow("entry 2 of the log is corrupt");
    await expect(wal.read(2, 5, 10_000)).rejects.toThrow("entry 2 of the log is corrupt");
    expect(states).toEqual([{ kind: "corrupt", fromIndex: 2, throughIndex: 2 }]);
    expect(wal.term(2)).toBe(1);
    expect((await wal.read(3, 3, 10_000)).map(({ index }) => index)).toEqual([3]);
    await wal.append([entry(21, 1)]);

    await wal.repair(entries(1, 3, 1));
    expect(wal.state).toBe("ok");
    expect(await shownOf(wal)).toEqual(shownOfAll(1, 21));
    platform.disk.crash();
    expect(await shownOf(await open())).toEqual(shownOfAll(1, 21));
  });

  test.each<[string, (wal: Wal) => Promise<void>]>([
    ["cutting it away", (wal) => wal.truncateFrom(2)],
    ["a reset", (wal) => wal.resetTo(100, 1)],
    ["dropping it", (wal) => wal.dropThrough(15)],
  ])("ends with %s", async (_name, end) => {
    const wal = await rotten();
    await expect(wal.read(2, 2, 0)).rejects.toThrow("corrupt");
    await end(wal);
    expect(wal.state).toBe("ok");
  });

  test("a file whose name makes no sense is not believed", async () => {
    const writing = await open();
    await writing.append([entry(1, 1)]);
    await writing[Symbol.asyncDispose]();
    await platform.disk.replace("/wal/0000000009-0009999999999999.wal", new Uint8Array(100));
    await expect(open()).rejects.toThrow("entries are missing before the next segment");
  });

  test("a segment that is missing is reported, with all that it had, and can be put back", async () => {
    const writing = await open();
    for (let index = 1; index <= 20; index += 1) await writing.append([entry(index, 1)]);
    await writing[Symbol.asyncDispose]();
    const [, second = ""] = await segmentsIn();
    await platform.disk.remove(second);
    const wal = await open();
    const { lost } = await contentOf(wal);
    expect(lost.length).toBeGreaterThan(2);
    const [fromIndex = 0] = lost;
    const throughIndex = lost.at(-1) ?? 0;
    expect(wal.state).toEqual({ kind: "corrupt", fromIndex, throughIndex });
    expect(wal.term(fromIndex)).toBeUndefined();
    await wal.repair(entries(fromIndex, fromIndex, 1));
    expect(wal.state).toEqual({ kind: "corrupt", fromIndex: fromIndex + 1, throughIndex });
    expect([fromIndex, fromIndex + 1].map((index) => wal.term(index))).toEqual([1, undefined]);
    await wal[Symbol.asyncDispose]();
    const again = await open();
    expect(again.state).toEqual({ kind: "corrupt", fromIndex: fromIndex + 1, throughIndex });
    await again.repair(entries(1, 20, 1));
    expect(await shownOf(again)).toEqual(shownOfAll(1, 20));
  });
});
