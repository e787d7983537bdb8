import { describe, expect, test } from "vitest";
import { SECOND } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

const begin = (outputMaxBytes = 4096, StartPeriod = 0) => {
  const platform = simPlatform({ seed: 1 });
  const run = start(platform, { TTL: 10 * SECOND, StartPeriod }, { outputMaxBytes });
  const set = run.check.setTtl;
  if (set === undefined) throw new Error("a TTL check can be set");
  return { ...run, set, clock: platform.clock, check: run.check };
};

describe("a TTL check", () => {
  test("expires once, and stays so without a timer", async () => {
    const { clock, reports, log } = begin();
    await clock.run(9_999);
    expect(reports).toStrictEqual([]);
    await clock.run(100_000);
    expect(reports).toStrictEqual(["critical: TTL expired"]);
    expect(log).toStrictEqual(["WARN Check missed TTL, is now critical check=c"]);
    expect(clock.timerCount).toBe(0);
  });

  test("does not expire in its start period, which the first update ends", async () => {
    const { clock, reports, set } = begin(4096, 60 * SECOND);
    await clock.run(50_000);
    expect(reports).toStrictEqual([]);
    set({ status: "passing", output: "up" });
    await clock.run(10_000);
    expect(reports).toHaveLength(2);

    const silent = begin(4096, 60 * SECOND);
    await silent.clock.run(59_999);
    expect(silent.reports).toStrictEqual([]);
    await silent.clock.run(1);
    expect(silent.reports).toStrictEqual(["critical: TTL expired"]);
  });

  test("every update arms it anew; the last output is told when it expires", async () => {
    const { clock, reports, set } = begin();
    await clock.run(9_000);
    set({ status: "passing", output: "hello" });
    await clock.run(9_000);
    set({ status: "warning", output: "hum" });
    await clock.run(9_999);
    expect(reports).toStrictEqual(["passing: hello", "warning: hum"]);
    await clock.run(1);
    const expired = "critical: TTL expired (last output before timeout follows): hum";
    expect(reports.at(-1)).toBe(expired);
    set({ status: "passing", output: "" });
    await clock.run(10_000);
    expect(reports.slice(-2)).toStrictEqual(["passing: ", "critical: TTL expired"]);
  });

  test("a long note is cut, and the cut note is what an expiry quotes", async () => {
    const { clock, reports, set } = begin(5);
    set({ status: "passing", output: "hello-world" });
    await clock.run(10_000);
    expect(reports).toStrictEqual([
      "passing: hello ... (captured 5 of 11 bytes)",
      "critical: TTL expired (last output before timeout follows): hello ... (captured 5 of 11 bytes)",
    ]);
  });

  test("thresholds do not apply", () => {
    const platform = simPlatform({ seed: 1 });
    using run = start(platform, {
      TTL: SECOND,
      SuccessBeforePassing: 3,
      FailuresBeforeCritical: 3,
    });
    for (const status of ["passing", "critical", "passing"] as const) {
      run.check.setTtl?.({ status, output: "" });
    }
    expect(run.reports).toStrictEqual(["passing: ", "critical: ", "passing: "]);
  });

  test("once disposed it neither expires nor takes updates", async () => {
    const { clock, reports, set, check } = begin();
    check[Symbol.dispose]();
    set({ status: "passing", output: "late" });
    await clock.run(60_000);
    expect(reports).toStrictEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  test("no other type can be set", () => {
    const platform = simPlatform({ seed: 1 });
    using run = start(platform, { TCP: "127.0.0.1:1" });
    expect(run.check.setTtl).toBeUndefined();
  });
});
