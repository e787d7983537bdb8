/** A signal that goes off after a time, when another does, or when its owner says so. */
import { RollcallError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";

export interface DeadlineSignal extends Disposable {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/** Dispose it when the work is done, so that nothing is left listening to `other`. */
export function deadlineSignal(clock: Clock, afterMs: number, other?: AbortSignal): DeadlineSignal {
  const controller = new AbortController();
  const timer = clock.after(afterMs, () => {
    controller.abort(new RollcallError("net/dial", "i/o timeout"));
  });
  const follow = (): void => controller.abort(other?.reason);
  if (other?.aborted) follow();
  other?.addEventListener("abort", follow);
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
      other?.removeEventListener("abort", follow);
    },
  };
}
