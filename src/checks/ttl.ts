/**
 * A check that the application reports itself, and has to report again within its TTL. Once expired it says
 * so once and stays critical, without a timer, until the next report. Before the first report it does not
 * expire within its start period; what the application reports counts at any time.
 */
import { MILLISECOND } from "../model/index.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { capturedHead } from "./output.ts";

export function startTtl(context: CheckContext): RunningCheck {
  const { logger, checkId, outputMaxBytes, report } = context;
  const { clock } = context.platform;
  const ttlMs = context.definition.TTL / MILLISECOND;
  let lastOutput = "";
  let stopped = false;
  const startMs = context.definition.StartPeriod / MILLISECOND;
  let timer = clock.after(Math.max(ttlMs, startMs), expire);

  function expire(): void {
    logger.warn("Check missed TTL, is now critical", { check: checkId });
    report({ status: "critical", output: expiredOutput(lastOutput) });
  }

  function setTtl({ status, output }: CheckResult): void {
    if (stopped) return;
    logger.debug("Check status updated", { check: checkId, status });
    lastOutput = capturedHead(output, outputMaxBytes);
    timer[Symbol.dispose]();
    timer = clock.after(ttlMs, expire);
    report({ status, output: lastOutput });
  }

  return {
    setTtl,
    [Symbol.dispose]() {
      stopped = true;
      timer[Symbol.dispose]();
    },
  };
}

function expiredOutput(lastOutput: string): string {
  return lastOutput === ""
    ? "TTL expired"
    : `TTL expired (last output before timeout follows): ${lastOutput}`;
}
