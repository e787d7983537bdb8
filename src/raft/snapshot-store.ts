/**
 * Snapshots on disk, as hashicorp/raft's FileSnapshotStore lays them out:
 *
 *     snapshots/<term>-<index>-<milliseconds>/state.bin   the state machine's bytes
 *     snapshots/<term>-<index>-<milliseconds>/meta.json   what they stand for, their size and CRC-64
 *
 * `meta.json` is written last and in one go, and makes the snapshot: a directory without it is of one that was
 * not finished, and is cleared away. The two that reach furthest are kept.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Disk, DiskFile, Logger } from "../platform/index.ts";
import { encodePeers, type SnapshotMetaJson } from "../wire/index.ts";
import { votersOf, type Configuration, type Server } from "./configuration.ts";
import { Crc64 } from "./crc64.ts";
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from "./ports.ts";
import type { SnapshotMeta } from "./raft-log.ts";
import { Slicer, SLICE_BYTES } from "./slicer.ts";

const KEPT = 2;
const META_VERSION = 1;

interface MetaJson extends SnapshotMetaJson {
  /** base64; null until the snapshot is whole. */
  readonly CRC: string | null;
}

export interface SnapshotStoreOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Holds `snapshots/`. */
  readonly directory: string;
}

interface Kept extends StoredSnapshot {
  readonly crc: string;
}

export async function openSnapshotStore(options: SnapshotStoreOptions): Promise<SnapshotStore> {
  const store = new FileSnapshotStore(options);
  await store.load();
  return store;
}

