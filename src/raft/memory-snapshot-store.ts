/**
 * Snapshots that end with their process. Only the one that reaches furthest is kept; whoever has begun to read
 * another still gets all of it.
 */
import { RollcallError } from "../errors/index.ts";
import type { SnapshotSink, SnapshotStore, StoredSnapshot } from "./ports.ts";
import type { SnapshotMeta } from "./raft-log.ts";
import { Slicer } from "./slicer.ts";

interface Kept {
  readonly snapshot: StoredSnapshot;
  readonly slices: readonly Uint8Array[];
}

export function memorySnapshotStore(): SnapshotStore {
  return new MemorySnapshotStore();
}

class MemorySnapshotStore implements SnapshotStore {
  #kept: Kept | undefined;
  #created = 0;

  get newest(): StoredSnapshot | undefined {
    return this.#kept?.snapshot;
  }

  async create(meta: SnapshotMeta): Promise<SnapshotSink> {
    this.#created += 1;
    const id = `${meta.term}-${meta.index}-${this.#created}`;
    const slices: Uint8Array[] = [];
    const slicer = new Slicer();
    let sizeBytes = 0;
    return {
      write: async (bytes) => {
        sizeBytes += bytes.byteLength;
        slices.push(...slicer.take(bytes));
      },
      commit: async () => {
        slices.push(...slicer.rest());
        const snapshot = { ...meta, id, sizeBytes };
        if (!reachesFurther(this.newest, snapshot)) this.#kept = { snapshot, slices };
        return snapshot;
      },
      abort: async () => {},
    };
  }

  async remove({ id }: StoredSnapshot): Promise<void> {
    if (this.newest?.id === id) this.#kept = undefined;
  }

  read({ id }: StoredSnapshot): AsyncIterable<Uint8Array> {
    const { snapshot, slices } = this.#kept ?? {};
    return eachOf(snapshot?.id === id ? slices : undefined, id);
  }
}

async function* eachOf(
  slices: readonly Uint8Array[] | undefined,
  id: string,
): AsyncGenerator<Uint8Array, void> {
  if (slices === undefined) throw new RollcallError("disk/failed", `no snapshot ${id}`);
  yield* slices;
}

function reachesFurther(a: StoredSnapshot | undefined, b: StoredSnapshot): boolean {
  if (a === undefined) return false;
  return a.term > b.term || (a.term === b.term && a.index > b.index);
}
