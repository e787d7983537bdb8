/**
 * What all checks that ask somebody have in common: a schedule, a time limit, thresholds, and the log lines
 * that operators know. A check type adds only its probe.
 */
import { messageOf } from "../errors/index.ts";
import { MILLISECOND, formatDuration, type CheckDefinition } from "../model/index.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { schedule } from "./schedule.ts";
import { firstStreak, judge, thresholdsOf } from "./thresholds.ts";

export const MIN_INTERVAL_MS = 1_000;
export const DEFAULT_NETWORK_TIMEOUT_MS = 10_000;
export const DEFAULT_SCRIPT_TIMEOUT_MS = 30_000;
/**
 * How long a probe may take to end after its time is up. A process stuck in the kernel, or a resolver that
 * cannot be interrupted, takes longer: the timeout is then reported without it, and the next run still waits.
 */
const ABORT_GRACE_MS = 1_000;

export interface Probe {
  /** One question. When `signal` aborts, it ends soon, with what it then knows. */
  readonly ask: (signal: AbortSignal) => Promise<CheckResult>;
  readonly timeoutMs: number;
  /** The output for a probe that outlives its time and the grace. */
  readonly timeoutOutput: string;
}

/** The definition's timeout, or `defaultMs` when it gives none. */
export function timeoutMsOf(definition: CheckDefinition, defaultMs: number): number {
  return definition.Timeout > 0 ? definition.Timeout / MILLISECOND : defaultMs;
}

export function startActive(context: CheckContext, probe: Probe): RunningCheck {
  const { platform, logger, checkId, definition } = context;
  const { clock } = platform;
  const askedMs = definition.Interval / MILLISECOND;
  const intervalMs = Math.max(MIN_INTERVAL_MS, askedMs);
  if (askedMs < MIN_INTERVAL_MS) {
    logger.warn("check has interval below minimum", {
      check: checkId,
      minimum_interval: formatDuration(MIN_INTERVAL_MS * MILLISECOND),
    });
  }
  const believe = thresholdGate(context);
  let stopped = false;
  let timer: Disposable | undefined;

  /** Ends in exactly one result: the probe's, or the timeout's when the probe does not end in time. */
  async function askOnce(run: AbortController): Promise<void> {
    let late = false;
    timer = clock.after(probe.timeoutMs, () => {
      run.abort(new Error("context deadline exceeded"));
      timer = clock.after(ABORT_GRACE_MS, () => {
        late = true;
        believe({ status: "critical", output: probe.timeoutOutput });
      });
    });
    const result = await probe.ask(run.signal).catch(failure);
    timer[Symbol.dispose]();
    if (!late && !stopped) believe(result);
  }

  const loop = schedule({
    clock,
    intervalMs,
    firstMs:
      definition.InitialDelay > 0
        ? definition.InitialDelay / MILLISECOND
        : context.firstRuns.nextDelayMs(intervalMs),
    run: askOnce,
    broken: (error) =>
      logger.error("Check could not report its result", {
        check: checkId,
        error: messageOf(error),
      }),
  });
  return {
    [Symbol.dispose]() {
      stopped = true;
      loop[Symbol.dispose]();
      timer?.[Symbol.dispose]();
    },
  };
}

function failure(error: unknown): CheckResult {
  return { status: "critical", output: messageOf(error) };
}

/**
 * Passes on the results that the start period and the thresholds let through, and tells the log of each.
 * Failures in the start period are as if they had not been: the thresholds do not count them.
 */
function thresholdGate(context: CheckContext): (result: CheckResult) => void {
  const { logger, checkId: check, report, definition } = context;
  const thresholds = thresholdsOf(definition);
  const { clock } = context.platform;
  const startMs = definition.StartPeriod / MILLISECOND;
  const startedAt = clock.now();
  let isStarting = startMs > 0;
  let streak = firstStreak(thresholds);
  return (result) => {
    const { status } = result;
    isStarting &&= status === "critical" && clock.now() - startedAt < startMs;
    if (isStarting) {
      logger.debug("Check failed in its start period", { check, output: result.output });
      return;
    }
    const judgement = judge(streak, status, thresholds);
    streak = judgement.streak;
    if (judgement.verdict === "believe") {
      if (status === "critical") logger.warn("Check is now critical", { check });
      else logger.debug("Check status updated", { check, status });
      report(result);
    } else if (judgement.verdict === "warn") {
      logger.warn("Check is now warning", { check, failure_count: streak.failures });
      report({ ...result, status: "warning" });
    } else if (status === "critical") {
      logger.warn("Check failed but has not reached failure threshold", {
        check,
        status,
        failure_count: streak.failures,
        failure_threshold: thresholds.failuresBeforeCritical,
      });
    } else {
      logger.warn("Check passed but has not reached success threshold", {
        check,
        status,
        success_count: streak.successes,
        success_threshold: thresholds.successBeforePassing,
      });
    }
  };
}
