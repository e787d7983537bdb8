/** What the log keeps in memory, each beside the plainest thing that does the same. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LostRanges } from "./lost-ranges.ts";
import { EntryRun } from "./entry-run.ts";
import { TermRuns } from "./term-runs.ts";
import { entry } from "./testkit.ts";

type Act =
  | Readonly<{ kind: "push" | "cut" | "drop" | "learn"; value: number }>
  | Readonly<{ kind: "remove"; value: number }>;
const acts = (...kinds: readonly Act["kind"][]): fc.Arbitrary<Act[]> =>
  fc.array(fc.record({ kind: fc.constantFrom(...kinds), value: fc.nat(20) }), { maxLength: 30 });

test("terms are those that were pushed, between what was dropped and what was cut", () => {
  fc.assert(
    fc.property(
      fc.nat(5),
      fc.nat(3),
      acts("push", "cut", "drop", "learn"),
      (base, baseTerm, all) => {
        const runs = new TermRuns(base, baseTerm);
        let known = new Map([[base, baseTerm]]);
        let [first, last] = [base, base];
        for (const { kind, value } of all) {
          if (kind === "push") {
            last += 1;
            known.set(last, value % 4);
            runs.push(value % 4);
          } else if (kind === "cut" && value > first) {
            last = Math.min(last, value - 1);
            runs.cutFrom(value);
          } else if (kind === "drop" && value <= last) {
            first = Math.max(first, value);
            runs.dropBefore(value);
          } else if (
            kind === "learn" &&
            value >= first &&
            value <= last &&
            known.get(value) === 0
          ) {
            known.set(value, 9);
            runs.learn(value, 9);
          }
          known = new Map([...known].filter(([index]) => index >= first && index <= last));
          expect(runs.lastIndex).toBe(last);
          for (let index = 0; index <= last + 2; index += 1) {
            const term = known.get(index) === 0 ? undefined : known.get(index);
            expect(runs.term(index)).toBe(index === 0 ? 0 : term);
          }
        }
      },
    ),
  );
});

test("what is lost is a set of indexes, told from the lowest on", () => {
  fc.assert(
    fc.property(acts("push", "cut", "drop", "remove"), (all) => {
      const ranges = new LostRanges();
      let lost = new Set<number>();
      for (const { kind, value } of all) {
        if (kind === "push") {
          ranges.add(value);
          lost.add(value);
        } else if (kind === "cut") {
          ranges.cutFrom(value);
          lost = new Set([...lost].filter((index) => index < value));
        } else if (kind === "drop") {
          ranges.dropBefore(value);
          lost = new Set([...lost].filter((index) => index >= value));
        } else {
          ranges.remove(value);
          lost.delete(value);
        }
        const fromIndex = Math.min(...lost);
        let throughIndex = fromIndex;
        while (lost.has(throughIndex + 1)) throughIndex += 1;
        expect(ranges.lowest).toEqual(lost.size === 0 ? undefined : { fromIndex, throughIndex });
      }
    }),
  );
});

test("entries in memory are let go of from the oldest on, but none from the given one on", () => {
  const keptBytesMax = 100_000;
  const run = new EntryRun();
  expect(run.firstIndex).toBe(Number.POSITIVE_INFINITY);
  const body = "x".repeat(1000);
  const count = Math.ceil((2 * keptBytesMax) / body.length);
  for (let index = 1; index <= count; index += 1) run.push(entry(index, 1, body));
  run.trimBefore(1, keptBytesMax);
  expect(run.firstIndex).toBe(1);
  run.trimBefore(11, keptBytesMax);
  expect(run.firstIndex).toBe(11);
  run.trimBefore(Number.POSITIVE_INFINITY, keptBytesMax);
  const left = count - run.firstIndex + 1;
  expect(run.sizeBytes).toBeGreaterThan(left * body.length);
  expect(run.sizeBytes).toBeLessThanOrEqual(keptBytesMax);
  expect(left * body.length).toBeGreaterThan(keptBytesMax / 2);
  expect(run.read(run.firstIndex, count, 1500)).toEqual([entry(run.firstIndex, 1, body)]);
  expect(run.read(count - 1, count + 5, 5000)).toEqual([
    entry(count - 1, 1, body),
    entry(count, 1, body),
  ]);
  run.cutFrom(count);
  run.push(entry(count, 2));
  expect(run.read(count, count, 0)).toEqual([entry(count, 2)]);
  run.cutFrom(1);
  expect(run.firstIndex).toBe(Number.POSITIVE_INFINITY);
  expect(run.sizeBytes).toBe(0);
  run.push(entry(1, 3));
  expect(run.read(1, 1, 0)).toEqual([entry(1, 3)]);
});
