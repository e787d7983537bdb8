/** What every check that asks somebody has in common, shown on scripts. */
import { describe, expect, test } from "vitest";
import { MILLISECOND, SECOND, type CheckDefinition } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

const platformWith = (exitCodes: readonly number[]) => {
  const platform = simPlatform({ seed: 1 });
  let runs = 0;
  platform.processes.register("probe", ({ print }) => {
    const code = exitCodes[Math.min(runs, exitCodes.length - 1)] ?? 0;
    runs += 1;
    print(`run ${runs}`);
    return code;
  });
  return platform;
};

describe("an active check", () => {
  test("reports every believed result, changed or not, and logs as Consul does", async () => {
    const platform = platformWith([0, 0, 2, 2, 1, 0]);
    using run = start(platform, {
      ScriptArgs: ["probe"],
      SuccessBeforePassing: 2,
      FailuresBeforeCritical: 2,
    });
    await platform.clock.run(6_000);
    expect(run.reports).toStrictEqual([
      "passing: run 1",
      "passing: run 2",
      "critical: run 4",
      "passing: run 6",
    ]);
    expect(run.log).toStrictEqual([
      "DEBUG Check status updated check=c status=passing",
      "DEBUG Check status updated check=c status=passing",
      "WARN Check failed but has not reached failure threshold check=c status=critical failure_count=1 failure_threshold=2",
      "WARN Check is now critical check=c",
      "WARN Check passed but has not reached success threshold check=c status=warning success_count=1 success_threshold=2",
      "DEBUG Check status updated check=c status=passing",
    ]);
  });

  test("an interval below a second is raised to one, with a warning", async () => {
    const platform = platformWith([0]);
    using run = start(platform, { ScriptArgs: ["probe"], Interval: MILLISECOND });
    await platform.clock.run(10_000);
    expect(run.reports).toHaveLength(10);
    expect(run.log[0]).toBe("WARN check has interval below minimum check=c minimum_interval=1s");
  });

  test("checks started together do not run together", async () => {
    const platform = platformWith([0]);
    const origin = platform.clock.now();
    const firstRuns = new Set<number>();
    const running = Array.from({ length: 20 }, (_, at) =>
      start(
        platform,
        { ScriptArgs: ["probe"], Interval: 10 * SECOND },
        { checkId: `c${at}`, report: () => firstRuns.add(platform.clock.now() - origin) },
      ),
    );
    await platform.clock.run(9_999);
    expect(firstRuns.size).toBe(20);
    expect(Math.max(...firstRuns) - Math.min(...firstRuns)).toBeGreaterThan(5_000);
    for (const each of running) each[Symbol.dispose]();
  });

  test("an initial delay is kept to the millisecond, and the interval follows it", async () => {
    const platform = platformWith([0]);
    using run = start(platform, {
      ScriptArgs: ["probe"],
      Interval: 10 * SECOND,
      InitialDelay: 25 * SECOND,
    });
    await platform.clock.run(24_999);
    expect(run.reports).toStrictEqual([]);
    await platform.clock.run(1);
    expect(run.reports).toStrictEqual(["passing: run 1"]);
    await platform.clock.run(9_999);
    expect(run.reports).toHaveLength(1);
    await platform.clock.run(1);
    expect(run.reports).toHaveLength(2);
  });

  // Runs are at 1 s, 2 s and so on; the period ends at 3.5 s.
  test.each<[string, number[], Partial<CheckDefinition>, string[]]>([
    ["failures in it do not count", [2, 2, 2, 2], {}, ["critical: run 4"]],
    [
      "a success ends it",
      [2, 0, 2, 0],
      {},
      ["passing: run 2", "critical: run 3", "passing: run 4"],
    ],
    [
      "a warning ends it too",
      [1, 2, 2, 2],
      {},
      ["warning: run 1", "critical: run 2", "critical: run 3", "critical: run 4"],
    ],
    [
      "thresholds begin after it",
      [2, 0, 2, 2],
      { FailuresBeforeCritical: 2 },
      ["passing: run 2", "critical: run 4"],
    ],
  ])("start period: %s", async (_rule, exitCodes, fields, reports) => {
    const platform = platformWith(exitCodes);
    using run = start(platform, {
      ScriptArgs: ["probe"],
      StartPeriod: 3_500 * MILLISECOND,
      InitialDelay: SECOND,
      ...fields,
    });
    await platform.clock.run(4_500);
    expect(run.reports).toStrictEqual(reports);
  });

  test("enough failures for a warning make the check one", async () => {
    const platform = platformWith([0, 2, 2, 2]);
    using run = start(platform, {
      ScriptArgs: ["probe"],
      FailuresBeforeWarning: 2,
      FailuresBeforeCritical: 3,
    });
    await platform.clock.run(4_000);
    expect(run.reports).toStrictEqual(["passing: run 1", "warning: run 3", "critical: run 4"]);
  });

  test("what outlives its time and the kill is reported all the same, and not run twice", async () => {
    const platform = simPlatform({ seed: 1 });
    let runs = 0;
    const stuck = {
      ...platform,
      processes: {
        run: () => {
          runs += 1;
          return new Promise<never>(() => {}); // In the kernel, waiting for a file server.
        },
      },
    };
    using run = start(stuck, { ScriptArgs: ["probe"], Timeout: 5 * SECOND });
    await platform.clock.run(60_000);
    expect(run.reports).toStrictEqual(["critical: Timed out (5s) running check"]);
    expect(runs).toBe(1);
  });

  test("a report that throws is logged, and the check goes on", async () => {
    const platform = platformWith([0]);
    let reports = 0;
    const log: string[] = [];
    using run = start(
      platform,
      { ScriptArgs: ["probe"] },
      {
        report: () => {
          reports += 1;
          throw new Error("the agent's bug");
        },
      },
    );
    await platform.clock.run(3_000);
    log.push(...run.log.filter((line) => line.startsWith("ERROR")));
    expect(reports).toBe(3);
    expect(log[0]).toBe("ERROR Check could not report its result check=c error=the agent's bug");
  });

  test.each([
    ["waiting", 0],
    ["running", 1_200],
    ["being killed", 5_950],
  ])("disposed while %s, it reports nothing and leaves no timer", async (_when, atMs) => {
    const platform = simPlatform({ seed: 1 });
    const stuck = { ...platform, processes: { run: () => new Promise<never>(() => {}) } };
    const run = start(stuck, { ScriptArgs: ["probe"], Timeout: 5 * SECOND });
    await platform.clock.run(atMs);
    run[Symbol.dispose]();
    run[Symbol.dispose]();
    await platform.clock.settle();
    expect(platform.clock.timerCount).toBe(0);
    await platform.clock.run(120_000);
    expect(run.reports).toStrictEqual([]);
  });
});
