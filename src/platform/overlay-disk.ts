/**
 * A disk that shows another and keeps every change to itself: for looking, with code that also puts things right, at
 * what must stay as it is. Files that are changed are held in memory.
 */
import { RollcallError } from "../errors/index.ts";
import type { Disk, DiskEntry, DiskFile } from "./platform.ts";

export function overlayDisk(under: Disk): Disk {
  return new OverlayDisk(under);
}

/** What was changed: a file's bytes, or that there is none any more. */
type Change = Uint8Array | "gone";

class OverlayDisk implements Disk {
  readonly #under: Disk;
  readonly #changes = new Map<string, Change>();
  readonly #directories = new Map<string, "made" | "gone">();

  constructor(under: Disk) {
    this.#under = under;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const change = this.#changes.get(path);
    if (change === undefined) return this.#under.read(path);
    return change === "gone" ? undefined : Uint8Array.from(change);
  }

  async list(path: string): Promise<readonly DiskEntry[] | undefined> {
    const below = await this.#under.list(path);
    const state = this.#directories.get(path);
    if (state === "gone" || (below === undefined && state === undefined)) return undefined;
    const entries = new Map((below ?? []).map((entry) => [entry.name, entry]));
    const put = (child: string, entry: Omit<DiskEntry, "name"> | undefined): void => {
      const [directory, name] = splitPath(child);
      if (directory !== path) return;
      if (entry === undefined) entries.delete(name);
      else entries.set(name, { ...entry, name });
    };
    for (const [child, change] of this.#changes) {
      put(child, change === "gone" ? undefined : { kind: "file" });
    }
    for (const [child, made] of this.#directories) {
      put(child, made === "gone" ? undefined : { kind: "directory" });
    }
    return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    this.#changes.set(path, Uint8Array.from(bytes));
  }

  async makeDirectory(path: string): Promise<void> {
    for (let at = path; at !== "" && at !== "/"; at = splitPath(at)[0]) {
      if ((await this.list(at)) !== undefined) return;
      this.#directories.set(at, "made");
    }
  }

  async remove(path: string): Promise<void> {
    this.#changes.set(path, "gone");
  }

  async removeDirectory(path: string): Promise<void> {
    this.#directories.set(path, "gone");
  }

  async open(path: string): Promise<DiskFile> {
    const change = this.#changes.get(path);
    const [directory, name] = splitPath(path);
    const isBelow =
      change === undefined &&
      (await this.#under.list(directory))?.some((entry) => entry.name === name) === true;
    const keep = (bytes: Uint8Array): void => void this.#changes.set(path, bytes);
    if (isBelow) return new OverlayFile(await this.#under.open(path), NOTHING, keep);
    const bytes = change === undefined || change === "gone" ? NOTHING : change;
    keep(bytes);
    return new OverlayFile(undefined, bytes, keep);
  }
}

const NOTHING = new Uint8Array(0);

class OverlayFile implements DiskFile {
  /** undefined once all of it is held here. */
  #below: DiskFile | undefined;
  readonly #opened: DiskFile | undefined;
  #bytes: Uint8Array;
  readonly #keep: (bytes: Uint8Array) => void;

  constructor(below: DiskFile | undefined, bytes: Uint8Array, keep: (bytes: Uint8Array) => void) {
    this.#below = below;
    this.#opened = below;
    this.#bytes = bytes;
    this.#keep = keep;
  }

  get sizeBytes(): number {
    return this.#below?.sizeBytes ?? this.#bytes.byteLength;
  }

  async read(offset: number, count: number): Promise<Uint8Array> {
    if (this.#below !== undefined) return this.#below.read(offset, count);
    return this.#bytes.slice(offset, offset + count);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#resize(Math.max(this.sizeBytes, offset + bytes.byteLength));
    this.#bytes.set(bytes, offset);
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#resize(sizeBytes);
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened?.[Symbol.asyncDispose]();
  }

  async #resize(sizeBytes: number): Promise<void> {
    const old =
      this.#below === undefined ? this.#bytes : await this.#below.read(0, this.#below.sizeBytes);
    this.#below = undefined;
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(old.subarray(0, sizeBytes));
    this.#bytes = bytes;
    this.#keep(bytes);
  }
}

/** @throws {RollcallError} `disk/failed` for what names no file in a directory */
function splitPath(path: string): readonly [directory: string, name: string] {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (slash < 0) return [".", path];
  const name = path.slice(slash + 1);
  if (name === "") throw new RollcallError("disk/failed", `open ${path}: is a directory`);
  return [path.slice(0, slash) || "/", name];
}
