/**
 * The log as its readers see it, in front of what is on the disk.
 *
 *     append ─► terms, recent entries ──────────► lastIndex, term, read
 *         └───► queue (wal-writer.ts) ─► segments (segment-chain.ts) ─► the promise resolves
 *
 * Read segment-format.ts for the files, segment-scan.ts for what may have happened to them.
 */
import { strict as assert } from "node:assert";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Disk, Logger } from "../platform/index.ts";
import { EntryRun } from "./entry-run.ts";
import { NO_HARD_STATE, readHardState, writeHardState } from "./hard-state.ts";
import { LostRanges } from "./lost-ranges.ts";
import { recoverSegments, type Recovered } from "./recover.ts";
import { SegmentChain } from "./segment-chain.ts";
import { TermRuns } from "./term-runs.ts";
import type { HardState, Wal, WalEntry, WalOptions, WalState } from "./wal-port.ts";
import { WalWriter } from "./wal-writer.ts";

const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
/** With room for a segment that is too large because of its only batch. */
const OFFSET_MAX = 2 ** 31;
/** Of the newest entries, which stay in memory: followers that keep up are fed from there. */
const RECENT_BYTES_MAX = 4 * 1024 * 1024;

/**
 * @throws {RollcallError} `disk/failed` when the disk does, or when term and vote are gone: a server that does not
 *   know them must not go on under its name. Corrupt entries are told by `state`.
 */
export async function openWal(options: WalOptions): Promise<Wal> {
  const { disk, directory, logger, segmentMaxBytes = SEGMENT_BYTES_MAX } = options;
  assert(segmentMaxBytes <= OFFSET_MAX, "offsets have 32 bits");
  await disk.makeDirectory(directory);
  const stored = await readHardState(disk, directory);
  const recovered = await recoverSegments({ disk, directory, logger });
  const chain = new SegmentChain({ disk, directory, segmentMaxBytes }, recovered);
  try {
    const hardState = stored ?? (await firstHardState(options, recovered));
    await chain.settle((index) => recovered.terms.term(index));
    await chain.removeGarbage().catch((error: unknown) => {
      logger.warn("cannot remove old segments", { error: messageOf(error) });
    });
    return new SegmentedWal(options, { chain, recovered, hardState });
  } catch (error) {
    await chain[Symbol.asyncDispose]();
    throw error;
  }
}

/** Written before the first segment, so that it is missed once it is gone. */
async function firstHardState(
  { disk, directory }: WalOptions,
  { nextSequence }: Recovered,
): Promise<HardState> {
  if (nextSequence > 1) {
    throw new RollcallError("disk/failed", `open ${directory}: term and vote are missing`);
  }
  await writeHardState(disk, directory, NO_HARD_STATE);
  return NO_HARD_STATE;
}

class SegmentedWal implements Wal {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #chain: SegmentChain;
  readonly #writer: WalWriter;
  /** The newest; among them whatever is not durable yet, which is nowhere else. */
  readonly #recent = new EntryRun();
  readonly #lost = new LostRanges();
  readonly #listeners = new Set<(state: WalState) => void>();
  #terms: TermRuns;
  #firstIndex: number;
  #hardState: HardState;
  #shown: WalState = "ok";

