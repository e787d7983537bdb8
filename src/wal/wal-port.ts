/**
 * What a write-ahead log promises to whoever keeps a replicated log in it.
 *
 * The log is a run of entries with consecutive indexes. Everything that changes it takes effect at once for
 * those who read it, and is durable, in the order of the calls, when the promise resolves: a caller may send an
 * entry to its followers while its own disk still syncs, and may acknowledge it only afterwards.
 */
import type { Clock, Disk, Logger } from "../platform/index.ts";

export interface WalEntry {
  /** From 1, without gaps. */
  readonly index: number;
  /** From 1. */
  readonly term: number;
  /** Not to be changed once it was appended. */
  readonly bytes: Uint8Array;
}

/** What a server must not forget about elections. */
export interface HardState {
  /** 0 before the first election. */
  readonly term: number;
  /** Who has this server's vote in `term`; "" for nobody. */
  readonly vote: string;
}

export interface IndexRange {
  readonly fromIndex: number;
  readonly throughIndex: number;
}

/**
 * - `full`, `failed`: nothing becomes durable at present. Promises wait; the log tries again by itself.
 * - `corrupt`: what was durable cannot be read any more, at least in this range (the lowest one). Nothing in it is
 *   served. `repair` with the same entries from a peer, `truncateFrom` or `resetTo` end it.
 */
export type WalState =
  | "ok"
  | Readonly<{ kind: "full" | "failed"; reason: string }>
  | Readonly<{ kind: "corrupt" } & IndexRange>;

export interface Wal extends AsyncDisposable {
  /** The first index that is kept: `lastIndex + 1` when no entry is. */
  readonly firstIndex: number;
  /** 0 in a new log; after `resetTo(index, …)`, that index. Counts what was appended and is not durable yet. */
  readonly lastIndex: number;
  /**
   * From `firstIndex - 1` (where it is known) to `lastIndex`; of index 0 it is 0.
   * @returns undefined outside of that, and for an entry that is so damaged that its term is gone
   */
  term(index: number): number | undefined;
  /** The last one that became durable. */
  readonly hardState: HardState;
  readonly state: WalState;
  /** Of all segments together. */
  readonly sizeBytes: number;
  /** Called after each change of `state`. */
  subscribe(listener: (state: WalState) => void): Disposable;

  /**
   * `entries` follow `lastIndex`. Calls that come while a sync runs share the next one.
   * @throws {RollcallError} `disk/failed`, when the entries are cut away before they are durable (they must not be
   *   acknowledged), when too much waits for a disk that does not take it (then nothing was appended), or when
   *   the log is disposed of first
   */
  append(entries: readonly WalEntry[]): Promise<void>;
  /** Cuts away `index` and all that follow. Nothing to cut is no error. */
  truncateFrom(index: number): Promise<void>;
  /**
   * Frees the space of entries up to `index`, as far as whole segments go: `firstIndex` says how far.
   * @throws {RollcallError} `disk/failed` when files could not be removed; the next call tries again
   */
  dropThrough(index: number): Promise<void>;
  /** Forgets all entries: the next one is `index + 1`, and the one before it had `term`. */
  resetTo(index: number, term: number): Promise<void>;
  /**
   * Puts entries in place of those that are corrupt. They are the ones that were there: the caller has made
   * sure. Entries that are not corrupt are passed over.
   */
  repair(entries: readonly WalEntry[]): Promise<void>;
  /**
   * At least one entry, and further ones up to `through` as long as all together have at most `maxBytes` bytes; perhaps
   * fewer. None if they are cut away meanwhile.
   * @param from between `firstIndex` and `lastIndex`
   * @throws {RollcallError} `disk/failed`, also when the first is corrupt
   */
  read(from: number, through: number, maxBytes: number): Promise<readonly WalEntry[]>;
  saveHardState(hardState: HardState): Promise<void>;
}

export interface WalOptions {
  readonly disk: Disk;
  /** Paces attempts while the disk is full or failing. */
  readonly clock: Clock;
  /** Created if need be. Nothing else may use it. */
  readonly directory: string;
  readonly logger: Logger;
  /** A segment that would grow larger is followed by another. */
  readonly segmentMaxBytes?: number;
}
