/**
 * The way out when a majority of the servers is gone for good: what is left is looked at without touching it, the
 * server whose log reaches furthest is found, and made a cluster of its own.
 *
 * Why the furthest: whoever has the entry of the last term has it from a leader that was elected with everything that
 * had been acknowledged until then (paper §5.4). So what others of those that were looked at have beyond it was never
 * acknowledged; what only those had that were not looked at, may have been.
 */
import { join } from "node:path";
import { messageOf, RollcallError } from "../errors/index.ts";
import { noLogger, overlayDisk, type Logger, type Platform } from "../platform/index.ts";
import {
  inspectHome,
  isFurther,
  recoverCluster,
  votersOf,
  type Entry,
  type RaftHomeContent,
  type Server as RaftServer,
  type StoredSnapshot,
} from "../raft/index.ts";
import { Store } from "../store/index.ts";
import { storeMachine } from "./fsm.ts";
import { openRaftHome } from "./raft-home.ts";

/** Holds files open until it is disposed of. */
export interface Survivor extends AsyncDisposable {
  readonly dataDir: string;
  /** undefined where the directory does not say. */
  readonly nodeId: string | undefined;
  /** undefined where nothing of it can be read: the faults say why. */
  readonly content: RaftHomeContent | undefined;
  /** In words, the gravest first. */
  readonly faults: readonly string[];
  /** Whether a cluster could go on from it. */
  readonly isUsable: boolean;
}

/** Entries that one has and the safest has not. */
export interface Elsewhere {
  readonly survivor: Survivor;
  readonly fromIndex: number;
  readonly throughIndex: number;
  /** The first of them. */
  readonly entries: readonly Entry[];
}
export interface Comparison {
  /** undefined: none can be used. */
  readonly safest: Survivor | undefined;
  readonly elsewhere: readonly Elsewhere[];
  /** Voters of the safest's configuration of which there is nothing here that can be used. */
  readonly unseen: readonly RaftServer[];
  /** So many of them are here undamaged that a leader can be elected as ever, and everything acknowledged is here. */
  readonly hasMajority: boolean;
}

/** Of what is only elsewhere so many entries are listed. */
const LISTED_MAX = 20;

/** Looks, and changes nothing: not even what a start would put right. */
export async function openSurvivor(platform: Platform, dataDir: string): Promise<Survivor> {
  const disk = overlayDisk(platform.disk);
  const idFile = await disk.read(join(dataDir, "node-id"));
  const nodeId = idFile === undefined ? undefined : Buffer.from(idFile).toString().trim();
  const raftDir = join(dataDir, "raft");
  const unusable = (fault: string): Survivor => {
    const close = (): Promise<void> => Promise.resolve();
    return {
      dataDir,
      nodeId,
      content: undefined,
      faults: [fault],
      isUsable: false,
      [Symbol.asyncDispose]: close,
    };
  };
  if ((await disk.list(join(raftDir, "wal"))) === undefined) {
    const isConsuls = (await disk.read(join(raftDir, "raft.db"))) !== undefined;
    return unusable(
      isConsuls ? "it is Consul's own (raft.db), which is not read here" : "there is no log in it",
    );
  }
  const noted: string[] = [];
  try {
    const home = await openRaftHome({ ...platform, disk }, noting(noted), dataDir);
    const content = await inspectHome({ ...home, disk });
    const grave = content.faults.filter(({ gravity }) => gravity === "useless");
    const lossy = content.faults.filter(({ gravity }) => gravity === "lossy");
    const isEmpty = content.last.index === 0;
    return {
      dataDir,
      nodeId,
      content,
      faults: [
        ...(isEmpty ? ["its log is empty"] : []),
        ...[...grave, ...lossy].map(({ text }) => text),
        ...noted,
      ],
      isUsable: grave.length === 0 && !isEmpty,
      [Symbol.asyncDispose]: () => home.wal[Symbol.asyncDispose](),
    };
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    return unusable(messageOf(error));
  }
}

/** What opening a log finds wrong with it, and would put right. */
function noting(notes: string[]): Logger {
  const logger: Logger = {
    ...noLogger,
    warn: (message, { bytes }: { readonly bytes?: unknown } = {}) => {
      // Of a write that was torn, nothing was acknowledged.
      notes.push(typeof bytes === "number" ? `${message}: its last ${bytes} bytes` : message);
    },
    named: () => logger,
  };
  return logger;
}

export async function compareSurvivors(survivors: readonly Survivor[]): Promise<Comparison> {
  const usable = survivors.filter(({ isUsable }) => isUsable);
  let safest: Survivor | undefined;
  for (const survivor of usable) if (isSafer(survivor, safest)) safest = survivor;
  const content = safest?.content;
  if (safest === undefined || content === undefined) {
    return { safest: undefined, elsewhere: [], unseen: [], hasMajority: false };
  }
  const elsewhere: Elsewhere[] = [];
  for (const other of survivors) {
    const only = other === safest ? undefined : await beyond(other, content);
    if (only !== undefined) elsewhere.push(only);
  }
  const voters = votersOf(content.configuration);
  const unseen = voters.filter(({ id }) => !usable.some(({ nodeId }) => nodeId === id));
  const sound = voters.filter(({ id }) => usable.some((one) => one.nodeId === id && isSound(one)));
  const hasMajority = sound.length > voters.length / 2;
  return { safest, elsewhere, unseen, hasMajority };
}

function isSound({ content }: Survivor): boolean {
  return content?.faults.length === 0;
}

function isSafer({ content, faults }: Survivor, than: Survivor | undefined): boolean {
  if (content === undefined) return false;
  if (than?.content === undefined) return true;
  if (isFurther(content.last, than.content.last)) return true;
  return !isFurther(than.content.last, content.last) && faults.length < than.faults.length;
}

async function beyond(other: Survivor, safest: RaftHomeContent): Promise<Elsewhere | undefined> {
  const { content } = other;
  if (content === undefined) return undefined;
  const { firstIndex, last } = content;
  const covered = Math.max(firstIndex - 1, safest.snapshot?.index ?? 0);
  let shared = last.index;
  while (shared > covered && content.termAt(shared) !== safest.termAt(shared)) shared -= 1;
  if (shared >= last.index) return undefined;
  const fromIndex = shared + 1;
  const entries: Entry[] = [];
  for await (const entry of content.read(fromIndex, last.index)) {
    entries.push(entry);
    if (entries.length === LISTED_MAX) break;
  }
  return { survivor: other, fromIndex, throughIndex: last.index, entries };
}

export interface RecoveryOrder {
  readonly dataDir: string;
  /** Who it is, and where it will be reached by others. */
  readonly id: string;
  readonly address: string;
}

/**
 * Makes the server a cluster of its own, with all that it has. No server may run on the directory meanwhile.
 * @throws {RollcallError} `disk/failed`
 */
export async function recoverAlone(
  platform: Platform,
  { dataDir, id, address }: RecoveryOrder,
): Promise<StoredSnapshot> {
  const { disk, clock, random } = platform;
  const home = await openRaftHome(platform, noLogger, dataDir);
  await using wal = home.wal;
  const { state } = wal;
  // What stands behind an entry that cannot be read is of no use without it.
  if (state !== "ok" && state.kind === "corrupt") await wal.truncateFrom(state.fromIndex);
  const { stateMachine } = storeMachine({ store: new Store(), random, onApplied: () => {} });
  return await recoverCluster({
    ...home,
    clock,
    disk,
    stateMachine,
    configuration: { servers: [{ id, address, suffrage: "voter" }] },
  });
}
