/** For tests: disks that stop at a given call, stories to tell a log, and what must be left of them. */
import { noLogger, type Clock, type Disk, type DiskFile } from "../platform/index.ts";
import { openWal, type Wal, type WalEntry } from "./index.ts";

/** Small, so that short stories fill several. */
export const SMALL_SEGMENT_BYTES = 400;

export function entry(
  index: number,
  term: number,
  body = `entry ${index} of term ${term}`,
): WalEntry {
  return { index, term, bytes: new Uint8Array(Buffer.from(body)) };
}

export function entries(from: number, through: number, term: number): readonly WalEntry[] {
  return Array.from({ length: through - from + 1 }, (_, at) => entry(from + at, term));
}

export function openSmall(disk: Disk, clock: Clock, directory: string): Promise<Wal> {
  const logger = noLogger;
  return openWal({ disk, clock, directory, logger, segmentMaxBytes: SMALL_SEGMENT_BYTES });
}

/** All that can be read, and the indexes of what is reported as damaged. */
export async function contentOf(
  wal: Wal,
): Promise<{ readonly found: Model; readonly lost: readonly number[] }> {
  const { firstIndex, lastIndex } = wal;
  const lost: number[] = [];
  const all: WalEntry[] = [];
  for (let index = firstIndex; index <= lastIndex; index = nextIndex(all, lost)) {
    await wal.read(index, lastIndex, 1000).then(
      (read) => all.push(...read),
      () => lost.push(index),
    );
  }
  const previousTerm = wal.term(firstIndex - 1) ?? 0;
  return { found: { previousIndex: firstIndex - 1, previousTerm, entries: all }, lost };
}

function nextIndex(read: readonly WalEntry[], lost: readonly number[]): number {
  return 1 + Math.max(read.at(-1)?.index ?? 0, lost.at(-1) ?? 0);
}

export function shownEntry({ index, term, bytes }: WalEntry): string {
  return `${index}:${term} ${Buffer.from(bytes).toString("latin1")}`;
}

/** The plainest log there is. */
export interface Model {
  readonly previousIndex: number;
  readonly previousTerm: number;
  readonly entries: readonly WalEntry[];
}
export const EMPTY: Model = { previousIndex: 0, previousTerm: 0, entries: [] };

/** The index and term before the first entry, then the entries. */
export function shownModel({
  previousIndex,
  previousTerm,
  entries: all,
}: Model): readonly string[] {
  return [`@${previousIndex}:${previousTerm}`, ...all.map(shownEntry)];
}

export type Step =
  | Readonly<{ kind: "append"; entries: readonly WalEntry[] }>
  | Readonly<{ kind: "truncateFrom" | "dropThrough"; index: number }>
  | Readonly<{ kind: "resetTo"; index: number; term: number }>
  | Readonly<{ kind: "vote"; term: number; vote: string }>;

export function take(wal: Wal, step: Step): Promise<void> {
  switch (step.kind) {
    case "append":
      return wal.append(step.entries);
    case "truncateFrom":
      return wal.truncateFrom(step.index);
    case "dropThrough":
      return wal.dropThrough(step.index);
    case "resetTo":
      return wal.resetTo(step.index, step.term);
    case "vote":
      return wal.saveHardState({ term: step.term, vote: step.vote });
  }
}

/** What the log holds before `step`, and then, the last being after it; dropping aside. */
function outcomes(before: Model, step: Step): readonly Model[] {
  const { entries: all } = before;
  switch (step.kind) {
    case "append":
      return [...step.entries.keys(), step.entries.length].map((count) => {
        return { ...before, entries: [...all, ...step.entries.slice(0, count)] };
      });
    case "truncateFrom":
      return [before, { ...before, entries: all.filter(({ index }) => index < step.index) }];
    case "resetTo":
      return [before, { previousIndex: step.index, previousTerm: step.term, entries: [] }];
    case "dropThrough":
    case "vote":
      return [before];
  }
}

