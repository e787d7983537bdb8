/** Waiting between two attempts. */
import type { Clock } from "./platform.ts";

/** Ends early when `signal` aborts. */
export function pause(clock: Clock, durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.after(durationMs, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
