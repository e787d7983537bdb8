import * as fc from "fast-check";
import { expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { FirstRuns } from "./first-runs.ts";

const INTERVAL_MS = 10_000;

test("however many checks come, and when, their runs are spread over the interval", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 77 }),
      async (seed, count, pauseMs) => {
        const { clock, random } = simPlatform({ seed });
        const firstRuns = new FirstRuns(clock, random);
        const places: number[] = [];
        for (let i = 0; i < count; i++) {
          const delayMs = firstRuns.nextDelayMs(INTERVAL_MS);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(INTERVAL_MS);
          places.push((clock.now() + delayMs) % INTERVAL_MS);
          await clock.run(pauseMs);
        }
        const bySize = places.toSorted((a, b) => a - b);
        const gapsMs = bySize.map(
          (at, i) => (bySize[i + 1] ?? (bySize[0] ?? 0) + INTERVAL_MS) - at,
        );
        const evenMs = INTERVAL_MS / count;
        // The three gap theorem: no gap of a golden section's points is above 1.9 times the even one.
        expect(Math.max(...gapsMs)).toBeLessThanOrEqual(1.9 * evenMs);
        if (count > 1) expect(Math.min(...gapsMs)).toBeGreaterThan(0.4 * evenMs);
      },
    ),
    { numRuns: 50 },
  );
});

test("agents begin at different places", () => {
  const first = (seed: number): number => {
    const { clock, random } = simPlatform({ seed });
    return new FirstRuns(clock, random).nextDelayMs(INTERVAL_MS);
  };
  expect(new Set([1, 2, 3, 4, 5].map(first)).size).toBe(5);
});