  constructor(
    { disk, clock, directory, logger }: WalOptions,
    found: {
      readonly chain: SegmentChain;
      readonly recovered: Recovered;
      readonly hardState: HardState;
    },
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.#logger = logger;
    this.#chain = found.chain;
    this.#terms = found.recovered.terms;
    this.#firstIndex = found.chain.firstIndex;
    this.#hardState = found.hardState;
    for (const index of found.recovered.lost) this.#lost.add(index);
    this.#writer = new WalWriter({
      disk: {
        write: (entries, beginning) => this.#chain.write(entries, beginning),
        saveHardState: (hardState) => this.#saveHardState(hardState),
        settled: () => this.#recent.trimBefore(this.#writer.undurableFrom, RECENT_BYTES_MAX),
      },
      clock,
      logger,
      onOutage: () => this.#show(),
    });
    this.#show();
  }

  get firstIndex(): number {
    return this.#firstIndex;
  }

  get lastIndex(): number {
    return this.#terms.lastIndex;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get state(): WalState {
    return this.#shown;
  }

  get sizeBytes(): number {
    return this.#chain.sizeBytes;
  }

  term(index: number): number | undefined {
    return this.#terms.term(index);
  }

  subscribe(listener: (state: WalState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async append(entries: readonly WalEntry[]): Promise<void> {
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    this.#writer.demandRoomFor(bytes);
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, "entries follow each other");
      assert(Number.isSafeInteger(entry.term) && entry.term > 0, "terms are from 1");
      this.#terms.push(entry.term);
      this.#recent.push(entry);
    }
    if (entries.length > 0) await this.#writer.submit({ kind: "append", entries, bytes });
  }

  async truncateFrom(index: number): Promise<void> {
    assert(index >= this.#firstIndex, "what is gone cannot be cut");
    if (index > this.lastIndex) return;
    const previousIndex = index - 1;
    const previousTerm = this.term(previousIndex) ?? 0;
    this.#terms.cutFrom(index);
    this.#recent.cutFrom(index);
    this.#lost.cutFrom(index);
    this.#writer.refuseFrom(index);
    this.#show();
    const beginning = { previousIndex, previousTerm, forgets: false };
    await this.#writer.submit({ kind: "begin", beginning });
  }

  async resetTo(index: number, term: number): Promise<void> {
    assert(Number.isSafeInteger(index) && index >= 0, "an index");
    this.#terms = new TermRuns(index, term);
    this.#recent.clear();
    this.#lost.cutFrom(0);
    this.#firstIndex = index + 1;
    this.#writer.refuseFrom(0);
    this.#show();
    const beginning = { previousIndex: index, previousTerm: term, forgets: true };
    await this.#writer.submit({ kind: "begin", beginning });
  }

  async dropThrough(index: number): Promise<void> {
    const terms = this.#terms;
    const act = (): Promise<void> => {
      // What was cut away since is not to take with it what comes in its place.
      const removed = this.#chain.dropThrough(Math.min(index, this.lastIndex));
      const wasReset = terms !== this.#terms;
      if (!wasReset) this.#dropBefore(this.#chain.firstIndex);
      return removed;
    };
    await this.#writer.submit({ kind: "once", act });
  }

  async repair(entries: readonly WalEntry[]): Promise<void> {
    const act = async (): Promise<void> => {
      const repaired = await this.#chain.repair(entries, (index) => this.term(index));
      for (const { index, term } of repaired) {
        this.#lost.remove(index);
        this.#terms.learn(index, term);
      }
      this.#logger.info("put back damaged entries", { entries: repaired.length });
      this.#show();
    };
    await this.#writer.submit({ kind: "once", act });
  }

  async read(from: number, through: number, maxBytes: number): Promise<readonly WalEntry[]> {
    assert(from >= this.#firstIndex && from <= this.lastIndex, "an entry that is there");
    if (from >= this.#recent.firstIndex) return this.#recent.read(from, through, maxBytes);
    const stored = Math.min(through, this.#recent.firstIndex - 1);
    try {
      const { entries, damaged } = await this.#chain.read(from, stored, maxBytes);
      if (damaged === undefined) return this.#stillThere(entries);
    } catch (error) {
      if (this.#isStored(from)) throw error;
    }
    if (!this.#isStored(from)) return [];
    this.#lost.add(from);
    this.#show();
    throw new RollcallError("disk/failed", `entry ${from} of the log is corrupt`);
  }

  async saveHardState(hardState: HardState): Promise<void> {
    await this.#writer.submit({ kind: "hardState", hardState });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
    await this.#chain[Symbol.asyncDispose]();
  }

  async #saveHardState(hardState: HardState): Promise<void> {
    await writeHardState(this.#disk, this.#directory, hardState);
    this.#hardState = hardState;
  }

  #dropBefore(index: number): void {
    this.#firstIndex = index;
    this.#terms.dropBefore(index - 1);
    this.#lost.dropBefore(index);
    this.#show();
  }

  /** Whether it is there, and on the disk only. */
  #isStored(index: number): boolean {
    return (
      index >= this.#firstIndex && index < Math.min(this.#recent.firstIndex, this.lastIndex + 1)
    );
  }

  /** Up to where they were cut away while they were read. */
  #stillThere(entries: readonly WalEntry[]): readonly WalEntry[] {
    const gone = entries.findIndex(({ index, term }) => {
      return index < this.#firstIndex || this.term(index) !== term;
    });
    return gone === -1 ? entries : entries.slice(0, gone);
  }

  #show(): void {
    const { lowest } = this.#lost;
    const corrupt = lowest === undefined ? "ok" : ({ kind: "corrupt", ...lowest } as const);
    const state = this.#writer.outage ?? corrupt;
    if (isSame(state, this.#shown)) return;
    this.#shown = state;
    if (corrupt !== "ok") this.#logger.error("entries of the log are corrupt", { ...lowest });
    for (const listener of this.#listeners) listener(state);
  }
}

function isSame(a: WalState, b: WalState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
