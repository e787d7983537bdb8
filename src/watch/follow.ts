/** Follows what a plan asks for: asks, waits for a change, asks again; what fails is asked again ever later. */
import { messageOf, RollcallError } from "../errors/index.ts";
import { formatDuration } from "../model/index.ts";
import { pause, type Clock, type Logger } from "../platform/index.ts";
import type { WatchPlan } from "./plan.ts";

/** Multiplied with the square of the failures in a row. */
const RETRY_MS = 5000;
const RETRY_MAX_MS = 180_000;
const NANOSECONDS_PER_MS = 1e6;

/** What the HTTP API answers. */
export interface WatchAnswer {
  readonly status: number;
  readonly body: string;
  /** X-Consul-Index, or 0 where there is none. Those of events need all 64 bits. */
  readonly index: bigint;
}
export interface WatchChange {
  /** Compact. */
  readonly json: string;
  readonly index: bigint;
}
export interface FollowNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly type: string;
  readonly plan: WatchPlan;
  /** @throws {RollcallError} when there is no answer */
  readonly ask: (
    path: string,
    query: WatchPlan["query"],
    signal: AbortSignal,
  ) => Promise<WatchAnswer>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Each new result, the first as soon as there is one.
 * @throws {RollcallError} `request/aborted`, if `signal` aborts in the middle of a question
 */
export async function* follow(needs: FollowNeeds): AsyncGenerator<WatchChange> {
  const { clock, logger, type, signal } = needs;
  let since = 0n;
  let last: string | undefined;
  let failureCount = 0;
  while (!signal.aborted) {
    let change: WatchChange;
    try {
      change = await look(needs, since);
    } catch (error) {
      if (!(error instanceof RollcallError) || signal.aborted) throw error;
      failureCount += 1;
      since = 0n;
      const waitMs = Math.min(RETRY_MS * failureCount ** 2, RETRY_MAX_MS);
      const retry = formatDuration(waitMs * NANOSECONDS_PER_MS);
      logger.error("Watch errored", { type, error: messageOf(error), retry });
      await pause(clock, waitMs, signal);
      continue;
    }
    failureCount = 0;
    const isNew = change.json !== last && (change.index !== since || change.index === 0n);
    // An index that falls tells of a restored state: everything is new then.
    since = change.index < since && type !== "event" ? 0n : change.index;
    if (isNew) {
      last = change.json;
      yield change;
    }
    // Without an index nothing would hold the next question.
    if (change.index === 0n) await pause(clock, RETRY_MS, signal);
  }
}

async function look({ plan, ask, signal }: FollowNeeds, since: bigint): Promise<WatchChange> {
  const query = since === 0n ? plan.query : [...plan.query, ["index", String(since)] as const];
  const { status, body, index } = await ask(plan.path, query, signal);
  if (status !== 200 && (status !== 404 || !plan.path.startsWith("/v1/kv/"))) {
    throw new RollcallError("request/refused", `Unexpected response code: ${status} (${body})`);
  }
  return { json: plan.read(status === 404 ? undefined : body, since), index };
}
