/**
 * Carries out, one after the other and in the order they came, the changes of what is on the disk.
 *
 * Entries that come while a sync runs wait, and then go together into the next. While the disk is full or fails,
 * all wait, and what stands first is tried again and again: promises that wait are acknowledgements that stop.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import { pause, type Clock, type Logger } from "../platform/index.ts";
import type { Beginning } from "./segment-chain.ts";
import type { HardState, WalEntry } from "./wal-port.ts";

/** Entries of one write. A single call that brings more is not taken apart. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** Of entries that wait. */
export const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Changes that wait, each of which costs memory whatever its size. */
const WAITING_MAX = 65_536;
const RETRY_MS = 250;

/** What a change does once its turn has come. */
export interface WalDisk {
  write(entries: readonly WalEntry[], beginning: Beginning | undefined): Promise<void>;
  saveHardState(hardState: HardState): Promise<void>;
  /** After each change, or group of them, that has become durable. */
  settled(): void;
}

export type Outage = Readonly<{ kind: "full" | "failed"; reason: string }>;

type Change =
  | Readonly<{ kind: "append"; entries: readonly WalEntry[]; bytes: number }>
  | Readonly<{ kind: "begin"; beginning: Beginning }>
  | Readonly<{ kind: "hardState"; hardState: HardState }>
  /** Not repeated when it fails: whoever asked for it may ask again. */
  | Readonly<{ kind: "once"; act: () => Promise<void> }>;

interface Waiting {
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class WalWriter implements AsyncDisposable {
  readonly #disk: WalDisk;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onOutage: () => void;
  readonly #closing = new AbortController();
  #queue: Waiting[] = [];
  /** What is being carried out: the first ones of the queue until then. */
  #group: readonly Waiting[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  #outage: Outage | undefined;

  constructor(options: {
    readonly disk: WalDisk;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly onOutage: () => void;
  }) {
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onOutage = options.onOutage;
  }

  get outage(): Outage | undefined {
    return this.#outage;
  }

  /** The lowest index that may not be durable; Infinity when all are. */
  get undurableFrom(): number {
    return this.#all().reduce((lowest, { change }) => {
      const [first] = change.kind === "append" ? change.entries : [];
      return Math.min(lowest, first?.index ?? lowest);
    }, Number.POSITIVE_INFINITY);
  }

  /** @throws {RollcallError} `disk/failed` when there is no room for so much more */
  demandRoomFor(bytes: number): void {
    if (this.#closing.signal.aborted) throw closed();
    const tooMuch = this.#waitingBytes > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX;
    if (!tooMuch && this.#queue.length < WAITING_MAX) return;
    const detail = `the log's disk does not keep up: ${this.#waitingBytes} bytes wait for it`;
    throw new RollcallError("disk/failed", detail);
  }

  /** Resolves when `change` is durable, and all that came before it. */
  submit(change: Change): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject });
      if (change.kind === "append") this.#waitingBytes += change.bytes;
      this.#running ??= this.#run();
    });
  }

  /** Entries from `index` on that wait were cut away: whoever appended them must not go on as if they were there. */
  refuseFrom(index: number): void {
    for (const { change, reject } of this.#all()) {
      if (change.kind !== "append" || (change.entries.at(-1)?.index ?? 0) < index) continue;
      reject(
        new RollcallError("disk/failed", "the entries were cut away before they were durable"),
      );
    }
  }

  /** Carries out what waits, unless the disk does not take it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    // So that all that is appended in one turn shares a sync from the start.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      this.#group = this.#takeGroup();
      await this.#finish(this.#group);
      this.#group = [];
      this.#disk.settled();
    }
    this.#running = undefined;
  }

  async #finish(group: readonly Waiting[]): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      try {
        await this.#carryOut(group.map(({ change }) => change));
        if (group[0]?.change.kind !== "once") this.#setOutage(undefined);
        for (const { resolve } of group) resolve();
        break;
      } catch (error) {
        if (group[0]?.change.kind === "once") {
          for (const { reject } of group) reject(error);
          break;
        }
        this.#setOutage(outageOf(error));
        // Another file may do at once what one did not.
        if (failures > 0) await pause(this.#clock, RETRY_MS, this.#closing.signal);
        if (!this.#closing.signal.aborted) continue;
        for (const { reject } of [...group, ...this.#queue.splice(0)]) reject(error);
        break;
      }
    }
    for (const { change } of group) {
      if (change.kind === "append") this.#waitingBytes -= change.bytes;
    }
  }

  async #carryOut(changes: readonly Change[]): Promise<void> {
    const [first] = changes;
    const last = changes.at(-1);
    if (first?.kind === "once") await first.act();
    else if (last?.kind === "hardState") await this.#disk.saveHardState(last.hardState);
    else {
      const entries = changes.flatMap((change) => (change.kind === "append" ? change.entries : []));
      await this.#disk.write(entries, first?.kind === "begin" ? first.beginning : undefined);
    }
  }

  /** The first change, and those after it that can go with it. */
  #takeGroup(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { change } of this.#queue) {
      if (change.kind === "append") bytes += change.bytes;
      if (count > 0 && (bytes > BATCH_BYTES_MAX || !this.#goesAlong(change))) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  #goesAlong(change: Change): boolean {
    const first = this.#queue[0]?.change.kind;
    if (change.kind === "append") return first === "append" || first === "begin";
    return change.kind === "hardState" && first === "hardState";
  }

  #setOutage(outage: Outage | undefined): void {
    const before = this.#outage;
    if (before?.kind === outage?.kind && before?.reason === outage?.reason) return;
    this.#outage = outage;
    if (outage === undefined) this.#logger.info("the log's disk takes writes again");
    else this.#logger.error("the log's disk takes no writes", { error: outage.reason });
    this.#onOutage();
  }

  #all(): readonly Waiting[] {
    return [...this.#group, ...this.#queue];
  }
}

function outageOf(error: unknown): Outage {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const kind = code === "ENOSPC" || code === "EDQUOT" ? "full" : "failed";
  return { kind, reason: messageOf(error) };
}

function closed(): RollcallError {
  return new RollcallError("disk/failed", "the log is closed");
}
