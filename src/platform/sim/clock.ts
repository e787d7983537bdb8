/**
 * Virtual time: it passes only when the test says so, and then in order.
 *
 * Invariants:
 *   1. Timers fire in the order of their instants, equal ones in the order they were armed.
 *   2. While a timer fires, `now()` is the instant it was due, however far the clock is to go.
 *   3. Time never passes while code is still reacting to a timer: `run`, `until` and `settle` give pending
 *      promises and streams their turns first. `advance` does not, being synchronous.
 *
 * What the operating system's threads do (compression, key derivation) is outside virtual time: await it.
 */
import { strict as assert } from "node:assert";
import { eventLoopTurn } from "../node/turn.ts";
import type { Clock, Instant } from "../platform.ts";
import { TimerHeap } from "./timer-heap.ts";

/** Not 0, and not the wall clock's: code that mixes up origins should fail at once. */
const FIRST_INSTANT_MS = 1_000_000;
/** 2026-01-01T00:00:00Z */
const FIRST_WALL_MS = 1_767_225_600_000;
/** Enough for code that itself defers to the next turn, as streams and servers do. */
const SETTLE_TURNS = 3;

export class SimClock implements Clock {
  #nowMs = FIRST_INSTANT_MS;
  #wallOffsetMs = FIRST_WALL_MS - FIRST_INSTANT_MS;
  #armedCount = 0;
  readonly #timers = new TimerHeap();

  now(): Instant {
    return this.#nowMs as Instant;
  }

  wallMs(): number {
    return Math.floor(this.#nowMs + this.#wallOffsetMs);
  }

  after(delayMs: number, fire: () => void): Disposable {
    assert(!Number.isNaN(delayMs), "a delay is a number");
    this.#armedCount += 1;
    const at = this.#nowMs + Math.max(0, delayMs);
    const timer = { at, armed: this.#armedCount, fire, place: -1 };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.remove(timer) };
  }

  /** Timers that are armed: a test that ends with some has leaked them. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** As when an operator or NTP sets the clock: `now` and timers do not notice. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Fires what falls due within `durationMs`, at once; promises that this resolves run later. */
  advance(durationMs: number): void {
    const end = this.#endOf(durationMs);
    while (this.#fireNext(end));
    this.#nowMs = end;
  }

  /** Lets `durationMs` pass as real time would: what a timer sets in motion is done before the next one. */
  async run(durationMs: number): Promise<void> {
    const end = this.#endOf(durationMs);
    await this.settle();
    while (this.#fireNext(end)) await this.settle();
    this.#nowMs = Math.max(this.#nowMs, end);
  }

  /** Lets everything that can go on without time passing go on. Fires no timer. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await eventLoopTurn();
  }

  /**
   * Lets time pass until `work` is settled, and no longer.
   * @throws what `work` rejects with, or an Error once `limitMs` have passed
   */
  async until<T>(work: Promise<T>, limitMs = 3_600_000): Promise<T> {
    const end = this.#endOf(limitMs);
    const progress = { settled: false };
    const note = (): void => {
      progress.settled = true;
    };
    work.then(note, note);
    await this.settle();
    while (!progress.settled && this.#fireNext(end)) await this.settle();
    if (progress.settled) return work;
    this.#nowMs = end;
    throw new Error(`still pending after ${limitMs} ms of virtual time`);
  }

  #fireNext(end: number): boolean {
    const next = this.#timers.first();
    if (next === undefined || next.at > end) return false;
    this.#timers.remove(next);
    this.#nowMs = Math.max(this.#nowMs, next.at);
    next.fire();
    return true;
  }

  #endOf(durationMs: number): number {
    assert(durationMs >= 0 && Number.isFinite(durationMs), "time only goes forward");
    return this.#nowMs + durationMs;
  }
}
