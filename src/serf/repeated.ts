/** Calls `act` again and again, `intervalMs` after the last call, until disposed. */
import type { Clock } from "../platform/index.ts";

export function every(clock: Clock, intervalMs: number, act: () => void): Disposable {
  let next = clock.after(intervalMs, turn);
  let stopped = false;
  function turn(): void {
    act();
    if (!stopped) next = clock.after(intervalMs, turn);
  }
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      next[Symbol.dispose]();
    },
  };
}
