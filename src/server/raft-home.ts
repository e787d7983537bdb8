/** Where a server's log lives: the write-ahead log and the snapshots, in `<data-dir>/raft`. */
import { join } from "node:path";
import type { Logger, Platform } from "../platform/index.ts";
import { openSnapshotStore, type SnapshotStore } from "../raft/index.ts";
import { openWal, type Wal } from "../wal/index.ts";

export interface RaftHome {
  readonly directory: string;
  readonly wal: Wal;
  readonly snapshots: SnapshotStore;
}

/** @throws {RollcallError} `disk/failed` */
export async function openRaftHome(
  { disk, clock }: Pick<Platform, "disk" | "clock">,
  logger: Logger,
  dataDir: string,
): Promise<RaftHome> {
  const directory = join(dataDir, "raft");
  await disk.makeDirectory(directory);
  const wal = await openWal({ disk, clock, logger, directory: join(directory, "wal") });
  try {
    const snapshots = await openSnapshotStore({ disk, clock, logger, directory });
    return { directory, wal, snapshots };
  } catch (error) {
    await wal[Symbol.asyncDispose]();
    throw error;
  }
}
