/**
 * A disk in memory that forgets what was not synced.
 *
 * `crash()` is the machine losing power: open files are gone, and the seed decides about every write since
 * the last sync (disk-content.ts) and about replacements that were under way, which happen or do not.
 * `capacityBytes` fills it up, `failSyncs` makes syncing fail, `pace` makes it slow, `flipBit` rots a bit.
 */
import { dirname, resolve } from "node:path/posix";
import { diskError, errnoError } from "../go-errors.ts";
import type { Disk, DiskEntry, DiskFile } from "../platform.ts";
import { DiskContent } from "./disk-content.ts";
import type { SimRandom } from "./random.ts";

interface Replacement {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export class SimDisk implements Disk {
  /** All files together may take so much. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Whether syncing the file at this path fails from now on, and so replacing it too. */
  failSyncs: (path: string) => boolean = () => false;
  /** What each call waits for before it does anything. */
  pace: () => Promise<void> = () => Promise.resolve();

  readonly #random: SimRandom;
  readonly #files = new Map<string, DiskContent>();
  readonly #directories = new Set(["/"]);
  readonly #replacements = new Set<Replacement>();
  #crashCount = 0;

  constructor(random: SimRandom) {
    this.#random = random;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    await this.#access("read", path);
    const at = resolve("/", path);
    if (this.#directories.has(at)) throw diskError("read", path, errnoError("EISDIR"));
    const content = this.#files.get(at);
    return content?.read(0, content.sizeBytes);
  }

  async list(path: string): Promise<readonly DiskEntry[] | undefined> {
    await this.#access("open", path);
    const at = resolve("/", path);
    if (this.#files.has(at)) throw diskError("open", path, errnoError("ENOTDIR"));
    if (!this.#directories.has(at)) return undefined;
    const entries = [
      ...entriesOf(this.#files.keys(), at, "file"),
      ...entriesOf(this.#directories, at, "directory"),
    ];
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** `options` would only set permissions, which this disk does not have. */
  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const replacement = { path: resolve("/", path), bytes: new Uint8Array(bytes) };
    this.#demandPlaceFor(path);
    this.#replacements.add(replacement);
    await this.#access("open", path);
    this.#replacements.delete(replacement);
    if (this.failSyncs(replacement.path)) throw diskError("open", path, errnoError("EIO"));
    // The old content stays until the new one is whole, so there must be room for both.
    if (bytes.byteLength > this.freeBytes()) throw diskError("open", path, errnoError("ENOSPC"));
    this.#putInPlace(replacement);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#access("mkdir", path);
    for (let at = resolve("/", path); !this.#directories.has(at); at = dirname(at)) {
      if (this.#files.has(at)) throw diskError("mkdir", path, errnoError("ENOTDIR"));
      this.#directories.add(at);
    }
  }

  async remove(path: string): Promise<void> {
    await this.#access("remove", path);
    const at = resolve("/", path);
    if (this.#directories.has(at)) throw diskError("remove", path, errnoError("EISDIR"));
    this.#files.delete(at);
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#access("remove", path);
    const at = resolve("/", path);
    const isFull = [...this.#files.keys(), ...this.#directories].some(
      (other) => dirname(other) === at && other !== "/",
    );
    if (isFull) throw diskError("remove", path, errnoError("ENOTEMPTY"));
    this.#directories.delete(at);
  }

  async open(path: string): Promise<DiskFile> {
    await this.#access("open", path);
    this.#demandPlaceFor(path);
    const at = resolve("/", path);
    const content = this.#files.get(at) ?? new DiskContent();
    this.#files.set(at, content);
    const crashCount = this.#crashCount;
    return new SimDiskFile(this, path, content, () => this.#crashCount !== crashCount);
  }

  /** Power is lost and comes back. What was opened or under way before fails. */
  crash(): void {
    this.#crashCount += 1;
    for (const content of this.#files.values()) content.crash(this.#random);
    for (const replacement of this.#replacements) {
      if (this.#random.chance(0.5)) this.#putInPlace(replacement);
    }
    this.#replacements.clear();
  }

  /** @throws {Error} if there is no such file */
  flipBit(path: string, offset: number, bit: number): void {
    const content = this.#files.get(resolve("/", path));
    if (content === undefined || offset >= content.sizeBytes) throw new Error("no such byte");
    content.flipBit(offset, bit);
  }

  freeBytes(): number {
    let used = 0;
    for (const content of this.#files.values()) used += content.sizeBytes;
    return Math.max(0, this.capacityBytes - used);
  }

  /** Between the call and its effect other code runs, and power may fail. */
  async #access(operation: string, path: string): Promise<void> {
    const crashCount = this.#crashCount;
    await this.pace();
    if (crashCount !== this.#crashCount) throw diskError(operation, path, errnoError("EIO"));
  }

  #demandPlaceFor(path: string): void {
    const at = resolve("/", path);
    if (this.#directories.has(at)) throw diskError("open", path, errnoError("EISDIR"));
    const above = dirname(at);
    if (this.#directories.has(above)) return;
    throw diskError("open", path, errnoError(this.#files.has(above) ? "ENOTDIR" : "ENOENT"));
  }

  #putInPlace({ path, bytes }: Replacement): void {
    const content = new DiskContent();
    content.write(0, bytes);
    content.sync();
    this.#files.set(path, content);
  }
}

class SimDiskFile implements DiskFile {
  readonly #disk: SimDisk;
  readonly #path: string;
  readonly #content: DiskContent;
  readonly #isLost: () => boolean;
  #closed = false;
  #syncFailure: Error | undefined;

  constructor(disk: SimDisk, path: string, content: DiskContent, isLost: () => boolean) {
    this.#disk = disk;
    this.#path = path;
    this.#content = content;
    this.#isLost = isLost;
  }

  get sizeBytes(): number {
    return this.#content.sizeBytes;
  }

  async read(offset: number, count: number): Promise<Uint8Array> {
    await this.#access("read");
    return this.#content.read(offset, count);
  }

  /** A disk that fills up has taken the first part. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#access("write");
    const growth = offset + bytes.byteLength - this.#content.sizeBytes;
    const missing = Math.max(0, growth - this.#disk.freeBytes());
    const fitting = bytes.subarray(0, Math.max(0, bytes.byteLength - missing));
    if (fitting.byteLength > 0) this.#content.write(offset, fitting);
    if (missing > 0) throw diskError("write", this.#path, errnoError("ENOSPC"));
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#access("truncate");
    this.#content.truncate(sizeBytes);
  }

  async sync(): Promise<void> {
    await this.#access("sync");
    if (this.#syncFailure === undefined && this.#disk.failSyncs(this.#path)) {
      this.#syncFailure = diskError("sync", this.#path, errnoError("EIO"));
      this.#content.failSync();
    }
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    this.#content.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  async #access(operation: string): Promise<void> {
    await this.#disk.pace();
    if (this.#isLost()) throw diskError(operation, this.#path, errnoError("EIO"));
    if (this.#closed) throw diskError(operation, this.#path, errnoError("EBADF"));
  }
}

function* entriesOf(
  paths: Iterable<string>,
  directory: string,
  kind: "file" | "directory",
): Generator<DiskEntry> {
  for (const path of paths) {
    if (path === "/" || dirname(path) !== directory) continue;
    yield { name: path.slice(path.lastIndexOf("/") + 1), kind };
  }
}
