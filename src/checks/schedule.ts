/**
 * When an active check runs: first after a part of its interval (`first-runs.ts`), or after a delay that the
 * definition gives; then one interval after the previous run has ended. A slow run therefore delays the next and
 * never meets it, and missed runs are not caught up.
 */
import type { Clock } from "../platform/index.ts";

export interface Schedule {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** When the first run is, from now. */
  readonly firstMs: number;
  /** One run. It ends early when `run.signal` aborts, and may abort itself. */
  readonly run: (run: AbortController) => Promise<void>;
  /** A run that threw: a bug, to be told. The schedule goes on. */
  readonly broken: (error: unknown) => void;
}

/** Disposing it cancels what is planned and aborts what is running. */
export function schedule(options: Schedule): Disposable {
  const { clock, intervalMs, firstMs, run, broken } = options;
  let stopped = false;
  let current: AbortController | undefined;
  let next = clock.after(firstMs, () => void turn());

  async function turn(): Promise<void> {
    current = new AbortController();
    try {
      await run(current);
    } catch (error) {
      broken(error);
    }
    current = undefined;
    if (!stopped) next = clock.after(intervalMs, () => void turn());
  }

  return {
    [Symbol.dispose]() {
      stopped = true;
      next[Symbol.dispose]();
      current?.abort(new Error("check stopped"));
    },
  };
}
