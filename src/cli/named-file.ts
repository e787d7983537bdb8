/** Files that a user names on the command line or in the environment. */
import { RollcallError } from "../errors/index.ts";
import type { Disk } from "../platform/index.ts";

/** @throws {RollcallError} `open x: no such file or directory`, `read x: is a directory` and the like */
export async function readNamedFile(path: string, disk: Disk): Promise<Uint8Array> {
  const bytes = await disk.read(path);
  if (bytes === undefined) {
    throw new RollcallError("disk/failed", `open ${path}: no such file or directory`);
  }
  return bytes;
}
