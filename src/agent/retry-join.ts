/**
 * Joining at the start: once, or again and again until somebody answers (Consul: agent/retry_join.go). Names are
 * resolved anew with each attempt, so that a machine that has moved is found.
 */
import { messageOf } from "../errors/index.ts";
import { pause, type Clock, type Logger } from "../platform/index.ts";

export interface RetryJoinNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  /** "LAN" or "WAN", for the log. */
  readonly cluster: string;
  readonly addresses: readonly string[];
  readonly intervalMs: number;
  /** Attempts after the first one; 0: without end. */
  readonly maxRetries: number;
  /** Resolves with how many could be joined; rejects when none. */
  readonly join: (addresses: readonly string[], signal: AbortSignal) => Promise<number>;
}

/**
 * Resolves with whether somebody was joined; "exhausted" when the attempts are used up, "aborted" when the
 * signal says so.
 */
export async function retryJoin(
  needs: RetryJoinNeeds,
  signal: AbortSignal,
): Promise<"joined" | "exhausted" | "aborted"> {
  const { clock, logger, cluster, addresses, intervalMs, maxRetries, join } = needs;
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    logger.info("Joining cluster...", { cluster });
    try {
      const agents = await join(addresses, signal);
      logger.info("Join cluster completed. Synced with initial agents", {
        cluster,
        num_agents: agents,
      });
      return "joined";
    } catch (error) {
      if (signal.aborted) break;
      if (maxRetries > 0 && attempt > maxRetries) return "exhausted";
      logger.warn("Join cluster failed, will retry", {
        cluster,
        retry_interval_ms: intervalMs,
        error: messageOf(error),
      });
    }
    await pause(clock, intervalMs, signal);
  }
  return "aborted";
}
