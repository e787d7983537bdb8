/** Where configuration comes from: files, directories and texts, each to a fragment of settings. */
import { extname, join } from "node:path";
import { RollcallError, messageOf } from "../errors/index.ts";
import type { Disk, DiskEntry } from "../platform/index.ts";
import { decode, unknownKeysError } from "./decode.ts";
import { parseHcl } from "./hcl-parse.ts";
import { parseJson } from "./json-parse.ts";
import { CONFIG_SHAPE } from "./keys.ts";
import { fragmentOf, type Fragment } from "./settings.ts";

export type Format = "hcl" | "json";

/**
 * @param source named in errors: a path, or `flags-0.hcl`
 * @throws {RollcallError} `config/invalid`: `failed to parse <source>: …`
 */
export function parseFragment(source: string, text: string, format: Format): Fragment {
  try {
    // An empty file says nothing, in JSON too.
    const document = format === "json" && text !== "" ? parseJson(text) : parseHcl(text);
    const { value, unknown } = decode(document, CONFIG_SHAPE);
    const error = unknownKeysError(unknown);
    if (error !== undefined) throw error;
    return fragmentOf(source, value);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw new RollcallError("config/invalid", `failed to parse ${source}: ${error.message}`, {
      cause: error,
    });
  }
}

export interface FilesRead {
  readonly fragments: readonly Fragment[];
  readonly warnings: readonly string[];
}

/**
 * Reads files, and in directories every file by name; directories inside them are passed over.
 * @param format for all files; undefined: by their extensions, others being skipped with a warning
 */
export async function readPaths(
  paths: readonly string[],
  format: Format | undefined,
  disk: Disk,
): Promise<FilesRead> {
  const fragments: Fragment[] = [];
  const warnings: string[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path, disk)) {
      const as = format ?? formatOf(file);
      if (as === undefined) {
        warnings.push(
          `skipping file ${file}, extension must be .hcl or .json, or config format must be set`,
        );
        continue;
      }
      fragments.push(parseFragment(file, await readText(file, disk), as));
    }
  }
  return { fragments, warnings };
}

/** @throws {RollcallError} `config/invalid` with Consul's text when there is nothing at the path */
async function filesAt(path: string, disk: Disk): Promise<string[]> {
  let entries: readonly DiskEntry[] | undefined;
  try {
    entries = await disk.list(path);
  } catch {
    // A file, or something that cannot be opened: reading it will tell.
    return [path];
  }
  if (entries === undefined) throw openFailed(path, `open ${path}: no such file or directory`);
  return entries
    .filter(({ kind }) => kind !== "directory")
    .map(({ name }) => join(path, name))
    .toSorted();
}

const formatOf = (path: string): Format | undefined => {
  const extension = extname(path);
  if (extension === ".hcl") return "hcl";
  return extension === ".json" ? "json" : undefined;
};

async function readText(path: string, disk: Disk): Promise<string> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await disk.read(path);
  } catch (error) {
    throw openFailed(path, messageOf(error));
  }
  if (bytes === undefined) throw openFailed(path, `open ${path}: no such file or directory`);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

const openFailed = (path: string, reason: string): RollcallError =>
  new RollcallError("config/invalid", `config: Open failed on ${path}. ${reason}`);
