/** Coordinates against the numbers of Serf's own library (testdata/vivaldi.json). */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SimRandom } from "../platform/sim/index.ts";
import type { WireCoordinate } from "../wire/index.ts";
import { distanceNs, freshCoordinate, isFiniteCoordinate, pushed } from "./coordinate.ts";
import { Vivaldi } from "./vivaldi.ts";

interface Vectors {
  readonly distance: readonly {
    readonly a: WireCoordinate;
    readonly b: WireCoordinate;
    readonly nanos: number;
  }[];
  readonly start: WireCoordinate;
  readonly steps: readonly {
    readonly Node: string;
    readonly Other: WireCoordinate;
    readonly RTTNanos: number;
    readonly Result: WireCoordinate | null;
  }[];
}
const vectors = JSON.parse(
  readFileSync(new URL("./testdata/vivaldi.json", import.meta.url), "utf8"),
) as Vectors;

test.each(vectors.distance)("$nanos ns apart", ({ a, b, nanos }) => {
  expect(distanceNs(a, b)).toBe(nanos);
  expect(distanceNs(b, a)).toBe(nanos);
});

test("each round trip moves us as it moves Serf, and impossible ones do not", () => {
  const vivaldi = new Vivaldi(new SimRandom(1), vectors.start);
  for (const { Node, Other, RTTNanos, Result } of vectors.steps) {
    const observe = (): WireCoordinate => vivaldi.observe(Node, Other, RTTNanos / 1e9);
    if (Result === null) {
      expect(observe).toThrow("round trip time not in valid range");
      continue;
    }
    const { Vec, ...rest } = observe();
    Vec.forEach((component, axis) => expect(component).toBeCloseTo(Result.Vec[axis] ?? 0, 14));
    for (const key of ["Error", "Adjustment", "Height"] as const) {
      expect(rest[key]).toBeCloseTo(Result[key], 14);
    }
  }
  expect(vivaldi.resets).toBe(0);
});

describe("what a peer may not be", () => {
  const fresh = freshCoordinate();
  test.each([
    ["of other dimensions", { ...fresh, Vec: [0, 0] }, "dimensions"],
    ["not a number", { ...fresh, Vec: [NaN, 0, 0, 0, 0, 0, 0, 0] }, "finite"],
    ["infinitely high", { ...fresh, Height: Infinity }, "finite"],
  ])("%s", (_, coordinate, text) => {
    const vivaldi = new Vivaldi(new SimRandom(1));
    expect(() => vivaldi.observe("peer", coordinate, 0.01)).toThrow(text);
    expect(vivaldi.place).toEqual(fresh);
  });
});

test("two in the same place are pushed apart in some direction", () => {
  const fresh = freshCoordinate();
  const away = pushed(fresh, fresh, 0.5, () => [0.3, 0, 0.4, 0, 0, 0, 0, 0]);
  expect(Math.hypot(...away.Vec)).toBeCloseTo(0.5);
  expect(away.Height).toBe(fresh.Height);
});

test("a slow round trip among fast ones moves nothing: the median counts", () => {
  const usual = new Vivaldi(new SimRandom(1));
  const disturbed = new Vivaldi(new SimRandom(1));
  const peer = { ...freshCoordinate(), Vec: [0.01, 0, 0, 0, 0, 0, 0, 0] };
  for (const vivaldi of [usual, disturbed]) {
    for (let i = 0; i < 3; i += 1) vivaldi.observe("p", peer, 0.02);
  }
  usual.observe("p", peer, 0.02);
  disturbed.observe("p", peer, 9);
  expect(disturbed.place).toEqual(usual.place);
});

test("whatever peers claim, our place stays a place", () => {
  const component = fc.double({ noNaN: false });
  const coordinate = fc.record({
    Vec: fc.array(component, { minLength: 8, maxLength: 8 }),
    Error: component,
    Adjustment: component,
    Height: component,
  });
  const observations = fc.array(fc.tuple(coordinate, fc.double({ min: 0, max: 10 })));
  fc.assert(
    fc.property(observations, (claims) => {
      const vivaldi = new Vivaldi(new SimRandom(1));
      for (const [claim, rttS] of claims) {
        try {
          vivaldi.observe("p", claim, rttS);
        } catch {
          // Refused, which is as good.
        }
        expect(isFiniteCoordinate(vivaldi.place)).toBe(true);
      }
    }),
  );
});
