/**
 * A command whose exit code is the answer: 0 passing, 1 warning, anything else critical. A command over its
 * time is killed with its children, and what it wrote until then is shown.
 */
import { MILLISECOND, formatDuration } from "../model/index.ts";
import type { CheckStatus } from "../model/index.ts";
import { DEFAULT_SCRIPT_TIMEOUT_MS, startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { capturedTail } from "./output.ts";

const STATUS_BY_EXIT_CODE: Readonly<Record<number, CheckStatus>> = { 0: "passing", 1: "warning" };

/** Anything that is no such number is critical too. */
export function statusOfExitCode(code: unknown): CheckStatus {
  return (typeof code === "number" ? STATUS_BY_EXIT_CODE[code] : undefined) ?? "critical";
}

export function startScript(context: CheckContext): RunningCheck {
  const { platform, logger, checkId, definition, outputMaxBytes } = context;
  const [program = "", ...rest] = definition.ScriptArgs ?? [];
  const timeoutMs = timeoutMsOf(definition, DEFAULT_SCRIPT_TIMEOUT_MS);
  const timeout = formatDuration(timeoutMs * MILLISECOND);
  const timeoutOutput = `Timed out (${timeout}) running check`;

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    const result = await platform.processes.run({
      argv: [program, ...rest],
      outputMaxBytes,
      signal,
    });
    if (result.kind === "unstartable") {
      logger.error("Check failed to invoke", { check: checkId, error: result.message });
      return { status: "critical", output: result.message };
    }
    const output = capturedTail(result.output, result.outputTotalBytes);
    if (signal.aborted) {
      logger.warn("Timed out running check", { check: checkId, timeout });
      const captured = output === "" ? "" : `\n\n${output}`;
      return { status: "critical", output: timeoutOutput + captured };
    }
    logger.trace("Check output", { check: checkId, output });
    // Killed by somebody else (the kernel out of memory, an operator): no exit code, hence critical.
    const exitCode = result.kind === "exit" ? result.code : undefined;
    return { status: statusOfExitCode(exitCode), output };
  }

  return startActive(context, { ask, timeoutMs, timeoutOutput });
}
