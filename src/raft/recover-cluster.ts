/**
 * The way out when too many servers are gone for good: one server, or several that are to go on together, take a
 * configuration that nobody has voted on. What they have in their logs counts as committed from then on, so
 * something may be lost that only others had, and something kept that nobody was told of.
 *
 *     newest snapshot + all commands of the log ─► new snapshot with the configuration ─► empty log
 *
 * The snapshot is what decides. A crash before it is durable leaves everything as it was; after that, recovery has
 * happened, and doing it again changes nothing.
 */
import { RollcallError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import type { Wal } from "../wal/index.ts";
import { faultOf, type Configuration } from "./configuration.ts";
import { NOWHERE, type Position } from "./entry.ts";
import type { SnapshotStore, StateMachine, StoredSnapshot } from "./ports.ts";
import { forgetLost, goesOnFrom, type LogHome } from "./stored-log.ts";
import { inTurns } from "./turns.ts";
import { fromWalEntry } from "./wal-entry.ts";
import { writeSnapshot } from "./write-snapshot.ts";

const READ_BYTES_MAX = 1024 * 1024;
/** hashicorp/raft's: the configuration is nobody's entry. */
const CONFIGURATION_INDEX = 1;

export interface RecoveryOptions {
  readonly clock: Clock;
  /** As for `startRaft`, which is not to run while this does. */
  readonly disk: LogHome["disk"];
  readonly directory: string;
  readonly wal: Wal;
  readonly snapshots: SnapshotStore;
  /** A new one, which is of no use afterwards. */
  readonly stateMachine: StateMachine<unknown>;
  /** The same on all servers that are to go on. */
  readonly configuration: Configuration;
}

/**
 * @throws {Error} when there is nothing to recover, or the configuration is of no use
 * @throws {RollcallError} `disk/failed` when what is on the disk cannot be read from end to end; nothing was changed
 */
export async function recoverCluster(options: RecoveryOptions): Promise<StoredSnapshot> {
  const { clock, wal, snapshots, stateMachine, configuration } = options;
  const fault = faultOf(configuration);
  if (fault !== undefined) throw new Error(fault);
  const { newest } = snapshots;
  if (newest === undefined && wal.lastIndex === 0) {
    throw new Error("there is no log and no snapshot to recover from");
  }
  if (newest !== undefined) await stateMachine.restore(inTurns(snapshots.read(newest), clock));
  const last = await applyLog(options, newest);
  const snapshot = await writeSnapshot(
    snapshots,
    { ...last, configuration, configurationIndex: CONFIGURATION_INDEX },
    inTurns(stateMachine.snapshot(), clock),
  );
  await wal.resetTo(last.index, last.term);
  // That entries were lost here before matters no more: nobody else is asked for them.
  await forgetLost(options);
  return snapshot;
}

/** All commands after the snapshot. @returns the last position that there is */
async function applyLog(
  { wal, stateMachine }: RecoveryOptions,
  newest: StoredSnapshot | undefined,
): Promise<Position> {
  const { index, term } = newest ?? NOWHERE;
  if (newest !== undefined && !goesOnFrom(newest, wal)) return { index, term };
  if (wal.firstIndex > index + 1) {
    const gap = `${index + 1} to ${wal.firstIndex - 1}`;
    throw new RollcallError("disk/failed", `entries ${gap} are in no snapshot and not in the log`);
  }
  let last = { index, term };
  while (last.index < wal.lastIndex) {
    for (const stored of await wal.read(last.index + 1, wal.lastIndex, READ_BYTES_MAX)) {
      const entry = fromWalEntry(stored);
      if (entry.type === "command") stateMachine.apply(entry);
      last = { index: entry.index, term: entry.term };
    }
  }
  return last;
}
