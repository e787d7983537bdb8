/**
 * A service of the operating system: running is passing, on its way from one state to another is warning,
 * anything else critical. The system's own program is asked: systemd's on Linux, the service controller's on
 * Windows. It is our command with the name as its one argument, so it is no script that has to be allowed.
 */
import { formatDuration, MILLISECOND, type CheckStatus } from "../model/index.ts";
import type { ProcessResult } from "../platform/index.ts";
import { DEFAULT_SCRIPT_TIMEOUT_MS, startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { textOf } from "./output.ts";

interface ServiceManager {
  readonly command: (service: string) => [string, ...string[]];
  /** The state in what the command printed, or undefined when it says nothing of one. */
  readonly stateIn: (printed: string) => string | undefined;
  readonly passing: ReadonlySet<string>;
  readonly warning: ReadonlySet<string>;
}

/** Go's names of operating systems. */
const MANAGERS: Readonly<Record<string, ServiceManager>> = {
  linux: {
    command: (service) => ["systemctl", "is-active", "--", service],
    stateIn: (printed) => /^[a-z-]+$/.exec(printed.trim())?.[0],
    passing: new Set(["active"]),
    warning: new Set(["activating", "deactivating", "reloading", "refreshing", "maintenance"]),
  },
  windows: {
    command: (service) => ["sc.exe", "query", service],
    stateIn: (printed) => /^\s*STATE\s*:\s*\d+\s+([A-Z_]+)/m.exec(printed)?.[1],
    passing: new Set(["RUNNING"]),
    warning: new Set([
      "START_PENDING",
      "STOP_PENDING",
      "CONTINUE_PENDING",
      "PAUSE_PENDING",
      "PAUSED",
    ]),
  },
};

export function startOsService(context: CheckContext): RunningCheck {
  const { platform, logger, checkId, definition, outputMaxBytes } = context;
  const service = definition.OSService;
  const manager = MANAGERS[platform.host.os];
  const timeoutMs = timeoutMsOf(definition, DEFAULT_SCRIPT_TIMEOUT_MS);
  const timeout = formatDuration(timeoutMs * MILLISECOND);
  const timeoutOutput = `Timed out (${timeout}) asking for OS service ${service}`;

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    if (manager === undefined) {
      return { status: "critical", output: `OS service checks do not work on ${platform.host.os}` };
    }
    const argv = manager.command(service);
    const result = await platform.processes.run({ argv, outputMaxBytes, signal });
    if (signal.aborted) return { status: "critical", output: timeoutOutput };
    const answer = answerIn(manager, result, service);
    logger.trace("Check output", { check: checkId, output: answer.output });
    return answer;
  }

  return startActive(context, { ask, timeoutMs, timeoutOutput });
}

function answerIn(manager: ServiceManager, result: ProcessResult, service: string): CheckResult {
  if (result.kind === "unstartable") return { status: "critical", output: result.message };
  const printed = textOf(result.output);
  const state = manager.stateIn(printed);
  if (state === undefined) {
    return { status: "critical", output: `OS service ${service}: ${printed.trim()}` };
  }
  return { status: statusOf(manager, state), output: `OS service ${service} is ${state}` };
}

function statusOf({ passing, warning }: ServiceManager, state: string): CheckStatus {
  if (passing.has(state)) return "passing";
  return warning.has(state) ? "warning" : "critical";
}
