/**
 * A connection that comes about is passing, with `tcp_use_tls` once hands are shaken; nothing is sent, and it
 * is closed at once.
 */
import { messageOf } from "../errors/index.ts";
import { DEFAULT_NETWORK_TIMEOUT_MS, startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { parseDialAddress } from "./dial-address.ts";
import { tlsOptionsOf } from "./tls.ts";

export function startTcp(context: CheckContext): RunningCheck {
  const { platform, logger, checkId, definition } = context;
  const target = definition.TCP;
  const tls = definition.TCPUseTLS ? { tls: tlsOptionsOf(definition) } : {};
  const timeoutOutput = `dial tcp ${target}: i/o timeout`;

  function failed(message: string): CheckResult {
    logger.warn("Check socket connection failed", { check: checkId, error: message });
    return { status: "critical", output: message };
  }

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    const parsed = parseDialAddress(target);
    if (parsed.kind === "invalid") return failed(parsed.message);
    try {
      const stream = await platform.network.connect(parsed.address, { signal, ...tls });
      stream.on("error", () => {}); // It has answered the question; what becomes of it does not matter.
      stream.destroy();
    } catch (error) {
      return failed(signal.aborted ? timeoutOutput : messageOf(error));
    }
    return { status: "passing", output: `TCP connect ${target}: Success` };
  }

  const timeoutMs = timeoutMsOf(definition, DEFAULT_NETWORK_TIMEOUT_MS);
  return startActive(context, { ask, timeoutMs, timeoutOutput });
}
