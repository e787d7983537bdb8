/**
 * What a server finds of its log when it starts, made into what the core needs to know, and set right where it
 * must be.
 *
 * A snapshot that the log does not reach, or does not agree with, takes the log's place. Where entries are
 * corrupt the log is cut, and it is noted beside it how far it went: what lay there may have been acknowledged,
 * so until this server has got it all back from the others it votes as if it had it, and does not stand.
 */
import { RollcallError } from "../errors/index.ts";
import type { Disk, Logger } from "../platform/index.ts";
import type { Wal } from "../wal/index.ts";
import { isVoter, votersOf, type Configuration, type ServerId } from "./configuration.ts";
import { configurationOf } from "./configuration-codec.ts";
import { NOWHERE, type Entry, type Index, type Position } from "./entry.ts";
import type { StoredSnapshot } from "./ports.ts";
import { NO_SNAPSHOT, type StoredLog } from "./raft-log.ts";
import { fromWalEntry } from "./wal-entry.ts";

const READ_BYTES_MAX = 1024 * 1024;

export interface LogHome {
  readonly id: ServerId;
  readonly wal: Wal;
  readonly disk: Disk;
  /** Where it is noted what was lost. */
  readonly directory: string;
  readonly logger: Logger;
}

/** @throws {RollcallError} `disk/failed` when too little is left to go on from */
export async function readStoredLog(
  home: LogHome,
  snapshot: StoredSnapshot | undefined,
): Promise<{ readonly log: StoredLog; readonly lost: Position }> {
  const { wal } = home;
  if (snapshot !== undefined && !goesOnFrom(snapshot, wal)) {
    await wal.resetTo(snapshot.index, snapshot.term);
  }
  const meta = snapshot ?? NO_SNAPSHOT;
  if (wal.firstIndex > meta.index + 1) {
    const gap = `${meta.index + 1} to ${wal.firstIndex - 1}`;
    throw new RollcallError("disk/failed", `entries ${gap} are in no snapshot and not in the log`);
  }
  const { configurationEntries, damagedAt: damaged } = await readThrough(wal, meta.index + 1);
  if (damaged === undefined) {
    const lost = await readLost(home);
    return { log: { snapshot: meta, ...extent(wal), configurationEntries }, lost };
  }
  const last = { index: wal.lastIndex, term: wal.term(wal.lastIndex) ?? wal.hardState.term };
  const lost = furthest(last, await readLost(home));
  const latest = configurationEntries.at(-1);
  const configuration = (latest && configurationOf(latest)) ?? meta.configuration;
  demandOthers(home, configuration, damaged);
  await noteLost(home, lost);
  await wal.truncateFrom(damaged);
  return { log: { snapshot: meta, ...extent(wal), configurationEntries }, lost };
}

/** It has all back that was lost. */
export async function forgetLost({
  disk,
  directory,
}: Pick<LogHome, "disk" | "directory">): Promise<void> {
  await disk.remove(lostPath(directory));
}

/** Whether the log holds what comes after the snapshot. A term that cannot be read any more proves nothing. */
export function goesOnFrom({ index, term }: StoredSnapshot, wal: Wal): boolean {
  const own = wal.term(index);
  const differs = wal.firstIndex <= index && own !== undefined && own !== term;
  return wal.lastIndex >= index && !differs;
}

function demandOthers(home: LogHome, configuration: Configuration, from: Index): void {
  const others = votersOf(configuration).filter(({ id }) => id !== home.id);
  if (others.length > 0 || !isVoter(configuration, home.id)) {
    home.logger.error("the log is corrupt: it is fetched again from the others", { from });
    return;
  }
  throw new RollcallError(
    "disk/failed",
    `the log is corrupt from entry ${from} on, and there is no other server to fetch it from`,
  );
}

/** Without what has decayed under a snapshot, and what lies before it. */
function extent(wal: Wal): Pick<StoredLog, "firstIndex" | "lastIndex" | "runs"> {
  let { firstIndex } = wal;
  let runs: Position[] = [];
  for (let index = firstIndex; index <= wal.lastIndex; index += 1) {
    const term = wal.term(index);
    if (term === undefined) {
      firstIndex = index + 1;
      runs = [];
    } else if (runs.at(-1)?.term !== term) runs.push({ index, term });
  }
  return { firstIndex, lastIndex: wal.lastIndex, runs };
}

function furthest(a: Position, b: Position): Position {
  return a.term > b.term || (a.term === b.term && a.index > b.index) ? a : b;
}

/** Up to the first entry that cannot be read, as what was there has decayed. */
async function readThrough(
  wal: Wal,
  from: Index,
): Promise<{ readonly configurationEntries: Entry[]; readonly damagedAt: Index | undefined }> {
  const configurationEntries: Entry[] = [];
  for (let next = from; next <= wal.lastIndex;) {
    let read: readonly Entry[];
    try {
      read = (await wal.read(next, wal.lastIndex, READ_BYTES_MAX)).map(fromWalEntry);
    } catch (error) {
      if (wal.state === "ok" || wal.state.kind !== "corrupt") throw error;
      return { configurationEntries, damagedAt: next };
    }
    for (const entry of read) {
      if (entry.type === "configuration" || entry.type.endsWith("Peer")) {
        configurationEntries.push(entry);
      }
    }
    next += read.length;
  }
  return { configurationEntries, damagedAt: undefined };
}

function lostPath(directory: string): string {
  return `${directory}/lost.json`;
}

async function noteLost({ disk, directory }: LogHome, lost: Position): Promise<void> {
  await disk.replace(lostPath(directory), Buffer.from(JSON.stringify(lost)));
}

/** How far it went, what was lost here and is not back; nowhere, if nothing was. */
export async function readLost({
  disk,
  directory,
}: Pick<LogHome, "disk" | "directory">): Promise<Position> {
  const bytes = await disk.read(lostPath(directory));
  if (bytes === undefined) return NOWHERE;
  return JSON.parse(Buffer.from(bytes).toString()) as Position;
}