class FileSnapshotStore implements SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  readonly #root: string;
  /** The furthest first. */
  #kept: Kept[] = [];
  readonly #underWay = new Set<string>();

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
    this.#root = `${options.directory}/snapshots`;
  }

  get newest(): StoredSnapshot | undefined {
    return this.#kept[0];
  }

  async load(): Promise<void> {
    const { disk } = this.#options;
    await disk.makeDirectory(this.#root);
    for (const { name, kind } of (await disk.list(this.#root)) ?? []) {
      if (kind !== "directory") continue;
      const meta = await disk.read(`${this.#root}/${name}/meta.json`);
      const snapshot = meta === undefined ? undefined : this.#parse(name, meta);
      if (snapshot === undefined) await this.#clear(name);
      else this.#kept.push(snapshot);
    }
    this.#kept.sort(furthestFirst);
  }

  async create(meta: SnapshotMeta): Promise<SnapshotSink> {
    const { disk, clock } = this.#options;
    let at = Math.floor(clock.wallMs());
    const taken = new Set([...this.#underWay, ...this.#kept.map(({ id }) => id)]);
    while (taken.has(idOf(meta, at))) at += 1;
    const id = idOf(meta, at);
    const directory = `${this.#root}/${id}`;
    this.#underWay.add(id);
    await disk.makeDirectory(directory);
    const file = await disk.open(`${directory}/state.bin`);
    return this.#sink({ ...meta, id, sizeBytes: 0 }, file);
  }

  async remove({ id }: StoredSnapshot): Promise<void> {
    this.#kept = this.#kept.filter((kept) => kept.id !== id);
    await this.#clear(id);
  }

  async *read(snapshot: StoredSnapshot): AsyncGenerator<Uint8Array, void> {
    const kept = this.#kept.find(({ id }) => id === snapshot.id);
    if (kept === undefined) throw new RollcallError("disk/failed", `no snapshot ${snapshot.id}`);
    await using file = await this.#options.disk.open(`${this.#root}/${kept.id}/state.bin`);
    const crc = new Crc64();
    for (let at = 0; at < kept.sizeBytes;) {
      const bytes = await file.read(at, Math.min(SLICE_BYTES, kept.sizeBytes - at));
      if (bytes.byteLength === 0) break;
      crc.update(bytes);
      at += bytes.byteLength;
      yield bytes;
    }
    if (Buffer.from(crc.digest()).toString("base64") === kept.crc) return;
    throw new RollcallError("disk/failed", `snapshot ${kept.id} is corrupt`);
  }

  #sink(begun: StoredSnapshot, file: DiskFile): SnapshotSink {
    const crc = new Crc64();
    const slicer = new Slicer();
    let sizeBytes = 0;
    const store = async (slices: readonly Uint8Array[]): Promise<void> => {
      for (const slice of slices) {
        crc.update(slice);
        await file.write(sizeBytes, slice);
        sizeBytes += slice.byteLength;
      }
    };
    return {
      write: (bytes) => store(slicer.take(bytes)),
      commit: async () => {
        await store(slicer.rest());
        await file.sync();
        await file[Symbol.asyncDispose]();
        const text = Buffer.from(crc.digest()).toString("base64");
        const kept = { ...begun, sizeBytes, crc: text };
        await this.#options.disk.replace(
          `${this.#root}/${begun.id}/meta.json`,
          Buffer.from(`${JSON.stringify(metaJson(kept))}\n`),
        );
        this.#underWay.delete(begun.id);
        await this.#keep(kept);
        return kept;
      },
      abort: async () => {
        await file[Symbol.asyncDispose]();
        this.#underWay.delete(begun.id);
        await this.#clear(begun.id);
      },
    };
  }

  async #keep(snapshot: Kept): Promise<void> {
    this.#kept.push(snapshot);
    this.#kept.sort(furthestFirst);
    for (const { id } of this.#kept.splice(KEPT)) await this.#clear(id);
  }

  /** What cannot be cleared away now is, when the store is opened the next time. */
  async #clear(id: string): Promise<void> {
    const { disk, logger } = this.#options;
    const directory = `${this.#root}/${id}`;
    try {
      await disk.remove(`${directory}/meta.json`);
      await disk.remove(`${directory}/state.bin`);
      for (const { name } of (await disk.list(directory)) ?? []) {
        if (name.endsWith(".tmp")) await disk.remove(`${directory}/${name}`);
      }
      await disk.removeDirectory(directory);
    } catch (error) {
      logger.warn("cannot remove an old snapshot", { id, error: messageOf(error) });
    }
  }

  #parse(name: string, bytes: Uint8Array): Kept | undefined {
    try {
      const meta = JSON.parse(Buffer.from(bytes).toString()) as MetaJson;
      if (meta.CRC === null) return undefined;
      const counts = [meta.Index, meta.Term, meta.ConfigurationIndex, meta.Size];
      if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) {
        throw new Error("numbers were expected");
      }
      return {
        id: name,
        index: meta.Index,
        term: meta.Term,
        configuration: configurationOf(meta),
        configurationIndex: meta.ConfigurationIndex,
        sizeBytes: meta.Size,
        crc: meta.CRC,
      };
    } catch (error) {
      this.#options.logger.warn("unreadable snapshot", { id: name, error: messageOf(error) });
      return undefined;
    }
  }
}

function idOf({ term, index }: SnapshotMeta, atMs: number): string {
  return `${term}-${index}-${atMs}`;
}

function furthestFirst(a: Kept, b: Kept): number {
  return b.term - a.term || b.index - a.index || (a.id < b.id ? 1 : -1);
}

function configurationOf({ Configuration: { Servers } }: MetaJson): Configuration {
  const servers = Servers.map(({ Suffrage, ID, Address }): Server => {
    return { id: ID, address: Address, suffrage: Suffrage === 0 ? "voter" : "nonvoter" };
  });
  return { servers };
}

function metaJson(snapshot: Kept): MetaJson {
  const { id, index, term, configuration, configurationIndex, sizeBytes, crc } = snapshot;
  const voters = votersOf(configuration).map(({ address }) => address);
  return {
    Version: META_VERSION,
    ID: id,
    Index: index,
    Term: term,
    Peers: Buffer.from(encodePeers(voters)).toString("base64"),
    Configuration: {
      Servers: configuration.servers.map(({ id: ID, address: Address, suffrage }) => ({
        Suffrage: suffrage === "voter" ? 0 : 1,
        ID,
        Address,
      })),
    },
    ConfigurationIndex: configurationIndex,
    Size: sizeBytes,
    CRC: crc,
  };
}
