/** How long this agent itself holds an answer: for what it does not ask a server for. */
import { MILLISECOND, MINUTE } from "../model/index.ts";
import type { Random } from "../platform/index.ts";

const DEFAULT_WAIT_MS = (5 * MINUTE) / MILLISECOND;
const MAX_WAIT_MS = (10 * MINUTE) / MILLISECOND;
/** A wait is prolonged by up to this share of itself, so that many callers do not come back at once. */
const JITTER_SHARE = 1 / 16;

/** @param askedMs 0 for the default */
export function heldMs(askedMs: number, random: Pick<Random, "float">): number {
  const waitMs = Math.min(askedMs === 0 ? DEFAULT_WAIT_MS : askedMs, MAX_WAIT_MS);
  return waitMs + random.float() * waitMs * JITTER_SHARE;
}
