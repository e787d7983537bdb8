/**
 * A call that waits for somebody who can answer it: while nobody leads, or nobody is known, callers are held for a
 * while instead of being refused (Consul: `rpc_hold_timeout`).
 */
import { RollcallError } from "../errors/index.ts";
import type { Clock, Random } from "../platform/index.ts";
import { isUnanswered } from "./failure.ts";
import { isRepeatable } from "./method-kinds.ts";
import type { MethodName } from "./methods.ts";

export interface HeldCall<R> {
  readonly method: MethodName;
  readonly signal: AbortSignal | undefined;
  /** undefined: there is nobody to ask just now. */
  readonly attempt: () => Promise<R> | undefined;
}
export interface Holding {
  readonly clock: Clock;
  readonly random: Random;
  readonly holdTimeoutMs: number;
  /** Tells when there may be somebody to ask now. */
  readonly onChange: (listener: () => void) => Disposable;
  /** Nobody is to wait here any more. */
  readonly isLeaving: () => boolean;
  /** What is said to who has waited in vain. */
  readonly nobody: () => RollcallError;
}

const WAITS_PER_HOLD = 16;

/** @throws what the last attempt threw; `nobody`; the signal's reason */
export async function heldCall<R>(holding: Holding, call: HeldCall<R>): Promise<R> {
  const { clock, holdTimeoutMs, isLeaving, nobody } = holding;
  const { method, signal, attempt } = call;
  const deadline = clock.now() + holdTimeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    let failure: unknown;
    try {
      const answer = attempt();
      if (answer !== undefined) return await answer;
    } catch (error) {
      if (!mayTryAgain(method, error)) throw error;
      failure = error;
    }
    const leftMs = deadline - clock.now();
    if (isLeaving() || leftMs <= 0) {
      const isJustNoLeader = failure === undefined || isNoLeader(failure);
      throw isJustNoLeader ? nobody() : failure;
    }
    await pauseFor(holding, signal, leftMs);
  }
}

/** Whether it was certainly not done, or may be done twice. */
function mayTryAgain(method: MethodName, error: unknown): boolean {
  if (isNoLeader(error)) return true;
  const outcome = isUnanswered(error);
  if (outcome === undefined) return false;
  return outcome === "not sent" || isRepeatable(method);
}

function isNoLeader(error: unknown): boolean {
  return error instanceof RollcallError && error.code === "raft/no-leader";
}

/** Until somebody can be asked, or some of the time has passed. */
function pauseFor(
  { clock, random, holdTimeoutMs, onChange }: Holding,
  signal: AbortSignal | undefined,
  leftMs: number,
): Promise<void> {
  const jitterMs = Math.max(1, (random.float() * holdTimeoutMs) / WAITS_PER_HOLD);
  return new Promise((resolve) => {
    const done = (): void => {
      timer[Symbol.dispose]();
      watching[Symbol.dispose]();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(Math.min(leftMs, jitterMs), done);
    const watching = onChange(done);
    signal?.addEventListener("abort", done);
  });
}
