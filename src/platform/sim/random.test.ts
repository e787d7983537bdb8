import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SimRandom } from "./random.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("the same seed draws the same, another seed something else", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (seed, other) => {
      const drawn = hex(new SimRandom(seed).bytes(32));
      expect(hex(new SimRandom(seed).bytes(32))).toBe(drawn);
      if (seed !== other) expect(hex(new SimRandom(other).bytes(32))).not.toBe(drawn);
    }),
  );
});

test("what a parent or a sibling draws does not shift a fork", () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat({ max: 50 }), fc.nat({ max: 50 }), (seed, before, sibling) => {
      const quiet = new SimRandom(seed);
      quiet.fork("other");
      const expected = hex(quiet.fork("mine").bytes(32));

      const busy = new SimRandom(seed);
      for (let draw = 0; draw < before; draw += 1) busy.float();
      const other = busy.fork("other");
      for (let draw = 0; draw < sibling; draw += 1) other.float();
      expect(hex(busy.fork("mine").bytes(32))).toBe(expected);
    }),
  );
});

test("labels cannot be confused with paths", () => {
  const root = new SimRandom(1);
  const nested = hex(root.fork("a").fork("b").bytes(16));
  expect(hex(root.fork("a#1/b").bytes(16))).not.toBe(nested);
});

test("between stays between, and reaches both ends", () => {
  const random = new SimRandom("ends");
  const drawn = new Set(Array.from({ length: 200 }, () => random.between(-1, 2)));
  expect([...drawn].toSorted((a, b) => a - b)).toEqual([-1, 0, 1, 2]);
});

test("each of a word's bits is set about half the time", () => {
  const random = new SimRandom("bits");
  const drawn = Array.from({ length: 1000 }, () => random.uint32());
  expect(drawn.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)).toBe(true);
  for (let bit = 0; bit < 32; bit += 1) {
    const ones = drawn.filter((word) => (word >>> bit) & 1).length;
    expect(ones).toBeGreaterThan(400);
    expect(ones).toBeLessThan(600);
  }
});
