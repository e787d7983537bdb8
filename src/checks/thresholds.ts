/**
 * How many results in a row it takes to change a check's status (`success_before_passing`,
 * `failures_before_warning`, `failures_before_critical`). Passing and warning both count as success; one kind
 * zeroes the other. Failures that are enough for a warning but not for critical make the check a warning.
 *
 * Both counts start at their threshold: the first result after a start is believed at once, whatever it is.
 */
import type { CheckDefinition, CheckStatus } from "../model/index.ts";

export interface Thresholds {
  readonly successBeforePassing: number;
  /** At most `failuresBeforeCritical`; equal to it, there is no warning before. */
  readonly failuresBeforeWarning: number;
  readonly failuresBeforeCritical: number;
}

/** Results of one kind in a row, the other being 0 from the first result on. */
export interface Streak {
  readonly successes: number;
  readonly failures: number;
}

export type Judgement = Readonly<{ streak: Streak; verdict: "believe" | "warn" | "hold" }>;

export function thresholdsOf(definition: CheckDefinition): Thresholds {
  const failuresBeforeCritical = Math.max(0, definition.FailuresBeforeCritical);
  const { FailuresBeforeWarning } = definition;
  return {
    successBeforePassing: Math.max(0, definition.SuccessBeforePassing),
    failuresBeforeWarning:
      FailuresBeforeWarning > 0 ? FailuresBeforeWarning : failuresBeforeCritical,
    failuresBeforeCritical,
  };
}

export function firstStreak(thresholds: Thresholds): Streak {
  return {
    successes: thresholds.successBeforePassing,
    failures: thresholds.failuresBeforeCritical,
  };
}

/** While the verdict is "hold", the check keeps its previous status and output. */
export function judge(streak: Streak, status: CheckStatus, thresholds: Thresholds): Judgement {
  if (status === "critical") {
    const failures = streak.failures + 1;
    return { streak: { successes: 0, failures }, verdict: verdictOnFailures(failures, thresholds) };
  }
  const successes = streak.successes + 1;
  return {
    streak: { successes, failures: 0 },
    verdict: successes >= thresholds.successBeforePassing ? "believe" : "hold",
  };
}

function verdictOnFailures(failures: number, thresholds: Thresholds): Judgement["verdict"] {
  if (failures >= thresholds.failuresBeforeCritical) return "believe";
  return failures >= thresholds.failuresBeforeWarning ? "warn" : "hold";
}
