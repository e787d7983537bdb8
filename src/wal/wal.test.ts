import { beforeEach, describe, expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { openWal, type Wal } from "./index.ts";
import {
  contentOf,
  entries,
  entry,
  openSmall,
  shownEntry,
  shownModel,
  StoppingDisk,
} from "./testkit.ts";

let platform: SimPlatform;
beforeEach(() => {
  platform = simPlatform({ seed: 1 });
});
const open = (): Promise<Wal> => openSmall(platform.disk, platform.clock, "/wal");
const reopened = async (wal: Wal): Promise<Wal> => {
  await wal[Symbol.asyncDispose]();
  return open();
};
const bounds = ({ firstIndex, lastIndex }: Wal) => [firstIndex, lastIndex];
const shownOf = async (wal: Wal) => shownModel((await contentOf(wal)).found);
const filesIn = async () =>
  ((await platform.disk.list("/wal")) ?? [])
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".wal"));

describe("a log", () => {
  test("is empty at first, and stays so", async () => {
    let wal = await open();
    for (let again = 0; again < 2; again += 1) {
      expect(bounds(wal)).toEqual([1, 0]);
      expect([wal.term(0), wal.term(1)]).toEqual([0, undefined]);
      expect(wal.hardState).toEqual({ term: 0, vote: "" });
      expect(wal.state).toBe("ok");
      wal = await reopened(wal);
    }
  });

  test("shows what is appended at once, and still has it when opened again", async () => {
    let wal = await open();
    const appending = wal.append(entries(1, 3, 1));
    expect(bounds(wal)).toEqual([1, 3]);
    expect(wal.term(3)).toBe(1);
    expect((await wal.read(1, 3, 1000)).map(shownEntry)).toEqual([
      "1:1 entry 1 of term 1",
      "2:1 entry 2 of term 1",
      "3:1 entry 3 of term 1",
    ]);
    await appending;
    for (let index = 4; index <= 30; index += 1) await wal.append([entry(index, 7)]);
    const before = await shownOf(wal);
    wal = await reopened(wal);
    expect(bounds(wal)).toEqual([1, 30]);
    expect([3, 4, 30, 31].map((index) => wal.term(index))).toEqual([1, 7, 7, undefined]);
    expect(await shownOf(wal)).toEqual(before);
    expect((await filesIn()).length).toBeGreaterThan(3);
  });

  test("holds bytes of every length and kind", async () => {
    let wal = await open();
    const bodies = [0, 1, 7, 8, 100, 511, 512, 5000, 200_000].flatMap((length) => [
      new Uint8Array(length),
      new Uint8Array(length).fill(255),
      platform.random.bytes(length),
      Uint8Array.from({ length }, (_, at) => at >> 9),
    ]);
    const written = bodies.map((bytes, at) => ({ index: at + 1, term: 1, bytes }));
    await wal.append(written);
    wal = await reopened(wal);
    for (const { index, bytes } of written) {
      const [read] = await wal.read(index, index, 0);
      expect(Buffer.compare(read?.bytes ?? Buffer.from("gone"), bytes)).toBe(0);
    }
  });

  test("is cut, and goes on from there", async () => {
    let wal = await open();
    await wal.append(entries(1, 20, 1));
    await wal.truncateFrom(15);
    expect(bounds(wal)).toEqual([1, 14]);
    expect([14, 15].map((index) => wal.term(index))).toEqual([1, undefined]);
    wal = await reopened(wal);
    expect(bounds(wal)).toEqual([1, 14]);
    await wal.append(entries(15, 16, 2));
    await wal.truncateFrom(3);
    await wal.append([entry(3, 3)]);
    wal = await reopened(wal);
    expect(await shownOf(wal)).toEqual([
      "@0:0",
      "1:1 entry 1 of term 1",
      "2:1 entry 2 of term 1",
      "3:3 entry 3 of term 3",
    ]);
    await wal.truncateFrom(4);
    await wal.truncateFrom(1);
    wal = await reopened(wal);
    expect(bounds(wal)).toEqual([1, 0]);
  });

  test("drops whole segments that are not needed, and knows the term before the first entry", async () => {
    let wal = await open();
    await wal.append(entries(1, 30, 1));
    for (let index = 31; index <= 60; index += 1) await wal.append([entry(index, 2)]);
    const before = wal.sizeBytes;
    await wal.dropThrough(45);
    expect(wal.firstIndex).toBeLessThanOrEqual(46);
    expect(wal.firstIndex).toBeGreaterThan(40);
    expect(wal.sizeBytes).toBeLessThan(before / 2);
    const first = wal.firstIndex;
    wal = await reopened(wal);
    expect(bounds(wal)).toEqual([first, 60]);
    expect([first - 2, first - 1, first].map((index) => wal.term(index))).toEqual([
      undefined,
      2,
      2,
    ]);
    await wal.dropThrough(1000);
    expect(wal.lastIndex).toBe(60);
    expect(await filesIn()).toHaveLength(1);
  });

  test("drops a segment whose later entries were cut away", async () => {
    const wal = await open();
    await wal.append(entries(1, 10, 1));
    await wal.truncateFrom(5);
    await wal.append(entries(5, 6, 2));
    await wal.dropThrough(4);
    expect(wal.firstIndex).toBe(5);
    expect(await filesIn()).toHaveLength(1);
  });

  test("begins anew after a snapshot", async () => {
    let wal = await open();
    await wal.append(entries(1, 20, 1));
    const resetting = wal.resetTo(100, 3);
    expect(bounds(wal)).toEqual([101, 100]);
    await resetting;
    wal = await reopened(wal);
    expect(bounds(wal)).toEqual([101, 100]);
    expect([20, 99, 100, 101].map((index) => wal.term(index))).toEqual([
      undefined,
      undefined,
      3,
      undefined,
    ]);
    await wal.append([entry(101, 4)]);
    wal = await reopened(wal);
    expect(await shownOf(wal)).toEqual(["@100:3", "101:4 entry 101 of term 4"]);
    await wal.resetTo(5, 1);
    expect(bounds(await reopened(wal))).toEqual([6, 5]);
  });

  test("keeps term and vote", async () => {
    let wal = await open();
    const saving = wal.saveHardState({ term: 3, vote: "größer" });
    expect(wal.hardState).toEqual({ term: 0, vote: "" });
    await saving;
    expect(wal.hardState).toEqual({ term: 3, vote: "größer" });
    wal = await reopened(wal);
    expect(wal.hardState).toEqual({ term: 3, vote: "größer" });
    await Promise.all([
      wal.saveHardState({ term: 4, vote: "" }),
      wal.saveHardState({ term: 4, vote: "a" }),
      wal.saveHardState({ term: 5, vote: "" }),
    ]);
    expect((await reopened(wal)).hardState).toEqual({ term: 5, vote: "" });
  });

  test("refuses to open without its term and vote", async () => {
    const wal = await open();
    await wal.append([entry(1, 1)]);
    await wal[Symbol.asyncDispose]();
    await platform.disk.remove("/wal/hard-state");
    await expect(open()).rejects.toMatchObject({ code: "disk/failed", message: /missing/ });
    await platform.disk.replace("/wal/hard-state", Buffer.from("what?"));
    await expect(open()).rejects.toMatchObject({ code: "disk/failed", message: /corrupt/ });
  });

  test("reads what fits, and at least one entry, from memory and from the disk", async () => {
    let wal = await open();
    const all = Array.from({ length: 10 }, (_, at) => entry(at + 1, 1, "x".repeat(100)));
    await wal.append(all);
    for (let again = 0; again < 2; again += 1) {
      expect(await wal.read(2, 10, 0)).toEqual(all.slice(1, 2));
      expect(await wal.read(10, 10, 1)).toEqual(all.slice(9));
      const some = await wal.read(1, 10, 350);
      expect(some.length).toBeGreaterThan(0);
      expect(some).toEqual(all.slice(0, some.length));
      expect(some.length * 100).toBeLessThanOrEqual(350);
      wal = await reopened(wal);
    }
  });

  test("serves from the disk what it does not keep in memory", async () => {
    const logger = noLogger;
    await using wal = await openWal({ ...platform, directory: "/wal", logger });
    const body = "x".repeat(500_000);
    for (let index = 1; index <= 20; index += 1) await wal.append([entry(index, 1, body)]);
    expect((await wal.read(1, 1, 1))[0]?.bytes).toHaveLength(500_000);
    expect((await wal.read(20, 20, 1))[0]?.bytes).toHaveLength(500_000);
  });
});

