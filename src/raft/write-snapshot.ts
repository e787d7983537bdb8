import type { SnapshotStore, StoredSnapshot } from "./ports.ts";
import type { SnapshotMeta } from "./raft-log.ts";

/** All of a snapshot, or nothing of it. */
export async function writeSnapshot(
  snapshots: SnapshotStore,
  meta: SnapshotMeta,
  slices: AsyncIterable<Uint8Array>,
): Promise<StoredSnapshot> {
  const sink = await snapshots.create(meta);
  try {
    for await (const slice of slices) await sink.write(slice);
    return await sink.commit();
  } catch (error) {
    await sink.abort().catch(() => undefined);
    throw error;
  }
}
