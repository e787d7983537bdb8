/**
 * What a log promises of power failures and of bits that rot, held against a disk: the simulated one, which loses
 * and tears what was not synced, and the real one, of which a crash leaves what the files hold at that moment.
 */
import { describe, expect, test } from "vitest";
import type { Clock, Disk } from "../platform/index.ts";
import type { HardState } from "./index.ts";
import { RECORD_HEAD_BYTES } from "./segment-format.ts";
import {
  after,
  contentOf,
  entries,
  entry,
  openSmall,
  EMPTY,
  mayHold,
  shownModel,
  StoppingDisk,
  take,
  type Life,
  type Step,
} from "./testkit.ts";

export interface DurabilitySubject extends AsyncDisposable {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Where the log is, now. */
  readonly directory: string;
  /** The power fails, while `stopped` may still be about its last call. */
  crash(stopped?: StoppingDisk): Promise<void>;
}

export interface DurabilityOptions {
  readonly make: (seed: number) => Promise<DurabilitySubject>;
  /** How often each crash is tried, with different losses. */
  readonly seeds: number;
  /** Which of a byte's bits are flipped. */
  readonly bitsOf: (offset: number) => readonly number[];
}

/** With all that may happen to a log, over several segments. */
const STORY: readonly Step[] = [
  { kind: "vote", term: 1, vote: "a" },
  { kind: "append", entries: entries(1, 1, 1) },
  { kind: "append", entries: entries(2, 6, 1) },
  { kind: "append", entries: entries(7, 8, 2) },
  { kind: "append", entries: [entry(9, 2, "\0".repeat(1500))] },
  { kind: "vote", term: 3, vote: "" },
  { kind: "append", entries: entries(10, 12, 3) },
  { kind: "truncateFrom", index: 11 },
  { kind: "append", entries: entries(11, 14, 4) },
  { kind: "truncateFrom", index: 5 },
  { kind: "vote", term: 5, vote: "somebody with a longer name" },
  { kind: "append", entries: entries(5, 9, 5) },
  { kind: "append", entries: entries(10, 15, 5) },
  { kind: "dropThrough", index: 9 },
  { kind: "append", entries: entries(16, 22, 5) },
  { kind: "resetTo", index: 40, term: 6 },
  { kind: "append", entries: entries(41, 43, 6) },
  { kind: "append", entries: entries(44, 60, 6) },
  { kind: "dropThrough", index: 60 },
  { kind: "append", entries: entries(61, 61, 6) },
];
/** Ends with a log of three segments, of the last two batches of which nothing else tells that they were synced. */
const SHORT_STORY: readonly Step[] = [
  { kind: "vote", term: 1, vote: "a" },
  { kind: "append", entries: entries(1, 3, 1) },
  { kind: "append", entries: [entry(4, 1, ""), entry(5, 1, "\0".repeat(20))] },
  { kind: "vote", term: 2, vote: "b" },
  { kind: "append", entries: entries(6, 8, 2) },
  { kind: "truncateFrom", index: 7 },
  { kind: "append", entries: entries(7, 7, 3) },
  { kind: "append", entries: entries(8, 9, 3) },
];

export function durabilitySuite(name: string, options: DurabilityOptions): void {
  describe(`on a ${name} disk`, () => {
    test("whichever call the power fails at, all that was acknowledged is there, and nothing is damaged", async () => {
      const calls = await callsOf(STORY, options);
      expect(calls).toBeGreaterThan(50);
      for (let callsLeft = 0; callsLeft <= calls; callsLeft += 1) {
        for (let seed = 0; seed < options.seeds; seed += 1) {
          await using subject = await options.make(seed);
          await expectKept(await tell(STORY, subject, callsLeft), subject);
        }
      }
    });

    test("also when it fails again while the log is being opened", async () => {
      const calls = await callsOf(SHORT_STORY, options);
      for (let seed = 0; seed < options.seeds; seed += 1) {
        for (let callsLeft = calls - 3; callsLeft <= calls; callsLeft += 1) {
          for (let again = 0; again < 8; again += 1) {
            await using subject = await options.make(seed);
            const told = await tell(SHORT_STORY, subject, callsLeft);
            await tell([], subject, again);
            await expectKept(told, subject);
          }
        }
      }
    });

    test("whichever bit flips, the one entry that it belongs to is reported, and can be put back", async () => {
      await using subject = await options.make(1);
      await tell(SHORT_STORY, subject, Number.POSITIVE_INFINITY);
      await flipEach(subject, options);
    });
  });
}

interface Told extends Life {
  readonly disk: StoppingDisk;
}

