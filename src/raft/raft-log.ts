/**
 * What the core knows of its log: the term at each index, the newest entries themselves, and the configurations
 * that are in it. The entries' home is the disk; this never reads it.
 *
 *     snapshot ──┐            ┌─ firstIndex          ┌─ recent entries from here     ┌─ lastIndex
 *     ·········· ▼ ───────────▼──────────────────────▼───────────────────────────────▼
 *     gone       covered by the snapshot may still be there, for followers that lag
 *
 * Invariants:
 *   1. Terms never go down along the log, so they are kept as runs: a handful of numbers for any length.
 *   2. The recent entries reach to `lastIndex` without a gap.
 *   3. `configurations` is in the order of indexes; its last is the one in force.
 */
import { strict as assert } from "node:assert";
import { NO_SERVERS, type Configuration } from "./configuration.ts";
import { configurationOf } from "./configuration-codec.ts";
import {
  entrySizeBytes,
  NOWHERE,
  type Entry,
  type Index,
  type Position,
  type Term,
} from "./entry.ts";

/** What a snapshot stands for. `configurationIndex` is of the configuration's own entry. */
export interface SnapshotMeta extends Position {
  readonly configuration: Configuration;
  readonly configurationIndex: Index;
}
export const NO_SNAPSHOT: SnapshotMeta = {
  ...NOWHERE,
  configuration: NO_SERVERS,
  configurationIndex: 0,
};

/** What is on disk when a server starts. */
export interface StoredLog {
  readonly snapshot: SnapshotMeta;
  /** lastIndex + 1 when there is none. */
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  /** For each term in the log, where it begins: ascending. */
  readonly runs: readonly Position[];
  /** Entries that bring configurations, ascending. */
  readonly configurationEntries: readonly Entry[];
}
export const EMPTY_LOG: StoredLog = {
  snapshot: NO_SNAPSHOT,
  firstIndex: 1,
  lastIndex: 0,
  runs: [],
  configurationEntries: [],
};

interface Configured {
  readonly index: Index;
  readonly configuration: Configuration;
}

/** Recent entries that are dropped leave holes at the front of an array; so many, and it is made anew. */
const HOLES_MAX = 1024;

export class RaftLog {
  #snapshot: SnapshotMeta;
  #firstIndex: Index;
  #lastIndex: Index;
  #runs: Position[];
  #configurations: Configured[];
  #recent: Entry[] = [];
  #recentHoles = 0;
  #recentBytes = 0;

