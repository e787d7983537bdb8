/** A snapshot's file, looked through to its end. */
import { readArchive } from "../snapshot/index.ts";

/** What is known of a snapshot besides the state itself. */
export type SnapshotMeta = Awaited<ReturnType<typeof readArchive>>;

/** @throws {RollcallError} with what is wrong with it */
export function verifySnapshot(bytes: Uint8Array): Promise<SnapshotMeta> {
  return readArchive([bytes], { write: () => Promise.resolve() });
}

/** The one argument of the commands about snapshots. */
export const FILE_MISSING = "Missing FILE argument";
