/**
 * Logs that live through several crashes. Goal: what was acknowledged is there after each, or is reported; what was
 * only torn is never reported as damage. Method: steps drawn from a seed and not waited for, batches over many
 * sectors that are torn in their middle, bodies of zeros that look like what was never written, and in the end a bit
 * that flips beside all that. `SEED=7` for others, `RUNS=10000` for more.
 */
import process from "node:process";
import { expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform, SimRandom, type SimPlatform } from "../platform/sim/index.ts";
import { openWal, type Wal } from "./index.ts";
import {
  contentOf,
  EMPTY,
  mayHold,
  shownModel,
  StoppingDisk,
  take,
  type Life,
  type Model,
  type Step,
} from "./testkit.ts";

const SEED = process.env["SEED"] ?? "1";
const RUNS = Number(process.env["RUNS"] ?? 300);
const LIVES = 4;
const SEGMENT_BYTES = 12_000;

test("what was acknowledged survives every crash, and torn writes are no damage", async () => {
  const seen = { kept: 0, cut: 0 };
  for (let run = 0; run < RUNS; run += 1) {
    const world = new World(`${SEED}/${run}`);
    let before = EMPTY;
    for (let life = 0; life < LIVES; life += 1) {
      const lived = await world.live(before);
      const { found, lost } = await world.look();
      const isRight = lost.length === 0 && mayHold(lived, found);
      if (!isRight) throw new Error(story(world.name, lived, found, lost));
      const appended = [...lived.acknowledged, ...lived.begun].some(isAppend);
      if (appended) seen[mayHold({ ...lived, begun: [] }, found) ? "cut" : "kept"] += 1;
      before = found;
    }
  }
  // Some of what was not acknowledged has been kept, and some has not, or the crashes came too late.
  expect(Math.min(seen.kept, seen.cut)).toBeGreaterThan(RUNS / 4);
});

test("a bit that flips beside a torn write hides nothing that was acknowledged", async () => {
  let reported = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const world = new World(`flip ${SEED}/${run}`);
    const first = await world.live(EMPTY);
    const { found: before } = await world.look();
    expect(mayHold(first, before)).toBe(true);
    const lived = await world.live(before);
    const flipped = await world.flip();
    const { found, lost } = await world.look();
    if (!mayHold(lived, found, lost)) throw new Error(story(world.name, lived, found, lost));
    reported += lost.length;
    expect(lost.length, `${world.name}: ${flipped}`).toBeLessThanOrEqual(1);
  }
  expect(reported).toBeGreaterThan(RUNS / 10);
});

/** A disk, and what happens to it. */
class World {
  readonly name: string;
  readonly #random: SimRandom;
  readonly #platform: SimPlatform;

  constructor(name: string) {
    this.name = name;
    this.#random = new SimRandom(name);
    this.#platform = simPlatform({ seed: name });
  }

  /** Opens the log, tells it some steps, and lets the power fail, wherever it is then. */
  async live(before: Model): Promise<Life> {
    const disk = new StoppingDisk(this.#platform.disk);
    const wal = await this.#open(disk);
    const steps: Step[] = [];
    let done = 0;
    for (let left = this.#random.between(1, 8); left > 0; left -= 1) {
      const step = this.#draw(wal);
      steps.push(step);
      const number = steps.length;
      const taken = take(wal, step).then(
        () => (done = Math.max(done, number)),
        // Entries that were cut away while they waited: what cut them is among the steps.
        () => undefined,
      );
      if (this.#random.chance(0.4)) await taken;
      else await this.#turns(10);
    }
    await this.#turns(60);
    disk.callsLeft = -1;
    this.#platform.disk.crash();
    return { before, acknowledged: steps.slice(0, done), begun: steps.slice(done) };
  }

  async look(): ReturnType<typeof contentOf> {
    await using wal = await this.#open(this.#platform.disk);
    return await contentOf(wal);
  }

  /** A bit of what was written to a segment. */
  async flip(): Promise<string> {
    const { disk } = this.#platform;
    const names = ((await disk.list("/wal")) ?? []).map(({ name }) => name);
    const segments = names.filter((name) => name.endsWith(".wal"));
    if (segments.length === 0) return "nothing";
    const path = `/wal/${segments[this.#random.between(0, segments.length - 1)]}`;
    const bytes = (await disk.read(path)) ?? new Uint8Array();
    const end = bytes.findLastIndex((byte) => byte !== 0);
    const [offset, bit] = [this.#random.between(0, end), this.#random.between(0, 7)];
    disk.flipBit(path, offset, bit);
    return `${path} ${offset}.${bit}`;
  }

  #open(disk: SimPlatform["disk"] | StoppingDisk): Promise<Wal> {
    const { clock } = this.#platform;
    const logger = noLogger;
    return openWal({ disk, clock, directory: "/wal", logger, segmentMaxBytes: SEGMENT_BYTES });
  }

  #draw(wal: Wal): Step {
    const { firstIndex, lastIndex } = wal;
    const kind = this.#random.between(0, 19);
    if (kind === 0)
      return { kind: "dropThrough", index: this.#random.between(firstIndex, lastIndex + 1) };
    if (kind === 1) return { kind: "vote", term: kind, vote: "a" };
    if (kind === 2 && this.#random.chance(0.2)) {
      return { kind: "resetTo", index: lastIndex + 5, term: (wal.term(lastIndex) ?? 0) + 1 };
    }
    if (kind < 6 && lastIndex >= firstIndex) {
      return { kind: "truncateFrom", index: this.#random.between(firstIndex, lastIndex) };
    }
    return { kind: "append", entries: this.#entries(lastIndex + 1, this.#random.between(1, 6)) };
  }

  #entries(from: number, count: number) {
    return Array.from({ length: count }, (_, at) => {
      // What follows a cut differs from what was there.
      const term = this.#random.between(1, 1_000_000);
      return { index: from + at, term, bytes: this.#body() };
    });
  }

  #body(): Uint8Array {
    const length = this.#random.between(0, [0, 20, 200, 2500][this.#random.between(0, 3)] ?? 0);
    const kind = this.#random.between(0, 2);
    if (kind === 0) return new Uint8Array(length);
    if (kind === 1) return Uint8Array.from({ length }, (_, at) => (at >> 9) & 1);
    return this.#random.bytes(length);
  }

  async #turns(most: number): Promise<void> {
    for (let left = this.#random.between(0, most); left > 0; left -= 1) await Promise.resolve();
  }
}

function isAppend({ kind }: Step): boolean {
  return kind === "append";
}

function story(name: string, life: Life, found: Model, lost: readonly number[] = []): string {
  const shown = (step: Step): string =>
    step.kind === "append"
      ? `append ${step.entries.map(({ index, bytes }) => `${index} (${bytes.length})`).join(", ")}`
      : JSON.stringify(step);
  const short = (model: Model): string => {
    const all = shownModel(model).map((line) => line.split(" ")[0]);
    return all.join(" ");
  };
  return [
    name,
    `before: ${short(life.before)}`,
    ...life.acknowledged.map((step) => `acknowledged: ${shown(step)}`),
    ...life.begun.map((step) => `begun: ${shown(step)}`),
    `found: ${short(found)}`,
    `lost: ${lost.join()}`,
  ].join("\n");
}