  constructor(stored: StoredLog) {
    const { snapshot, firstIndex, lastIndex, runs, configurationEntries } = stored;
    this.#snapshot = snapshot;
    this.#firstIndex = firstIndex;
    this.#lastIndex = Math.max(lastIndex, snapshot.index);
    this.#runs = [...runs];
    this.#configurations = [
      { index: snapshot.configurationIndex, configuration: snapshot.configuration },
    ];
    for (const entry of configurationEntries) {
      if (entry.index > snapshot.index) this.#noteConfiguration(entry);
    }
  }

  clone(): RaftLog {
    const copy = new RaftLog(EMPTY_LOG);
    copy.#snapshot = this.#snapshot;
    copy.#firstIndex = this.#firstIndex;
    copy.#lastIndex = this.#lastIndex;
    copy.#runs = [...this.#runs];
    copy.#configurations = [...this.#configurations];
    copy.#recent = this.#recent.slice(this.#recentHoles);
    copy.#recentBytes = this.#recentBytes;
    return copy;
  }

  get snapshot(): SnapshotMeta {
    return this.#snapshot;
  }

  get firstIndex(): Index {
    return this.#firstIndex;
  }

  get lastIndex(): Index {
    return this.#lastIndex;
  }

  get last(): Position {
    return { index: this.#lastIndex, term: this.termAt(this.#lastIndex) ?? 0 };
  }

  /** The configuration in force. */
  get configuration(): Configuration {
    return (this.#configurations.at(-1) as Configured).configuration;
  }

  get configurationIndex(): Index {
    return (this.#configurations.at(-1) as Configured).index;
  }

  /** The one that was in force at `index`, and where it stands. */
  configurationAt(index: Index): Configured {
    const found = this.#configurations.findLast((configured) => configured.index <= index);
    return found ?? (this.#configurations[0] as Configured);
  }

  /** undefined: not in the log, or no longer. */
  termAt(index: Index): Term | undefined {
    if (index === 0) return 0;
    if (index === this.#snapshot.index) return this.#snapshot.term;
    if (index < this.#firstIndex || index > this.#lastIndex) return undefined;
    return this.#runs.findLast((run) => run.index <= index)?.term;
  }

  /** Where the entries of the term at `index` begin, as far as the log goes back. */
  runStart(index: Index): Index {
    return this.#runs.findLast((run) => run.index <= index)?.index ?? index;
  }

  /** undefined: no entry of that term here. */
  lastOfTerm(term: Term): Index | undefined {
    const place = this.#runs.findIndex((run) => run.term === term);
    if (place < 0) return undefined;
    const next = this.#runs[place + 1];
    return next === undefined ? this.#lastIndex : next.index - 1;
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert.equal(entry.index, this.#lastIndex + 1, "entries follow each other");
      const last = this.#runs.at(-1);
      if (last?.term !== entry.term) {
        assert(last === undefined || last.term < entry.term, "terms do not go down along the log");
        this.#runs.push({ index: entry.index, term: entry.term });
      }
      this.#lastIndex = entry.index;
      this.#recent.push(entry);
      this.#recentBytes += entrySizeBytes(entry);
      this.#noteConfiguration(entry);
    }
  }

  truncateFrom(index: Index): void {
    assert(index > this.#snapshot.index, "what a snapshot covers is not cut");
    this.#lastIndex = Math.min(this.#lastIndex, index - 1);
    this.#runs = this.#runs.filter((run) => run.index < index);
    this.#configurations = this.#configurations.filter(
      (configured, place) => place === 0 || configured.index < index,
    );
    while ((this.#recent.at(-1)?.index ?? 0) >= index && this.#recent.length > this.#recentHoles) {
      this.#recentBytes -= entrySizeBytes(this.#recent.pop() as Entry);
    }
  }

  /**
   * Entries from `from` on, at least one if there is any, until a limit is reached.
   * @returns undefined when they are only on disk
   */
  recent(from: Index, maxCount: number, maxBytes: number): readonly Entry[] | undefined {
    if (from > this.#lastIndex) return [];
    const first = this.#recent[this.#recentHoles];
    if (first === undefined || from < first.index) return undefined;
    const start = this.#recentHoles + from - first.index;
    let bytes = 0;
    let end = start;
    while (end < this.#recent.length && end - start < maxCount) {
      bytes += entrySizeBytes(this.#recent[end] as Entry);
      if (bytes > maxBytes && end > start) break;
      end += 1;
    }
    return this.#recent.slice(start, end);
  }

  /** Lets go of recent entries up to `through`, oldest first, while they take more than `maxBytes`. */
  trimRecent(through: Index, maxBytes: number): void {
    while (this.#recentBytes > maxBytes) {
      const first = this.#recent[this.#recentHoles];
      if (first === undefined || first.index > through) return;
      this.#recentBytes -= entrySizeBytes(first);
      this.#recentHoles += 1;
    }
    if (this.#recentHoles > HOLES_MAX && this.#recentHoles * 2 > this.#recent.length) {
      this.#recent = this.#recent.slice(this.#recentHoles);
      this.#recentHoles = 0;
    }
  }

  /** A snapshot was taken. Entries up to `dropThrough`, which it covers, are gone. */
  compact(snapshot: SnapshotMeta, dropThrough: Index): void {
    assert(dropThrough <= snapshot.index, "only what the snapshot covers is dropped");
    this.#snapshot = snapshot;
    this.#forgetConfigurationsBefore(snapshot);
    if (dropThrough >= this.#firstIndex) this.#dropThrough(dropThrough);
  }

  /** The snapshot takes the place of the whole log. */
  resetTo(snapshot: SnapshotMeta): void {
    this.#snapshot = snapshot;
    this.#firstIndex = snapshot.index + 1;
    this.#lastIndex = snapshot.index;
    this.#runs = [];
    this.#recent = [];
    this.#recentHoles = 0;
    this.#recentBytes = 0;
    this.#configurations = [
      { index: snapshot.configurationIndex, configuration: snapshot.configuration },
    ];
  }

  #dropThrough(index: Index): void {
    this.#firstIndex = index + 1;
    const at = this.#runs.findLast((run) => run.index <= index + 1);
    const later = this.#runs.filter((run) => run.index > index + 1);
    const kept = at !== undefined && index + 1 <= this.#lastIndex;
    this.#runs = kept ? [{ index: index + 1, term: at.term }, ...later] : later;
    this.#trimThrough(index);
  }

  #trimThrough(index: Index): void {
    this.trimRecent(index, 0);
  }

  #noteConfiguration(entry: Entry): void {
    const configuration = configurationOf(entry);
    if (configuration !== undefined)
      this.#configurations.push({ index: entry.index, configuration });
  }

  #forgetConfigurationsBefore({ index, configuration, configurationIndex }: SnapshotMeta): void {
    this.#configurations = [
      { index: configurationIndex, configuration },
      ...this.#configurations.filter((configured) => configured.index > index),
    ];
  }
}
