import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SimClock } from "./clock.ts";
import { SimDisk } from "./disk.ts";
import { SimRandom } from "./random.ts";

const diskOf = (seed: number): SimDisk => new SimDisk(new SimRandom(seed));
const textOf = async (disk: SimDisk, path: string): Promise<string | undefined> => {
  const bytes = await disk.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
};

type Action =
  | Readonly<{ kind: "write"; offset: number; bytes: Uint8Array }>
  | Readonly<{ kind: "truncate"; sizeBytes: number }>
  | Readonly<{ kind: "sync" }>;
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    offset: fc.nat({ max: 60 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  }),
  fc.record({ kind: fc.constant("truncate" as const), sizeBytes: fc.nat({ max: 60 }) }),
  fc.record({ kind: fc.constant("sync" as const) }),
);

/** The plainest file there is: bytes in an array. */
function model(before: readonly number[], act: Action): readonly number[] {
  if (act.kind === "sync") return before;
  if (act.kind === "truncate") {
    return Array.from({ length: act.sizeBytes }, (_byte, at) => before[at] ?? 0);
  }
  const end = act.offset + act.bytes.byteLength;
  return Array.from({ length: Math.max(before.length, end) }, (_byte, at) => {
    return at >= act.offset && at < end ? (act.bytes[at - act.offset] ?? 0) : (before[at] ?? 0);
  });
}

describe("power loss", () => {
  test("what was synced last survives whole, if nothing was written after it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 15 }), fc.nat(), async (actions, seed) => {
        const disk = diskOf(seed);
        const file = await disk.open("/log");
        let bytes: readonly number[] = [];
        for (const act of actions) {
          if (act.kind === "write") await file.write(act.offset, act.bytes);
          else if (act.kind === "truncate") await file.truncate(act.sizeBytes);
          else await file.sync();
          bytes = model(bytes, act);
          expect([...(await file.read(0, 1000))]).toEqual(bytes);
        }
        await file.sync();
        disk.crash();
        expect([...((await disk.read("/log")) ?? [])]).toEqual(bytes);
      }),
    );
  });

  test("later writes touch only their own range, and each byte is old, new, or a gap's zero", async () => {
    const writes = fc.array(
      fc.record({
        offset: fc.nat({ max: 40 }),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(writes, fc.nat(), async (unsynced, seed) => {
        const disk = diskOf(seed);
        const file = await disk.open("/log");
        const synced = Buffer.from("0123456789abcdef");
        await file.write(0, synced);
        await file.sync();
        for (const { offset, bytes } of unsynced) await file.write(offset, bytes);
        disk.crash();
        const after = (await disk.read("/log")) ?? new Uint8Array(0);
        expect(after.byteLength).toBeGreaterThanOrEqual(synced.byteLength);
        after.forEach((byte, at) => {
          const possible = unsynced.flatMap(({ offset, bytes }) => bytes[at - offset] ?? []);
          expect([...possible, synced[at] ?? 0]).toContain(byte);
        });
      }),
    );
  });

  test("over many seeds a sector in the middle of an unsynced write is lost, and those around it kept", async () => {
    let holes = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const disk = diskOf(seed);
      const file = await disk.open("/log");
      await file.write(100, new Uint8Array(2000).fill(7));
      disk.crash();
      const left = (await disk.read("/log")) ?? new Uint8Array();
      const isThere = [300, 600, 1200, 1700].map((at) => left[at] === 7);
      const lastThere = isThere.lastIndexOf(true);
      if (isThere.indexOf(false) < lastThere) holes += 1;
      // From one multiple of 512 to the next all is there, or nothing.
      expect(new Set(left.subarray(512, 1024)).size).toBeLessThanOrEqual(
        left.length < 1024 ? 2 : 1,
      );
    }
    expect(holes).toBeGreaterThan(5);
  });

  test("over many seeds an unsynced write is sometimes kept, lost and torn", async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      const disk = diskOf(seed);
      const file = await disk.open("/log");
      await file.write(0, Buffer.from("unsynced"));
      disk.crash();
      const left = (await textOf(disk, "/log")) ?? "gone";
      outcomes.add(left === "" || left === "unsynced" ? left : "torn");
      expect("unsynced".startsWith(left)).toBe(true);
    }
    expect(outcomes).toEqual(new Set(["", "torn", "unsynced"]));
  });

  test("the same seed loses the same", async () => {
    const leftBy = async (seed: number): Promise<string | undefined> => {
      const disk = diskOf(seed);
      const file = await disk.open("/log");
      for (const [at, letter] of "abcdefghij".split("").entries()) {
        await file.write(at * 3, Buffer.from(letter.repeat(3)));
      }
      disk.crash();
      return textOf(disk, "/log");
    };
    for (let seed = 0; seed < 20; seed += 1) expect(await leftBy(seed)).toBe(await leftBy(seed));
    expect(await leftBy(1)).not.toBe(await leftBy(2));
  });

  test("a replacement under way happens or does not; one that resolved has happened", async () => {
    const outcomes = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed += 1) {
      const disk = diskOf(seed);
      await disk.replace("/state", Buffer.from("old"));
      const replacing = disk.replace("/state", Buffer.from("new"));
      disk.crash();
      await expect(replacing).rejects.toMatchObject({ code: "disk/failed" });
      outcomes.add(await textOf(disk, "/state"));
    }
    expect(outcomes).toEqual(new Set(["new", "old"]));

    const disk = diskOf(1);
    await disk.replace("/state", Buffer.from("done"));
    await disk.remove("/state");
    disk.crash();
    expect(await textOf(disk, "/state")).toBeUndefined();
  });

  test("files that were open are lost to their holders", async () => {
    const disk = diskOf(1);
    const file = await disk.open("/log");
    disk.crash();
    await expect(file.write(0, Buffer.from("x"))).rejects.toMatchObject({ code: "disk/failed" });
    const again = await disk.open("/log");
    await again.write(0, Buffer.from("x"));
    expect(await textOf(disk, "/log")).toBe("x");
  });
});

