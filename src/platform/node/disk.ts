/**
 * Files. What is promised to survive is synced together with the directory that names it: a new or renamed
 * file whose directory was not synced can be gone after power loss, however well its bytes were written.
 */
import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskError, errnoOf } from "../go-errors.ts";
import type { Disk, DiskEntry, DiskFile } from "../platform.ts";
import { NodeDiskFile } from "./disk-file.ts";

const PRIVATE_FILE = 0o600;
const DIRECTORY = 0o755;

export const nodeDisk: Disk = {
  read,
  list,
  replace,
  makeDirectory,
  remove,
  removeDirectory,
  open: openFile,
};

let temporaryCount = 0;

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw diskError(errnoOf(error) === "EISDIR" ? "read" : "open", path, error);
  }
}

async function list(path: string): Promise<readonly DiskEntry[] | undefined> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const kinds = await Promise.all(
      entries.map(async (entry): Promise<DiskEntry> => {
        const target = entry.isSymbolicLink() ? await followed(join(path, entry.name)) : entry;
        return { name: entry.name, kind: kindOf(target) };
      }),
    );
    return kinds.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw diskError("open", path, error);
  }
}

type FileKind = { isFile(): boolean; isDirectory(): boolean };

function followed(path: string): Promise<FileKind | undefined> {
  return stat(path).catch(() => undefined);
}

function kindOf(entry: FileKind | undefined): DiskEntry["kind"] {
  if (entry?.isFile() === true) return "file";
  return entry?.isDirectory() === true ? "directory" : "other";
}

async function replace(
  path: string,
  bytes: Uint8Array,
  options?: { readonly mode?: number },
): Promise<void> {
  temporaryCount += 1;
  const temporary = `${path}.${process.pid}-${temporaryCount}.tmp`;
  try {
    const file = await open(temporary, "w", options?.mode ?? PRIVATE_FILE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw diskError("open", path, error);
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true, mode: DIRECTORY });
    if (first === undefined) return;
    const above = dirname(first);
    for (let at = dirname(path); at.length > above.length; at = dirname(at))
      await syncDirectory(at);
    await syncDirectory(above);
  } catch (error) {
    throw diskError("mkdir", path, error);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw diskError("remove", path, error);
  }
}

async function removeDirectory(path: string): Promise<void> {
  try {
    await rmdir(path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw diskError("remove", path, error);
  }
}

async function openFile(path: string): Promise<DiskFile> {
  try {
    const existing = await open(path, constants.O_RDWR).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
    });
    if (existing !== undefined) return await NodeDiskFile.over(existing, path);
    const created = await open(path, constants.O_RDWR | constants.O_CREAT, PRIVATE_FILE);
    await syncDirectory(dirname(path));
    return await NodeDiskFile.over(created, path);
  } catch (error) {
    throw diskError("open", path, error);
  }
}

/** Windows cannot open a directory, and need not: its file systems log their names. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
