/** What every log promises its readers, whether it is on a disk or not: beside the plainest log there is. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Wal } from "./index.ts";
import {
  after,
  contentOf,
  EMPTY,
  entries,
  entry,
  shownModel,
  take,
  type Model,
  type Step,
} from "./testkit.ts";

export interface PortSuiteOptions {
  /** A new log. */
  readonly make: () => Promise<Wal>;
  readonly runs: number;
}

export function portSuite(name: string, { make, runs }: PortSuiteOptions): void {
  describe(`a log ${name}`, () => {
    test("shows after each call, before it is durable, what the plainest log would hold", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
          await using wal = await make();
          let model = EMPTY;
          const calls: Promise<unknown>[] = [];
          for (const drawn of acts) {
            const step = stepOf(drawn, model);
            // Entries that are cut away before they are durable are refused, which is no news here.
            const taken = take(wal, step).catch(() => undefined);
            calls.push(taken);
            // How much of what is dropped is gone, the log says itself, once it is done.
            if (step.kind === "dropThrough") await taken;
            model = droppedLike(wal, after([step], model));
            await expectShows(wal, model);
          }
          await Promise.all(calls);
          await expectShows(wal, model);
        }),
        { numRuns: runs },
      );
    });

    test("remembers the last vote that was saved", async () => {
      await using wal = await make();
      expect(wal.hardState).toEqual({ term: 0, vote: "" });
      await Promise.all([
        wal.saveHardState({ term: 4, vote: "" }),
        wal.saveHardState({ term: 4, vote: "größer" }),
      ]);
      expect(wal.hardState).toEqual({ term: 4, vote: "größer" });
    });

    test("resolves in the order of the calls", async () => {
      await using wal = await make();
      const order: string[] = [];
      const note = (what: string) => () => order.push(what);
      await Promise.all([
        wal.append([entry(1, 1)]).then(note("first")),
        wal.saveHardState({ term: 2, vote: "a" }).then(note("vote")),
        wal.append([entry(2, 2)]).then(note("second")),
        wal.truncateFrom(3).then(note("nothing to cut")),
      ]);
      // Where there is nothing to cut, there is nothing to wait for.
      expect(order.filter((what) => what !== "nothing to cut")).toEqual([
        "first",
        "vote",
        "second",
      ]);
    });

    test("drops what it can up to its last entry, and still knows the term before what it keeps", async () => {
      await using wal = await make();
      for (let index = 1; index <= 60; index += 1) await wal.append([entry(index, 3)]);
      await wal.dropThrough(1000);
      const { firstIndex } = wal;
      expect(firstIndex).toBeGreaterThan(40);
      expect(wal.lastIndex).toBe(60);
      const terms = [firstIndex - 2, firstIndex - 1, 60].map((index) => wal.term(index));
      expect(terms).toEqual([undefined, 3, 3]);
      await wal.append([entry(61, 4)]);
      expect(await wal.read(61, 99, 0)).toEqual([entry(61, 4)]);
    });

    test("counts what it takes, and less once it is dropped", async () => {
      await using wal = await make();
      const empty = wal.sizeBytes;
      for (let index = 1; index <= 50; index += 1) await wal.append([entry(index, 1)]);
      expect(wal.sizeBytes - empty).toBeGreaterThan(50 * entry(1, 1).bytes.length);
      const full = wal.sizeBytes;
      await wal.dropThrough(50);
      expect(wal.sizeBytes).toBeLessThan(full / 2);
    });

    test("contradicts whoever leaves a gap, or asks for what is not there", async () => {
      await using wal = await make();
      await wal.append([entry(1, 1)]);
      await expect(wal.append([entry(3, 1)])).rejects.toThrow("entries follow each other");
      await expect(wal.append([entry(2, 0)])).rejects.toThrow("terms are from 1");
      await expect(wal.read(2, 2, 0)).rejects.toThrow("an entry that is there");
      expect(wal.lastIndex).toBe(1);
    });

    test("takes nothing once it is closed", async () => {
      const wal = await make();
      const last = wal.append([entry(1, 1)]);
      await wal[Symbol.asyncDispose]();
      await last;
      const refused = { code: "disk/failed", message: /closed/ };
      await expect(wal.append([entry(2, 1)])).rejects.toMatchObject(refused);
      await expect(wal.saveHardState({ term: 1, vote: "" })).rejects.toMatchObject(refused);
      await expect(wal.dropThrough(1)).rejects.toMatchObject(refused);
      await wal[Symbol.asyncDispose]();
    });
  });
}

interface Act {
  readonly kind: Step["kind"];
  /** Where in the log, from its first entry to its end. */
  readonly place: number;
  readonly count: number;
  readonly risesTerm: number;
}
const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom<Step["kind"]>(
    "append",
    "append",
    "append",
    "truncateFrom",
    "dropThrough",
    "resetTo",
  ),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  count: fc.integer({ min: 0, max: 20 }),
  risesTerm: fc.integer({ min: 0, max: 2 }),
});

function stepOf({ kind, place, count, risesTerm }: Act, model: Model): Step {
  const first = model.previousIndex + 1;
  const last = model.previousIndex + model.entries.length;
  const term = (model.entries.at(-1)?.term ?? model.previousTerm) + risesTerm;
  const at = first + Math.round(place * (last - first + 1));
  switch (kind) {
    case "append":
      return { kind, entries: entries(last + 1, last + count, Math.max(1, term)) };
    case "truncateFrom":
    case "dropThrough":
      return { kind, index: at };
    case "resetTo":
      return { kind, index: at + count, term: Math.max(1, term) };
    case "vote":
      return { kind, term, vote: "" };
  }
}

/** A log may keep more than it must, but not less. */
function droppedLike(wal: Wal, model: Model): Model {
  const previousIndex = wal.firstIndex - 1;
  const dropped = model.entries.filter(({ index }) => index <= previousIndex);
  expect(dropped.length).toBe(previousIndex - model.previousIndex);
  return {
    previousIndex,
    previousTerm: dropped.at(-1)?.term ?? model.previousTerm,
    entries: model.entries.slice(dropped.length),
  };
}

async function expectShows(wal: Wal, model: Model): Promise<void> {
  const { previousIndex, previousTerm, entries: all } = model;
  expect(wal.state).toBe("ok");
  expect(wal.firstIndex).toBe(previousIndex + 1);
  expect(wal.lastIndex).toBe(previousIndex + all.length);
  expect(wal.term(previousIndex)).toBe(previousTerm);
  expect(wal.term(wal.lastIndex + 1)).toBeUndefined();
  if (previousIndex > 1) expect(wal.term(previousIndex - 1)).toBeUndefined();
  for (const { index, term } of all) expect(wal.term(index)).toBe(term);
  const { found } = await contentOf(wal);
  expect(shownModel(found)).toEqual(shownModel(model));
}
