import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Subject } from "./subject.ts";
import type { Disk } from "../platform.ts";

export function diskConformance(subject: () => Subject): void {
  const disk = (): Disk => subject().platform.disk;
  const at = (...names: string[]): string => join(subject().directory, ...names);

  describe("disk", () => {
    test("what is missing is undefined, or nothing to remove", async () => {
      expect(await disk().read(at("nothing"))).toBeUndefined();
      expect(await disk().list(at("nothing"))).toBeUndefined();
      expect(await disk().read(at("nothing", "below"))).toBeUndefined();
      await disk().remove(at("nothing"));
      await disk().remove(at("nothing", "below"));
    });

    test("replace creates a file, then changes all of it, and leaves nothing else behind", async () => {
      await disk().replace(at("file"), Buffer.from("a long first text"));
      expect(await readText(disk(), at("file"))).toBe("a long first text");
      await disk().replace(at("file"), Buffer.from("short"), { mode: 0o644 });
      expect(await readText(disk(), at("file"))).toBe("short");
      await disk().replace(at("file"), new Uint8Array(0));
      expect(await disk().read(at("file"))).toHaveLength(0);
      expect(await disk().list(at())).toEqual([{ name: "file", kind: "file" }]);
    });

    test("replacements of one file at once leave one of them", async () => {
      const texts = ["one", "two", "three", "four"];
      await Promise.all(texts.map((text) => disk().replace(at("file"), Buffer.from(text))));
      expect(texts).toContain(await readText(disk(), at("file")));
      expect(await disk().list(at())).toHaveLength(1);
    });

    test("a directory is removed once it is empty", async () => {
      await disk().makeDirectory(at("full"));
      await disk().replace(at("full", "file"), Buffer.from(""));
      await expect(disk().removeDirectory(at("full"))).rejects.toMatchObject({
        code: "disk/failed",
      });
      await disk().remove(at("full", "file"));
      await disk().removeDirectory(at("full"));
      await disk().removeDirectory(at("full"));
      expect(await disk().list(at("full"))).toBeUndefined();
    });

    test("list is sorted and tells files from directories", async () => {
      await disk().makeDirectory(at("b", "inner"));
      await disk().makeDirectory(at("b"));
      for (const name of ["c", "B", "a", "10", "9"])
        await disk().replace(at(name), Buffer.from(""));
      expect(await disk().list(at())).toEqual([
        { name: "10", kind: "file" },
        { name: "9", kind: "file" },
        { name: "B", kind: "file" },
        { name: "a", kind: "file" },
        { name: "b", kind: "directory" },
        { name: "c", kind: "file" },
      ]);
      expect(await disk().list(at("b"))).toEqual([{ name: "inner", kind: "directory" }]);
      expect(await disk().list(at("b", "inner"))).toEqual([]);
    });

    test("remove takes a file away", async () => {
      await disk().replace(at("file"), Buffer.from("x"));
      await disk().remove(at("file"));
      expect(await disk().read(at("file"))).toBeUndefined();
      expect(await disk().list(at())).toEqual([]);
    });

    test.each<[string, (disk: Disk, path: (name: string) => string) => Promise<unknown>, string]>([
      ["reading a directory", (on, path) => on.read(path("dir")), "read DIR/dir: is a directory"],
      ["listing a file", (on, path) => on.list(path("file")), "open DIR/file: not a directory"],
      [
        "replacing where there is no directory",
        (on, path) => on.replace(path("no/file"), new Uint8Array(1)),
        "open DIR/no/file: no such file or directory",
      ],
      [
        "opening where there is no directory",
        (on, path) => on.open(path("no/file")),
        "open DIR/no/file: no such file or directory",
      ],
      [
        "replacing a directory",
        (on, path) => on.replace(path("dir"), new Uint8Array(1)),
        "open DIR/dir: is a directory",
      ],
      ["opening a directory", (on, path) => on.open(path("dir")), "open DIR/dir: is a directory"],
      [
        "making a directory below a file",
        (on, path) => on.makeDirectory(path("file/below")),
        "mkdir DIR/file/below: not a directory",
      ],
    ])("%s fails", async (_name, act, message) => {
      await disk().makeDirectory(at("dir"));
      await disk().replace(at("file"), Buffer.from("x"));
      await expect(act(disk(), (name) => at(name))).rejects.toMatchObject({
        code: "disk/failed",
        message: message.replace("DIR", at()),
      });
      expect(await disk().list(at())).toHaveLength(2);
    });
  });

  openFiles(disk, at);
}

function openFiles(disk: () => Disk, at: (...names: string[]) => string): void {
  describe("open files", () => {
    test("are created, written and read anywhere, and know their size", async () => {
      await using file = await disk().open(at("log"));
      expect(file.sizeBytes).toBe(0);
      await file.write(0, Buffer.from("hello world"));
      await file.write(6, Buffer.from("there"));
      expect(file.sizeBytes).toBe(11);
      expect(Buffer.from(await file.read(6, 100)).toString()).toBe("there");
      expect(Buffer.from(await file.read(0, 5)).toString()).toBe("hello");
      expect(await file.read(11, 5)).toHaveLength(0);
      expect(await file.read(500, 5)).toHaveLength(0);
      await file.sync();
      expect(await readText(disk(), at("log"))).toBe("hello there");
    });

    test("fill gaps with zeros, also after being cut", async () => {
      await using file = await disk().open(at("log"));
      await file.write(0, Buffer.from("abcdef"));
      await file.truncate(2);
      expect(file.sizeBytes).toBe(2);
      await file.write(4, Buffer.from("z"));
      expect([...(await file.read(0, 10))]).toEqual([0x61, 0x62, 0, 0, 0x7a]);
      await file.truncate(8);
      expect([...(await file.read(4, 10))]).toEqual([0x7a, 0, 0, 0]);
    });

    test("keep what they had when opened again", async () => {
      {
        await using file = await disk().open(at("log"));
        await file.write(0, Buffer.from("kept"));
      }
      await using file = await disk().open(at("log"));
      expect(file.sizeBytes).toBe(4);
      await file.write(4, Buffer.from(" on"));
      expect(await readText(disk(), at("log"))).toBe("kept on");
    });

    test("stay what they were when their path is given another content", async () => {
      await using file = await disk().open(at("log"));
      await file.write(0, Buffer.from("old"));
      await disk().replace(at("log"), Buffer.from("new content"));
      await file.write(3, Buffer.from(" too"));
      await file.sync();
      expect(Buffer.from(await file.read(0, 100)).toString()).toBe("old too");
      expect(await readText(disk(), at("log"))).toBe("new content");
    });

    test("once closed, fail and may be closed again", async () => {
      const file = await disk().open(at("log"));
      await file[Symbol.asyncDispose]();
      await file[Symbol.asyncDispose]();
      await expect(file.write(0, Buffer.from("x"))).rejects.toMatchObject({ code: "disk/failed" });
      await expect(file.sync()).rejects.toMatchObject({ code: "disk/failed" });
    });
  });
}

async function readText(disk: Disk, path: string): Promise<string> {
  const bytes = await disk.read(path);
  expect(bytes).toBeDefined();
  return Buffer.from(bytes ?? []).toString();
}