/** Takes step after step until the disk stops, or the story ends; then the power fails. */
async function tell(
  story: readonly Step[],
  subject: DurabilitySubject,
  callsLeft: number,
): Promise<Told> {
  const disk = new StoppingDisk(subject.disk, callsLeft);
  const opened = await Promise.race([
    openSmall(disk, subject.clock, subject.directory),
    disk.stopped,
  ]);
  let done = 0;
  if (opened !== "stopped") {
    for (const step of story) {
      const taken = take(opened, step);
      if ((await Promise.race([taken, disk.stopped])) === "stopped") break;
      done += 1;
    }
  }
  await subject.crash(disk);
  await disk.closeFiles();
  const [acknowledged, begun] = [story.slice(0, done), story.slice(done, done + 1)];
  return { before: EMPTY, acknowledged, begun, disk };
}

async function callsOf(story: readonly Step[], { make }: DurabilityOptions): Promise<number> {
  await using subject = await make(0);
  const { disk } = await tell(story, subject, Number.POSITIVE_INFINITY);
  return disk.calls.length;
}

async function expectKept(told: Told, subject: DurabilitySubject): Promise<void> {
  const { disk, clock, directory } = subject;
  let wal = await openSmall(disk, clock, directory);
  const { found, lost } = await contentOf(wal);
  expect(lost).toEqual([]);
  expect(wal.state).toBe("ok");
  expect(mayHold(told, found), shownModel(found).join("\n")).toBe(true);
  expect(votesOf(told)).toContainEqual(wal.hardState);

  const next = entry(wal.lastIndex + 1, 9);
  await wal.append([next]);
  await wal[Symbol.asyncDispose]();
  wal = await openSmall(disk, clock, directory);
  expect((await wal.read(next.index, next.index, 1000))[0]).toEqual(next);
  await wal[Symbol.asyncDispose]();
}

/** The last one that was acknowledged, and one that may have come after it. */
function votesOf({ acknowledged, begun }: Told): readonly HardState[] {
  const votesIn = (steps: readonly Step[]): readonly HardState[] =>
    steps.flatMap((step) => (step.kind === "vote" ? [{ term: step.term, vote: step.vote }] : []));
  const last = votesIn(acknowledged).at(-1) ?? { term: 0, vote: "" };
  return [last, ...votesIn(begun)];
}

/** Each from the files as they are at first. */
async function flipEach(
  { disk, clock, directory }: DurabilitySubject,
  { bitsOf }: DurabilityOptions,
): Promise<void> {
  const files = await filesIn(disk, directory);
  const model = after(SHORT_STORY);
  let flipped = 0;
  let harmful = 0;
  let restored = [...files.keys()];
  for (const [flippedName, bytes] of files) {
    for (const offset of bytes.keys()) {
      for (const bit of bitsOf(offset)) {
        for (const name of restored)
          await disk.replace(`${directory}/${name}`, files.get(name) ?? bytes);
        const rotten = bytes.slice();
        rotten[offset] = (rotten[offset] ?? 0) ^ (1 << bit);
        await disk.replace(`${directory}/${flippedName}`, rotten);
        const wal = await openSmall(disk, clock, directory);
        const where = `${flippedName} ${offset}.${bit}`;
        const { found, lost } = await contentOf(wal);
        const [index] = lost;
        expect(wal.hardState, where).toEqual({ term: 2, vote: "b" });
        expect(lost.length, where).toBeLessThanOrEqual(1);
        const kept = { ...model, entries: model.entries.filter((one) => one.index !== index) };
        expect(shownModel(found), where).toEqual(shownModel(kept));
        const range = { kind: "corrupt", fromIndex: index, throughIndex: index };
        expect(wal.state, where).toEqual(index === undefined ? "ok" : range);
        flipped += 1;
        if (index !== undefined) {
          harmful += 1;
          await wal.repair(model.entries.filter((one) => one.index === index));
          expect(wal.state).toBe("ok");
          expect(shownModel((await contentOf(wal)).found)).toEqual(shownModel(model));
        }
        await wal[Symbol.asyncDispose]();
        // Opening writes to the last segment, repairing to the one that is damaged.
        restored =
          (await filesIn(disk, directory)).size === files.size
            ? changedBy(files, flippedName)
            : [...files.keys()];
      }
    }
  }
  expect(flipped).toBeGreaterThan(200);
  if (bitsOf(0).length < 8) return;
  const recordedBytes = model.entries.reduce(
    (sum, one) => sum + RECORD_HEAD_BYTES + one.bytes.length,
    0,
  );
  expect(harmful).toBe(8 * recordedBytes);
}

function changedBy(files: ReadonlyMap<string, Uint8Array>, flipped: string): string[] {
  const last = [...files.keys()].findLast((name) => name.endsWith(".wal"));
  return [...new Set([flipped, last ?? flipped])];
}

async function filesIn(disk: Disk, directory: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { name } of (await disk.list(directory)) ?? []) {
    const bytes = await disk.read(`${directory}/${name}`);
    if (bytes !== undefined) files.set(name, new Uint8Array(bytes));
  }
  return files;
}