describe("faults", () => {
  test("a full disk takes what fits, and keeps the old on replacing", async () => {
    const disk = diskOf(1);
    disk.capacityBytes = 10;
    await disk.replace("/state", Buffer.from("1234"));
    const file = await disk.open("/log");
    await expect(file.write(0, Buffer.from("abcdefghij"))).rejects.toThrow(
      "write /log: no space left on device",
    );
    expect(await textOf(disk, "/log")).toBe("abcdef");
    await file.write(0, Buffer.from("ABCDEF"));
    await expect(disk.replace("/state", Buffer.from("x"))).rejects.toThrow(
      "no space left on device",
    );
    expect(await textOf(disk, "/state")).toBe("1234");
  });

  test("a failed sync stays failed for its file, and promises nothing", async () => {
    const kept = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed += 1) {
      const disk = diskOf(seed);
      const file = await disk.open("/log");
      await file.write(0, Buffer.from("x"));
      disk.failSyncs = (path) => path === "/log";
      await expect(file.sync()).rejects.toThrow("sync /log: input/output error");
      disk.failSyncs = () => false;
      await expect(file.sync()).rejects.toThrow("sync /log: input/output error");
      disk.crash();
      kept.add(await textOf(disk, "/log"));
    }
    expect(kept).toEqual(new Set(["x", ""]));
  });

  test("what a sync failed to write is seen until the power fails, and not saved by a later sync", async () => {
    const left = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed += 1) {
      const disk = diskOf(seed);
      const file = await disk.open("/log");
      await file.write(0, Buffer.from("a"));
      await file.sync();
      await file.write(1, Buffer.from("b"));
      disk.failSyncs = () => true;
      await expect(file.sync()).rejects.toThrow("input/output error");
      await expect(disk.replace("/other", Buffer.from("x"))).rejects.toThrow("input/output error");
      disk.failSyncs = () => false;
      const again = await disk.open("/log");
      expect(await textOf(disk, "/log")).toBe("ab");
      await again.write(2, Buffer.from("c"));
      await again.sync();
      disk.crash();
      left.add(await textOf(disk, "/log"));
    }
    expect(left).toEqual(new Set(["abc", "a\0c"]));
  });

  test("a write is of the bytes as they were, whatever becomes of their buffer", async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const disk = diskOf(seed);
      const file = await disk.open("/file");
      const buffer = Buffer.from("as they were");
      await file.write(0, buffer);
      disk.failSyncs = () => true;
      await expect(file.sync()).rejects.toThrow();
      buffer.fill("x");
      disk.crash();
      expect(await textOf(disk, "/file")).not.toContain("x");
    }
  });

  test("a slow disk does nothing before its time, and forgets what had not begun", async () => {
    const clock = new SimClock();
    const disk = diskOf(1);
    disk.pace = () => new Promise((resolve) => void clock.after(10, resolve));
    const opening = disk.open("/log");
    await clock.run(10);
    const file = await opening;
    const writing = file.write(0, Buffer.from("x"));
    await clock.run(9);
    expect(file.sizeBytes).toBe(0);
    await clock.run(1);
    await writing;
    expect(file.sizeBytes).toBe(1);
    const lost = file.write(0, Buffer.from("y"));
    disk.crash();
    void clock.run(10);
    await expect(lost).rejects.toThrow("input/output error");
  });

  test("a bit flips", async () => {
    const disk = diskOf(1);
    await disk.replace("/log", Buffer.from("a"));
    disk.flipBit("/log", 0, 1);
    expect(await textOf(disk, "/log")).toBe("c");
    expect(() => disk.flipBit("/log", 1, 0)).toThrow("no such byte");
  });
});
