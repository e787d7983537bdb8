/** How a server leaves its cluster without anybody noticing much. */
import { messageOf } from "../errors/index.ts";
import { pause, type Clock, type Logger } from "../platform/index.ts";
import type { Consensus } from "./consensus.ts";

/** Consul's grace for being removed by the others. */
const REMOVAL_WAIT_MS = 5000;
const LOOK_MS = 50;

/** Somebody else is to lead before this server goes. */
export async function handOver(consensus: Consensus, logger: Logger): Promise<void> {
  if (!consensus.isLeader || consensus.members.length < 2) return;
  try {
    await consensus.transferLeadership();
    logger.info("successfully transferred leadership");
  } catch (error) {
    logger.error("failed to transfer leadership", { error: messageOf(error) });
  }
}

export interface Departure {
  readonly consensus: Consensus;
  readonly ownId: string;
  readonly clock: Clock;
  /** For so long who still asks this server is answered: others do not know at once that it has left. */
  readonly drainMs: number;
}

/** Resolves when the others have taken this server out of the cluster, or have not for a while. */
export async function untilGone({ consensus, ownId, clock, drainMs }: Departure): Promise<void> {
  const isMember = (): boolean => consensus.members.some(({ id }) => id === ownId);
  // Who is alone leaves nobody behind that could be asked, or could let it go.
  if (consensus.members.every(({ id }) => id === ownId)) return;
  const { signal } = new AbortController();
  await pause(clock, drainMs, signal);
  const deadline = clock.now() + REMOVAL_WAIT_MS;
  while (isMember() && clock.now() < deadline) await pause(clock, LOOK_MS, signal);
}
