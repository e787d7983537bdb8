/** Time as the machine has it. */
import { strict as assert } from "node:assert";
import type { Clock, Instant } from "../platform.ts";

/** The longest that `setTimeout` can wait; it takes anything longer for 1 ms. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const nodeClock: Clock = {
  now: () => performance.now() as Instant,
  wallMs: () => Date.now(),
  after(delayMs, fire) {
    assert(!Number.isNaN(delayMs), "a delay is a number");
    if (delayMs <= 0) return nextTurn(fire);
    const dueMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    // Asked again on every wake-up: a long delay takes several, and `setTimeout` may be a fraction early.
    const arm = (restMs: number): void => {
      timer = setTimeout(wake, Math.ceil(Math.min(restMs, LONGEST_TIMEOUT_MS)));
    };
    const wake = (): void => {
      const restMs = dueMs - performance.now();
      if (restMs > 0) arm(restMs);
      else fire();
    };
    arm(delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** A timer would sleep for a millisecond where there is nothing to wait for. */
function nextTurn(fire: () => void): Disposable {
  const immediate = setImmediate(fire);
  return { [Symbol.dispose]: () => clearImmediate(immediate) };
}