export function after(story: readonly Step[], before = EMPTY): Model {
  return story.reduce((model, step) => outcomes(model, step).at(-1) ?? model, before);
}

export interface Life {
  readonly before: Model;
  readonly acknowledged: readonly Step[];
  /** In order: if anything of one has happened, all those before it have. */
  readonly begun: readonly Step[];
}

/**
 * @param lost indexes that are reported as damaged
 * @returns whether a log that has been told so much may hold `found`
 */
export function mayHold(
  { before, acknowledged, begun }: Life,
  found: Model,
  lost: readonly number[] = [],
): boolean {
  const models = [after(acknowledged, before)];
  for (const step of begun) models.push(...outcomes(models.at(-1) ?? before, step));
  const dropped = [...acknowledged, ...begun].flatMap((step) =>
    step.kind === "dropThrough" ? [step.index] : [],
  );
  return models.some((model) => {
    const { previousIndex } = found;
    if (previousIndex < model.previousIndex) return false;
    if (previousIndex > Math.max(model.previousIndex, ...dropped)) return false;
    const expected = dropThrough(model, previousIndex);
    const readable = expected.entries.filter(({ index }) => !lost.includes(index));
    return shownModel({ ...expected, entries: readable }).join() === shownModel(found).join();
  });
}

function dropThrough({ previousTerm, entries: all }: Model, index: number): Model {
  return {
    previousIndex: index,
    previousTerm: all.find((one) => one.index === index)?.term ?? previousTerm,
    entries: all.filter((one) => one.index > index),
  };
}

/** Calls that change something, one after the other, until none is let through any more. */
export class StoppingDisk implements Disk {
  /** How many more calls are let through; the one after them is begun, and then nothing happens. */
  callsLeft: number;
  readonly calls: string[] = [];
  readonly #disk: Disk;
  readonly #files: DiskFile[] = [];
  #lastCall: Promise<unknown> | undefined;
  #stop: () => void = () => {};
  /** Resolves once a call has been begun that is not let through. */
  readonly stopped = new Promise<"stopped">((resolve) => {
    this.#stop = () => resolve("stopped");
  });

  constructor(disk: Disk, callsLeft = Number.POSITIVE_INFINITY) {
    this.#disk = disk;
    this.callsLeft = callsLeft;
  }

  read = (path: string) => this.#disk.read(path);
  list = (path: string) => this.#disk.list(path);
  replace = (path: string, bytes: Uint8Array) =>
    this.#change("replace", () => this.#disk.replace(path, bytes));
  makeDirectory = (path: string) =>
    this.#change("makeDirectory", () => this.#disk.makeDirectory(path));
  remove = (path: string) => this.#change("remove", () => this.#disk.remove(path));
  removeDirectory = (path: string) =>
    this.#change("removeDirectory", () => this.#disk.removeDirectory(path));

  async open(path: string): Promise<DiskFile> {
    const file = await this.#change("open", async () => {
      const opened = await this.#disk.open(path);
      this.#files.push(opened);
      return opened;
    });
    return {
      get sizeBytes() {
        return file.sizeBytes;
      },
      read: (offset, count) => file.read(offset, count),
      write: (offset, bytes) => this.#change("write", () => file.write(offset, bytes)),
      truncate: (sizeBytes) => this.#change("truncate", () => file.truncate(sizeBytes)),
      sync: () => this.#change("sync", () => file.sync()),
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  }

  /** Resolves once the last call that was begun has ended. */
  async settled(): Promise<void> {
    await this.#lastCall;
  }

  /** Closes what the process left open that is no more. */
  async closeFiles(): Promise<void> {
    await this.settled();
    for (const file of this.#files) await file[Symbol.asyncDispose]();
  }

  async #change<T>(call: string, act: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    this.callsLeft -= 1;
    if (this.callsLeft >= 0) return act();
    // The last call is under way when the disk stops; of those after it nothing is seen.
    if (this.callsLeft === -1) this.#lastCall = act().catch(() => undefined);
    this.#stop();
    return new Promise<never>(() => {});
  }
}
