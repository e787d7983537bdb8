/**
 * The file from which a node that restarts knows whom to join and which events it has seen (serf.md §10).
 *
 * Lines are appended twice a second, and rewritten from the state in memory when they have become many. Nothing
 * is synced but an intended leave: what power loss takes away costs a join that others would have made easier,
 * while a forgotten leave would bring a node back that was sent away. Whatever goes wrong with the disk is
 * logged, and the whole state is written half a minute later.
 */
import { dirname } from "node:path";
import { messageOf } from "../errors/index.ts";
import type { Clock, Disk, DiskFile, Instant, Logger, Meter } from "../platform/index.ts";
import { encodeSnapshotLine, type SnapshotLine } from "../wire/index.ts";
import { replaySnapshot, type Replayed, type SnapshotState } from "./snapshot-replay.ts";

const FLUSH_INTERVAL_MS = 500;
const RETRY_AFTER_MS = 30_000;
const BYTES_PER_MEMBER = 128;
/** The file may be so much larger than what a rewrite would probably leave. */
const GROWTH_FACTOR = 2;
const COMPACT_FROM_BYTES = 128 * 1024;
/** What waits for a slow disk. More than that is not kept as lines: the state is written as a whole. */
const PENDING_CHARACTERS_MAX = 256 * 1024;

export interface SnapshotNeeds {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly metrics: Meter;
  readonly path: string;
  /** What a file that ends with an intended leave stands for. */
  readonly afterLeave: "forget" | "rejoin";
  /** The last time of the membership clock that was seen. */
  readonly lastSeenTime: () => number;
}

/** Members to join, and the last times that were seen. */
export interface Recovered {
  readonly members: readonly { readonly name: string; readonly address: string }[];
  readonly clock: number;
  readonly eventClock: number;
  readonly queryClock: number;
}

/**
 * Makes the file, and its folder, where there is none.
 * @throws {RollcallError} `disk/failed`
 */
export async function openSnapshot(needs: SnapshotNeeds): Promise<Snapshot> {
  const { disk, path, logger, afterLeave } = needs;
  await disk.makeDirectory(dirname(path));
  const bytes = (await disk.read(path)) ?? new Uint8Array(0);
  const replayed = replaySnapshot(bytes, afterLeave, (error) =>
    logger.warn(`serf: Unrecognized snapshot line: ${messageOf(error)}`),
  );
  const file = await disk.open(path);
  await file.truncate(replayed.wholeBytes);
  return new Snapshot(needs, file, replayed);
}

export class Snapshot implements AsyncDisposable {
  readonly recovered: Recovered;
  readonly #needs: SnapshotNeeds;
  readonly #state: SnapshotState;
  #file: DiskFile | undefined;
  #sizeBytes: number;
  #pending = "";
  #isWhole = true;
  #retryAt: Instant | undefined;
  #left = false;
  #closed = false;
  #timer: Disposable;
  /** Work on the file, one after the other. It never rejects. */
  #work: Promise<void> = Promise.resolve();

  constructor(needs: SnapshotNeeds, file: DiskFile, { state, wholeBytes }: Replayed) {
    this.#needs = needs;
    this.#file = file;
    this.#state = state;
    this.#sizeBytes = wholeBytes;
    const { clock, eventClock, queryClock } = state;
    const members = Array.from(state.alive, ([name, address]) => ({ name, address }));
    this.recovered = { members, clock, eventClock, queryClock };
    this.#timer = this.#arm();
  }

  alive(name: string, address: string): void {
    // Such a name would be a line of its own.
    if (name.includes("\n")) return;
    this.#record({ kind: "alive", name, address });
  }

  notAlive(name: string): void {
    if (name.includes("\n")) return;
    this.#record({ kind: "not-alive", name });
  }

  eventSeen(time: number): void {
    if (time > this.#state.eventClock) this.#record({ kind: "event-clock", time });
  }

  querySeen(time: number): void {
    if (time > this.#state.queryClock) this.#record({ kind: "query-clock", time });
  }

  /** Resolves once the intention to leave survives power loss; nothing is recorded after it. */
  async leave(): Promise<void> {
    this.#record({ kind: "leave" });
    this.#left = true;
    await this.#flush("sync");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return this.#work;
    this.#recordTime();
    this.#closed = true;
    this.#timer[Symbol.dispose]();
    await this.#flush("sync");
    await this.#file?.[Symbol.asyncDispose]();
  }

  #record(line: Exclude<SnapshotLine, { kind: "skipped" }>): void {
    if (this.#left || this.#closed) return;
    this.#state.apply(line, this.#needs.afterLeave);
    if (!this.#isWhole) return;
    this.#pending += encodeSnapshotLine(line);
    if (this.#pending.length > PENDING_CHARACTERS_MAX) this.#giveUpLines();
  }

  #recordTime(): void {
    const time = this.#needs.lastSeenTime();
    if (time > this.#state.clock) this.#record({ kind: "clock", time });
  }

  /** From here on the file lacks something, until it is rewritten. */
  #giveUpLines(): void {
    this.#pending = "";
    this.#isWhole = false;
  }

  #arm(): Disposable {
    return this.#needs.clock.after(FLUSH_INTERVAL_MS, () => {
      this.#recordTime();
      void this.#flush("buffer").then(() => {
        if (!this.#closed) this.#timer = this.#arm();
      });
    });
  }

  #flush(how: "buffer" | "sync"): Promise<void> {
    this.#work = this.#work.then(() => this.#write(how));
    return this.#work;
  }

  async #write(how: "buffer" | "sync"): Promise<void> {
    const { clock, logger } = this.#needs;
    if (how === "buffer" && this.#retryAt !== undefined && clock.now() < this.#retryAt) return;
    try {
      const mayHoldBytes = Math.max(
        BYTES_PER_MEMBER * GROWTH_FACTOR * this.#state.alive.size,
        COMPACT_FROM_BYTES,
      );
      if (!this.#isWhole || this.#sizeBytes > mayHoldBytes) await this.#rewrite();
      else await this.#append();
      if (how === "sync") await this.#file?.sync();
      this.#retryAt = undefined;
    } catch (error) {
      logger.error(`serf: Failed to update snapshot: ${messageOf(error)}`);
      this.#giveUpLines();
      this.#retryAt = (clock.now() + RETRY_AFTER_MS) as Instant;
    }
  }

  async #append(): Promise<void> {
    if (this.#pending === "") return;
    const { clock, metrics } = this.#needs;
    const startedAt = clock.now();
    const bytes = Buffer.from(this.#pending);
    this.#pending = "";
    await this.#file?.write(this.#sizeBytes, bytes);
    this.#sizeBytes += bytes.length;
    metrics.sample("serf.snapshot.appendLine", clock.now() - startedAt);
  }

  async #rewrite(): Promise<void> {
    const { clock, disk, metrics, path } = this.#needs;
    const startedAt = clock.now();
    const left = this.#left ? encodeSnapshotLine({ kind: "leave" }) : "";
    const bytes = Buffer.from(this.#state.lines() + left);
    this.#pending = "";
    this.#isWhole = true;
    await disk.replace(path, bytes);
    await this.#file?.[Symbol.asyncDispose]();
    this.#file = undefined;
    this.#file = await disk.open(path);
    this.#sizeBytes = bytes.length;
    metrics.sample("serf.snapshot.compact", clock.now() - startedAt);
  }
}
