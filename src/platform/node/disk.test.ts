import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeDisk } from "./disk.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rollcall-disk-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test("files are private unless a mode is given, whatever the one before had", async () => {
  const path = join(directory, "file");
  await writeFile(path, "x", { mode: 0o666 });
  await chmod(path, 0o666);
  await nodeDisk.replace(path, Buffer.from("x"));
  expect(await modeOf(path)).toBe(0o600);
  await nodeDisk.replace(path, Buffer.from("x"), { mode: 0o644 });
  expect(await modeOf(path)).toBe(0o644);
});

test("a replacement that fails leaves no temporary file", async () => {
  const path = join(directory, "taken");
  await nodeDisk.makeDirectory(path);
  await expect(nodeDisk.replace(path, Buffer.from("x"))).rejects.toThrow("is a directory");
  expect(await readdir(directory)).toEqual(["taken"]);
});

test("symbolic links are followed when listing, and one to nowhere is of no kind", async () => {
  await nodeDisk.makeDirectory(join(directory, "dir"));
  await nodeDisk.replace(join(directory, "file"), Buffer.from("x"));
  await symlink("dir", join(directory, "to-dir"));
  await symlink("file", join(directory, "to-file"));
  await symlink("nowhere", join(directory, "to-nowhere"));
  expect(await nodeDisk.list(directory)).toEqual([
    { name: "dir", kind: "directory" },
    { name: "file", kind: "file" },
    { name: "to-dir", kind: "directory" },
    { name: "to-file", kind: "file" },
    { name: "to-nowhere", kind: "other" },
  ]);
});

test("a large write and a large read are not cut short", async () => {
  await using file = await nodeDisk.open(join(directory, "log"));
  const bytes = Buffer.alloc(5_000_000, "0123456789");
  await file.write(3, bytes);
  await file.sync();
  expect(Buffer.from(await file.read(3, bytes.length)).equals(bytes)).toBe(true);
});
