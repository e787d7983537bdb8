import { beforeEach, expect, test } from "vitest";
import { overlayDisk } from "./overlay-disk.ts";
import type { Disk } from "./platform.ts";
import { simPlatform } from "./sim/index.ts";

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

let under: Disk;
let over: Disk;
beforeEach(async () => {
  under = simPlatform({ seed: 1 }).disk;
  await under.makeDirectory("/d/sub");
  await under.replace("/d/a", Buffer.from("alpha"));
  await under.replace("/d/b", Buffer.from("beta"));
  over = overlayDisk(under);
});
const namesOf = async (disk: Disk, path: string) =>
  (await disk.list(path))?.map(({ name }) => name);

test("shows what is below, and nothing of what is done above reaches it", async () => {
  await over.replace("/d/a", Buffer.from("changed"));
  await over.remove("/d/b");
  await over.makeDirectory("/d/new/deep");
  await over.replace("/d/new/c", Buffer.from("gamma"));
  await over.removeDirectory("/d/sub");
  expect(await namesOf(over, "/d")).toEqual(["a", "new"]);
  expect(await namesOf(over, "/d/new")).toEqual(["c", "deep"]);
  expect(textOf(await over.read("/d/a"))).toBe("changed");
  expect(await over.read("/d/b")).toBeUndefined();
  expect(await over.list("/nowhere")).toBeUndefined();

  expect(await namesOf(under, "/d")).toEqual(["a", "b", "sub"]);
  expect(textOf(await under.read("/d/a"))).toBe("alpha");
});

test("a file that is opened is read from below until it is written to", async () => {
  await using file = await over.open("/d/a");
  expect([file.sizeBytes, textOf(await file.read(1, 3))]).toEqual([5, "lph"]);
  await file.write(3, Buffer.from("XYZ"));
  expect([file.sizeBytes, textOf(await file.read(0, 99))]).toEqual([6, "alpXYZ"]);
  await file.truncate(2);
  await file.sync();
  expect(textOf(await over.read("/d/a"))).toBe("al");
  expect(textOf(await under.read("/d/a"))).toBe("alpha");
});

test("a file that is not there is made, above only", async () => {
  await using file = await over.open("/d/new");
  await file.write(2, Buffer.from("x"));
  expect(textOf(await over.read("/d/new"))).toBe("\0\0x");
  expect(await under.read("/d/new")).toBeUndefined();
  await over.remove("/d/a");
  await using again = await over.open("/d/a");
  expect(again.sizeBytes).toBe(0);
});
