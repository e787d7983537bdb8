import { describe, expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { schedule } from "./schedule.ts";

/** Runs that take `lengthsMs` in turn (the last for ever after), each noted as `start-end`. */
function runs(lengthsMs: readonly number[], firstMs: number) {
  const { clock } = simPlatform({ seed: 1 });
  const origin = clock.now();
  const seen: string[] = [];
  const broken: unknown[] = [];
  let ended = 0;
  const loop = schedule({
    clock,
    intervalMs: 10_000,
    firstMs,
    run: async ({ signal }) => {
      const startedMs = clock.now() - origin;
      const lengthMs = lengthsMs[Math.min(ended, lengthsMs.length - 1)] ?? 0;
      await new Promise<void>((resolve, reject) => {
        const timer = clock.after(lengthMs, resolve);
        signal.addEventListener("abort", () => {
          timer[Symbol.dispose]();
          reject(signal.reason as Error);
        });
      });
      seen.push(`${startedMs}-${clock.now() - origin}`);
      ended += 1;
      if (lengthMs === 13) throw new Error("a bug");
    },
    broken: (error) => broken.push(error),
  });
  return { clock, loop, seen, broken };
}

describe("schedule", () => {
  test.each([
    [0, ["0-0", "10000-10000", "20000-20000"]],
    [5000, ["5000-5000", "15000-15000", "25000-25000"]],
    [9990, ["9990-9990", "19990-19990", "29990-29990"]],
  ])("the first run waits %d ms", async (firstMs, expected) => {
    const { clock, seen } = runs([0], firstMs);
    await clock.run(29_999);
    expect(seen).toStrictEqual(expected);
  });

  test("the interval starts when the run has ended, so that none overlap and none are caught up", async () => {
    const { clock, seen } = runs([35_000, 1_000, 0], 0);
    await clock.run(60_000);
    expect(seen).toStrictEqual(["0-35000", "45000-46000", "56000-56000"]);
  });

  test("a run that throws is told and does not end the schedule", async () => {
    const { clock, seen, broken } = runs([13, 0], 0);
    await clock.run(15_000);
    expect(seen).toStrictEqual(["0-13", "10013-10013"]);
    expect(broken).toStrictEqual([new Error("a bug")]);
  });

  test.each([
    ["before the first run", 4_000],
    ["during a run", 6_000],
    ["between runs", 9_000],
  ])("disposed %s, it leaves nothing behind", async (_when, atMs) => {
    const { clock, loop, seen } = runs([2_000], 5_000);
    await clock.run(atMs);
    const seenThen = seen.length;
    loop[Symbol.dispose]();
    await clock.run(60_000);
    expect(seen).toHaveLength(seenThen);
    expect(clock.timerCount).toBe(0);
  });
});
