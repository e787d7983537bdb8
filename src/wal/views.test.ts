/** What the log keeps in memory, each beside the plainest thing that does the same. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LostRanges } from "./lost-ranges.ts";
import { RECENT_BYTES_MAX, RecentEntries } from "./recent-entries.ts";
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

test("recent entries are let go of from the oldest on, but none that is not durable", () => {
  const recent = new RecentEntries();
  expect(recent.firstIndex).toBe(Number.POSITIVE_INFINITY);
  const body = "x".repeat(1000);
  const count = Math.ceil((2 * RECENT_BYTES_MAX) / body.length);
  for (let index = 1; index <= count; index += 1) recent.push(entry(index, 1, body));
  recent.trimBefore(1);
  expect(recent.firstIndex).toBe(1);
  recent.trimBefore(11);
  expect(recent.firstIndex).toBe(11);
  recent.trimBefore(Number.POSITIVE_INFINITY);
  const left = count - recent.firstIndex + 1;
  expect(left * body.length).toBeLessThanOrEqual(RECENT_BYTES_MAX);
  expect(left * body.length).toBeGreaterThan(RECENT_BYTES_MAX / 2);
  expect(recent.read(recent.firstIndex, count, 1500)).toEqual([entry(recent.firstIndex, 1, body)]);
  expect(recent.read(count - 1, count + 5, 5000)).toEqual([
    entry(count - 1, 1, body),
    entry(count, 1, body),
  ]);
  recent.cutFrom(count);
  recent.push(entry(count, 2));
  expect(recent.read(count, count, 0)).toEqual([entry(count, 2)]);
  recent.cutFrom(1);
  expect(recent.firstIndex).toBe(Number.POSITIVE_INFINITY);
  recent.push(entry(1, 3));
  expect(recent.read(1, 1, 0)).toEqual([entry(1, 3)]);
});
