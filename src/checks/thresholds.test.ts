import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CheckStatus } from "../model/index.ts";
import { firstStreak, judge, thresholdsOf } from "./thresholds.ts";
import { definition } from "./testkit.ts";

const STATUS: Readonly<Record<string, CheckStatus>> = { p: "passing", w: "warning", c: "critical" };

/** What is believed of a row of results: the result itself, a warning, or "." where the old one stays. */
function believed(
  results: string,
  successBeforePassing: number,
  failuresBeforeCritical: number,
  failuresBeforeWarning = failuresBeforeCritical,
) {
  const thresholds = { successBeforePassing, failuresBeforeWarning, failuresBeforeCritical };
  let streak = firstStreak(thresholds);
  return results
    .split("")
    .map((letter) => {
      const judgement = judge(streak, STATUS[letter] ?? "critical", thresholds);
      streak = judgement.streak;
      if (judgement.verdict === "warn") return "w";
      return judgement.verdict === "believe" ? letter : ".";
    })
    .join("");
}

describe("thresholds", () => {
  // p passing, w warning, c critical.
  test.each([
    // results          success  failures  believed
    ["pcpcwc", 0, 0, "pcpcwc"],
    ["pcpcwc", 1, 1, "pcpcwc"],
    // the first result counts whatever the thresholds are
    ["c", 3, 3, "c"],
    ["p", 3, 3, "p"],
    // then it takes as many in a row
    ["pcccp", 0, 3, "p..cp"],
    ["cpppc", 3, 0, "c..pc"],
    // warnings are successes
    ["cwpw", 3, 0, "c..w"],
    ["pwcwc", 1, 2, "pw.w."],
    // one of the other kind starts the count anew
    ["pccpcccp", 1, 3, "p..p..cp"],
    // as observed: 2 and 2, exit codes 0 2 2 1 0
    ["pccwp", 2, 2, "p.c.p"],
    // the first result leaves the counter of its own kind above the threshold
    ["pppp", 3, 3, "pppp"],
    ["cccc", 3, 3, "cccc"],
  ])("%s with %i and %i: %s", (results, success, failures, expected) => {
    expect(believed(results, success, failures)).toBe(expected);
  });

  test.each([
    // failures before a warning, before critical
    ["pcccc", 2, 3, "p.wcc"],
    ["pcccc", 1, 4, "pwwwc"],
    ["pccpcc", 2, 3, "p.wp.w"],
    // the first result counts at once
    ["cpc", 1, 3, "cpw"],
  ])("%s with a warning after %i and critical after %i: %s", (results, warn, fail, expected) => {
    expect(believed(results, 0, fail, warn)).toBe(expected);
  });

  test("a result is believed exactly when its run is long enough, or from the start", () => {
    const results = fc.array(fc.constantFrom("p", "w", "c"), { maxLength: 30 });
    const threshold = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(results, threshold, threshold, (letters, success, failures) => {
        const text = letters.join("");
        const isFailure = (letter: string): boolean => letter === "c";
        const expected = letters.map((letter, at) => {
          let run = 1;
          while (at >= run && isFailure(letters[at - run] ?? "") === isFailure(letter)) run += 1;
          const fromTheStart = run > at;
          return fromTheStart || run >= (isFailure(letter) ? failures : success) ? letter : ".";
        });
        expect(believed(text, success, failures)).toBe(expected.join(""));
      }),
    );
  });

  test("negative thresholds count as none", () => {
    expect(
      thresholdsOf(definition({ SuccessBeforePassing: -1, FailuresBeforeCritical: 2 })),
    ).toStrictEqual({
      successBeforePassing: 0,
      failuresBeforeWarning: 2,
      failuresBeforeCritical: 2,
    });
  });
});
