/** Waiting for a local service's definition to change, as `/v1/agent/service/:id?hash=` does. */
import type { Clock } from "../platform/index.ts";
import type { LocalState } from "./local-state.ts";

export interface ServiceWait {
  readonly id: string;
  /** The hash that the caller knows. */
  readonly hash: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Resolves when the hash differs or the service is gone, the time is up, or the caller has gone. */
export async function serviceChanged(
  state: LocalState,
  clock: Clock,
  { id, hash, waitMs, signal }: ServiceWait,
): Promise<void> {
  const isSame = (): boolean => state.services.get(id)?.contentHash === hash;
  if (!isSame() || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      timer[Symbol.dispose]();
      subscription[Symbol.dispose]();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = clock.after(waitMs, finish);
    const subscription = state.onChange(() => {
      if (!isSame()) finish();
    });
    signal.addEventListener("abort", finish);
  });
}
