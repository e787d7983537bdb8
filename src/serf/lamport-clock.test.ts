import { expect, test } from "vitest";
import { LamportClock } from "./lamport-clock.ts";

// serf.md §4
test("starts at 1, so that a status time of 0 is before everything", () => {
  expect(new LamportClock().time).toBe(1);
});

test("a tick gives the present time and moves on", () => {
  const clock = new LamportClock();
  expect([clock.tick(), clock.tick(), clock.time]).toEqual([1, 2, 3]);
});

test.each([
  [0, 1],
  [1, 2],
  [7, 8],
])("having witnessed %i it shows %i", (seen, shown) => {
  const clock = new LamportClock();
  clock.witness(seen);
  expect(clock.time).toBe(shown);
});

test("what is older changes nothing", () => {
  const clock = new LamportClock();
  clock.witness(7);
  clock.witness(3);
  expect(clock.time).toBe(8);
});

test("a time that no pool can have reached is refused, and does not move it", () => {
  const clock = new LamportClock();
  expect(() => clock.witness(Number.MAX_SAFE_INTEGER)).toThrow("impossible time");
  expect(clock.time).toBe(1);
});
