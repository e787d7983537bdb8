/**
 * An empty datagram is sent: an answer is passing, and so is silence until the timeout, as few services answer
 * what they do not understand. Critical is only a peer whose machine refuses, or that cannot be found.
 */
import { messageOf } from "../errors/index.ts";
import { DEFAULT_NETWORK_TIMEOUT_MS, startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { parseDialAddress } from "./dial-address.ts";

const NOTHING = new Uint8Array(0);

export function startUdp(context: CheckContext): RunningCheck {
  const { platform, logger, checkId, definition } = context;
  const target = definition.UDP;
  const passing: CheckResult = { status: "passing", output: `UDP connect ${target}: Success` };

  function failed(message: string): CheckResult {
    logger.warn("Check socket connection failed", { check: checkId, error: message });
    return { status: "critical", output: message };
  }

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    const parsed = parseDialAddress(target, "udp");
    if (parsed.kind === "invalid") return failed(parsed.message);
    try {
      await platform.network.exchangeDatagram(parsed.address, NOTHING, { signal });
    } catch (error) {
      if (!signal.aborted) return failed(messageOf(error));
    }
    return passing;
  }

  return startActive(context, {
    ask,
    timeoutMs: timeoutMsOf(definition, DEFAULT_NETWORK_TIMEOUT_MS),
    timeoutOutput: `dial udp ${target}: i/o timeout`,
  });
}
