/** Learns that a lock which is held has been lost: its session has ended, or somebody removed its key. */
import { RollcallError } from "../errors/index.ts";
import { type Clock, pause } from "../platform/index.ts";
import type { Held, LockKind } from "./lock-kind.ts";

const RETRY_MS = 1000;

export interface HeldWatch extends Disposable {
  /** Aborted once the lock is lost. */
  readonly lost: AbortSignal;
}

/**
 * While the agent does not answer nobody knows; after `retryMax` failures in a row the lock counts as lost. An
 * agent that cannot be reached at all is no reason to retry, as the session cannot be renewed through it either.
 */
export function watchHeld(
  kind: LockKind,
  clock: Clock,
  {
    session,
    held,
    retryMax,
  }: { readonly session: string; readonly held: Held; readonly retryMax: number },
): HeldWatch {
  const lost = new AbortController();
  const over = new AbortController();
  const run = async (): Promise<void> => {
    let { since } = held;
    let failureCount = 0;
    while (!over.signal.aborted) {
      try {
        const state = await kind.isHeld(session, since, over.signal);
        if (!state.isHeld) break;
        ({ since } = state);
        failureCount = 0;
      } catch (error) {
        failureCount += 1;
        const mayPass = error instanceof RollcallError && error.code === "request/refused";
        if (!mayPass || failureCount > retryMax) break;
        since = 0n;
        await pause(clock, RETRY_MS, over.signal);
      }
    }
  };
  void run().finally(() => {
    if (!over.signal.aborted) lost.abort();
  });
  return { lost: lost.signal, [Symbol.dispose]: () => over.abort() };
}
