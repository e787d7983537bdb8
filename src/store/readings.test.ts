import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Cells } from "./cells.ts";
import { Reading, Readings, type ReadingWaiter } from "./readings.ts";

const MAX_WEIGHT = 100;

/** Says how often somebody looked whether it is waited on: once for each time that it is gone through. */
class CountedReading extends Reading<object> {
  static looks = 0;
  override get hasWaiters(): boolean {
    CountedReading.looks += 1;
    return super.hasWaiters;
  }
}

function underTest() {
  const cells = new Cells();
  const readings = new Readings(cells, MAX_WEIGHT);
  const add = (question: string, weight = 1): CountedReading => {
    const reading = new CountedReading({}, [`cell ${question}`]);
    readings.add(question, reading, weight);
    return reading;
  };
  return { cells, readings, add };
}
const waiter = (): ReadingWaiter & { count: number } => ({
  count: 0,
  wake() {
    this.count += 1;
  },
});

test("what is kept is bounded", () => {
  const { cells, add } = underTest();
  for (let i = 0; i < 10_000; i++) add(`q${i}`);
  expect(cells.size).toBeLessThanOrEqual(3 * MAX_WEIGHT);
});

test("what is asked for again survives, what is not is dropped", () => {
  const { readings, add } = underTest();
  const hot = add("hot");
  add("cold");
  for (let i = 0; i < 5 * MAX_WEIGHT; i++) {
    add(`q${i}`);
    expect(readings.get("hot")).toBe(hot);
  }
  expect(readings.get("cold")).toBeUndefined();
});

test("what is waited on stays, however much comes after it, and its wake-up arrives", () => {
  const { cells, readings, add } = underTest();
  const waiters = Array.from({ length: 10 * MAX_WEIGHT }, (_, i) => {
    const reading = add(`watched ${i}`);
    const one = waiter();
    reading.addWaiter(one);
    return { reading, one };
  });
  for (let i = 0; i < 20 * MAX_WEIGHT; i++) add(`q${i}`);
  for (const [i, { reading, one }] of waiters.entries()) {
    expect(readings.get(`watched ${i}`)).toBe(reading);
    cells.touch([`cell watched ${i}`]);
    expect(one.count).toBe(1);
    expect(readings.get(`watched ${i}`)).toBeUndefined();
  }
});

test("adding one costs the same however many are waited on", () => {
  const { add } = underTest();
  let most = 0;
  for (let i = 0; i < 100 * MAX_WEIGHT; i++) {
    CountedReading.looks = 0;
    add(`watched ${i}`).addWaiter(waiter());
    most = Math.max(most, CountedReading.looks);
  }
  expect(most).toBeLessThanOrEqual(3);
});

test("what nobody waits on any more, or is stale, goes in the end", () => {
  const { cells, add } = underTest();
  const watched = Array.from({ length: 10 * MAX_WEIGHT }, (_, i) => {
    const reading = add(`watched ${i}`);
    const one = waiter();
    reading.addWaiter(one);
    return { reading, one };
  });
  for (let i = 0; i < 5 * MAX_WEIGHT; i++) add(`q${i}`);
  for (const [i, { reading, one }] of watched.entries()) {
    if (i % 2 === 0) reading.removeWaiter(one);
    else cells.touch([`cell watched ${i}`]);
  }
  for (let i = 0; i < 20 * MAX_WEIGHT; i++) add(`r${i}`);
  expect(cells.size).toBeLessThanOrEqual(3 * MAX_WEIGHT);
});

test("what is kept is what was added last, is not stale, and is subscribed", () => {
  const question = fc.nat({ max: 30 }).map((i) => `q${i}`);
  const step = fc.oneof(
    fc.tuple(fc.constant("ask" as const), question, fc.integer({ min: 1, max: 150 })),
    fc.tuple(fc.constant("wait" as const), question, fc.constant(0)),
    fc.tuple(fc.constant("touch" as const), question, fc.constant(0)),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { cells, readings, add } = underTest();
      const last = new Map<string, CountedReading>();
      const waiters: { readonly of: Reading<object>; readonly one: ReturnType<typeof waiter> }[] =
        [];
      for (const [kind, name, weight] of steps) {
        if (kind === "touch") {
          cells.touch([`cell ${name}`]);
          continue;
        }
        const known = readings.get(name);
        if (known !== undefined) {
          expect(known).toBe(last.get(name));
          expect(known.isStale).toBe(false);
        }
        if (kind === "wait" && known !== undefined) {
          const one = waiter();
          known.addWaiter(one);
          waiters.push({ of: known, one });
        }
        if (kind === "ask" && known === undefined) last.set(name, add(name, weight));
      }
      for (let i = 0; i <= 30; i++) cells.touch([`cell q${i}`]);
      for (const { of, one } of waiters) {
        expect(of.isStale).toBe(true);
        expect(one.count).toBe(1);
      }
    }),
    { numRuns: 500 },
  );
});
