/**
 * How far this node's own event loop falls behind, told by how late its timers fire, and what follows from that.
 *
 * Lifeguard's local health (arXiv:1707.00788) learns that this node is slow from probes that failed. An event loop
 * can tell earlier: when a timer fires late, nothing was read meanwhile, and the answers that it waited for may be
 * in the socket already. So lag counts against this node's own health, and a timer on which a verdict over another
 * member hangs (`deadline`) gives what has arrived as much time to be read as the loop had lost.
 */
import type { Awareness } from "./awareness.ts";
import type { Clock, Instant } from "../platform/index.ts";

/** Timers are often a little late; no verdict waits for less. */
const PUNCTUAL_MS = 10;
/** A loop that is always late must come to a verdict some time. */
const GRACES_MAX = 3;

export interface LoopLagOptions {
  readonly clock: Clock;
  readonly awareness: Awareness;
  /** Half of it, scaled with the health score, is how late a timer may be. */
  readonly probeTimeoutMs: number;
  /** What a point of the health score stands for. */
  readonly probeIntervalMs: number;
  readonly mode: "counts" | "ignored";
  readonly onLag: (lateMs: number) => void;
}

export class LoopLag {
  readonly #options: LoopLagOptions;
  /** Lateness until here has been counted: one stall makes many timers late. */
  #countedUntil: number;

  constructor(options: LoopLagOptions) {
    this.#options = options;
    this.#countedUntil = options.clock.now();
  }

  /** Whether a timer that was so late tells nothing about anybody but this node. */
  isStall(lateMs: number): boolean {
    const { awareness, probeTimeoutMs, mode } = this.#options;
    return mode === "counts" && lateMs > awareness.scaled(probeTimeoutMs / 2);
  }

  /** As `Clock.after`. @param fire told how late it was if that was a stall, else 0 */
  after(delayMs: number, fire: (lateMs: number) => void): Disposable {
    const { clock } = this.#options;
    const dueAt = clock.now() + delayMs;
    return clock.after(delayMs, () => {
      const now = clock.now();
      const lateMs = now - dueAt;
      const stalled = this.isStall(lateMs);
      this.#count(dueAt, now);
      fire(stalled ? lateMs : 0);
    });
  }

  /**
   * As `after`; when it comes late, it first lets pass as much time again, at most `graceMs`, and so a few times
   * if it is late again and again.
   *
   * @param fire told how late it was if that was a stall, else 0
   */
  deadline(delayMs: number, graceMs: number, fire: (stallMs: number) => void): Disposable {
    const { clock } = this.#options;
    let timer: Disposable | undefined;
    const arm = (forMs: number, graces: number, stalledMs: number): void => {
      const dueAt = clock.now() + forMs;
      timer = this.after(forMs, (stallMs) => {
        const lateMs = clock.now() - dueAt;
        const worstMs = Math.max(stallMs, stalledMs);
        const isPunctual = lateMs <= PUNCTUAL_MS || this.#options.mode === "ignored";
        if (isPunctual || graces === 0) fire(worstMs);
        else arm(Math.min(lateMs, graceMs), graces - 1, worstMs);
      });
    };
    arm(delayMs, GRACES_MAX, 0);
    return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
  }

  #count(dueAt: number, now: Instant): void {
    const { awareness, probeIntervalMs, onLag } = this.#options;
    const lateMs = now - Math.max(dueAt, this.#countedUntil);
    if (this.isStall(lateMs)) {
      awareness.change(1 + Math.floor(lateMs / probeIntervalMs));
      onLag(lateMs);
    }
    if (lateMs > 0) this.#countedUntil = now;
  }
}