describe("batches", () => {
  const counting = async (): Promise<{ wal: Wal; calls: string[] }> => {
    const disk = new StoppingDisk(platform.disk);
    const wal = await openWal({ disk, clock: platform.clock, directory: "/wal", logger: noLogger });
    await wal.append([entry(1, 1)]);
    disk.calls.length = 0;
    return { wal, calls: disk.calls };
  };

  test("what is appended in one turn is one write and one sync", async () => {
    const { wal, calls } = await counting();
    await Promise.all(Array.from({ length: 50 }, (_, at) => wal.append([entry(at + 2, 1)])));
    expect(calls).toEqual(["write", "sync"]);
  });

  test("what is appended while a sync runs shares the next one", async () => {
    const { wal, calls } = await counting();
    let resume = (): void => {};
    platform.disk.pace = () => new Promise((resolve) => (resume = resolve));
    const appends = [wal.append([entry(2, 1)])];
    for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
    for (let index = 3; index < 40; index += 1) appends.push(wal.append([entry(index, 1)]));
    platform.disk.pace = () => Promise.resolve();
    resume();
    await Promise.all(appends);
    expect(calls).toEqual(["write", "sync", "write", "sync"]);
  });

  test("term and vote are durable before entries that come after them", async () => {
    const { wal, calls } = await counting();
    const order: string[] = [];
    await Promise.all([
      wal.append([entry(2, 1)]).then(() => order.push("first")),
      wal.saveHardState({ term: 2, vote: "a" }).then(() => order.push("vote")),
      wal.append([entry(3, 2)]).then(() => order.push("second")),
    ]);
    expect(order).toEqual(["first", "vote", "second"]);
    expect(calls).toEqual(["write", "sync", "replace", "write", "sync"]);
  });

  test("what is not durable yet is served from memory, however much it is", async () => {
    const { wal } = await counting();
    const first = wal.append([entry(2, 1)]);
    await Promise.resolve();
    const body = "x".repeat(500_000);
    const later = Array.from({ length: 12 }, (_, at) => wal.append([entry(at + 3, 1, body)]));
    await first;
    expect((await wal.read(3, 3, 0)).map(({ index }) => index)).toEqual([3]);
    await Promise.all(later);
    expect((await wal.read(3, 3, 0)).map(({ index }) => index)).toEqual([3]);
  });

  test("entries that are cut away before they are durable are refused", async () => {
    const { wal } = await counting();
    const kept = wal.append([entry(2, 1)]);
    const cut = wal.append([entry(3, 1), entry(4, 1)]);
    const truncating = wal.truncateFrom(4);
    await expect(cut).rejects.toMatchObject({ code: "disk/failed", message: /cut away/ });
    await Promise.all([kept, truncating, wal.append([entry(4, 2)])]);
    expect((await shownOf(wal)).slice(1)).toEqual([
      "1:1 entry 1 of term 1",
      "2:1 entry 2 of term 1",
      "3:1 entry 3 of term 1",
      "4:2 entry 4 of term 2",
    ]);
    const reset = wal.append([entry(5, 2)]);
    await Promise.all([expect(reset).rejects.toThrow("cut away"), wal.resetTo(9, 2)]);
  });

  test("a closed log takes nothing", async () => {
    const { wal } = await counting();
    const last = wal.append([entry(2, 1)]);
    await wal[Symbol.asyncDispose]();
    await last;
    await expect(wal.append([entry(3, 1)])).rejects.toThrow("closed");
    await expect(wal.saveHardState({ term: 1, vote: "" })).rejects.toThrow("closed");
    await wal[Symbol.asyncDispose]();
  });
});
