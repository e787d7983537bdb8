/**
 * What a server that does not run has of the log, as far as it can be read: to compare servers by, when too many of
 * them are gone for good.
 */
import { messageOf } from "../errors/index.ts";
import type { Wal } from "../wal/index.ts";
import type { Configuration } from "./configuration.ts";
import { configurationOf } from "./configuration-codec.ts";
import { NOWHERE, type Entry, type Index, type Position, type Term } from "./entry.ts";
import type { SnapshotStore, StoredSnapshot } from "./ports.ts";
import { NO_SNAPSHOT } from "./raft-log.ts";
import { goesOnFrom, readLost, type LogHome } from "./stored-log.ts";
import { fromWalEntry } from "./wal-entry.ts";

const READ_BYTES_MAX = 1024 * 1024;

export interface RaftHomeContent {
  readonly snapshot: StoredSnapshot | undefined;
  /** Of the entries that are there, snapshot aside. */
  readonly firstIndex: Index;
  /** Up to here everything can be read, in the snapshot or in the log. */
  readonly last: Position;
  readonly term: Term;
  readonly configuration: Configuration;
  readonly configurationIndex: Index;
  /** The furthest that this server once had and has lost, as it noted when it found out. */
  readonly lost: Position;
  /** In words; with "useless" there is no going on from here at all. */
  readonly faults: readonly { readonly text: string; readonly gravity: "lossy" | "useless" }[];
  /** undefined: in the snapshot, or not there. */
  termAt(index: Index): Term | undefined;
  /** Both between `firstIndex` and `last`. */
  read(from: Index, through: Index): AsyncGenerator<Entry, void>;
}

export interface InspectOptions extends Pick<LogHome, "disk" | "directory" | "wal"> {
  readonly snapshots: SnapshotStore;
}

/** @throws {RollcallError} `disk/failed` when the disk fails otherwise than by what is on it */
export async function inspectHome(options: InspectOptions): Promise<RaftHomeContent> {
  const { wal, snapshots } = options;
  const { newest: snapshot } = snapshots;
  const faults: { text: string; gravity: "lossy" | "useless" }[] = [];
  const snapshotFault = snapshot && (await faultOfSnapshot(snapshots, snapshot));
  if (snapshotFault !== undefined) faults.push({ text: snapshotFault, gravity: "useless" });
  const start = snapshot ?? NO_SNAPSHOT;
  const isApart = snapshot !== undefined && !goesOnFrom(snapshot, wal);
  if (!isApart && wal.firstIndex > start.index + 1) {
    const gap = `${start.index + 1} to ${wal.firstIndex - 1}`;
    const text = `entries ${gap} are in no snapshot and not in the log`;
    faults.push({ text, gravity: "useless" });
  }
  const found = isApart ? { last: start, configured: undefined } : await readThrough(wal, start);
  if (!isApart && found.last.index < wal.lastIndex) {
    const text = `entries ${found.last.index + 1} to ${wal.lastIndex} cannot be read, or stand behind one that cannot`;
    faults.push({ text, gravity: "lossy" });
  }
  const lost = await readLost(options);
  if (isFurther(lost, found.last)) {
    const text = `it once had entries up to ${lost.index} (term ${lost.term}), which decayed here`;
    faults.push({ text, gravity: "lossy" });
  }
  const { configured } = found;
  return {
    snapshot,
    firstIndex: isApart ? start.index + 1 : wal.firstIndex,
    last: { index: found.last.index, term: found.last.term },
    term: Math.max(wal.hardState.term, found.last.term),
    configuration: configured?.configuration ?? start.configuration,
    configurationIndex: configured?.index ?? start.configurationIndex,
    lost,
    faults,
    termAt: (index) => {
      if (index === start.index) return start.term;
      return isApart || index > found.last.index ? undefined : wal.term(index);
    },
    read: (from, through) => entriesOf(wal, from, through),
  };
}

/** By which of two logs a server is elected (paper §5.4.1). */
export function isFurther(a: Position, b: Position): boolean {
  return a.term > b.term || (a.term === b.term && a.index > b.index);
}

async function faultOfSnapshot(
  snapshots: SnapshotStore,
  snapshot: StoredSnapshot,
): Promise<string | undefined> {
  try {
    for await (const _bytes of snapshots.read(snapshot));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

interface Configured {
  readonly index: Index;
  readonly configuration: Configuration;
}

/** As far as entries can be read one after the other. */
async function readThrough(
  wal: Wal,
  start: Position,
): Promise<{ readonly last: Position; readonly configured: Configured | undefined }> {
  let last: Position = start.index === 0 ? NOWHERE : start;
  let configured: Configured | undefined;
  try {
    for await (const entry of entriesOf(
      wal,
      Math.max(start.index + 1, wal.firstIndex),
      wal.lastIndex,
    )) {
      const configuration = configurationOf(entry);
      if (configuration !== undefined) configured = { index: entry.index, configuration };
      last = entry;
    }
  } catch {
    // It ends here: whoever compares says so.
  }
  return { last, configured };
}

async function* entriesOf(wal: Wal, from: Index, through: Index): AsyncGenerator<Entry, void> {
  for (let next = from; next <= through;) {
    const read = await wal.read(next, through, READ_BYTES_MAX);
    if (read.length === 0) return;
    for (const entry of read) yield fromWalEntry(entry);
    next += read.length;
  }
}
