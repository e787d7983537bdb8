/** What a server tells others of its log, in Consul's words. */
import { formatDuration, MILLISECOND, parseDuration } from "../model/index.ts";
import type { RaftStats } from "../rpc/index.ts";
import type { Consensus } from "./consensus.ts";

const NEVER = "never";

export function raftStatsOf(consensus: Consensus): RaftStats {
  return {
    LastContact: contactText(consensus.lastContactMs),
    LastTerm: consensus.lastTerm,
    LastIndex: consensus.lastIndex,
  };
}

/** A Go duration: "0" on the leader, "never" where no leader was heard of. */
export function contactText(lastContactMs: number | undefined): string {
  if (lastContactMs === undefined) return NEVER;
  return lastContactMs === 0 ? "0" : formatDuration(Math.round(lastContactMs * MILLISECOND));
}

/** @returns undefined for never */
export function contactMs(text: string): number | undefined {
  const durationNs = text === NEVER ? undefined : parseDuration(text);
  return durationNs === undefined ? undefined : durationNs / MILLISECOND;
}
