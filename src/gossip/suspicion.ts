/**
 * How long a suspect has to refute, and who accuses it (memberlist: suspicion.go).
 *
 * Source: Lifeguard (Dadgar, Phillips, Currey; arXiv:1707.00788), "LHA-Suspicion": start from a long timeout, and
 * shorten it as independent accusers agree. One slow accuser then cannot kill a healthy member, and one that is
 * really gone is found as fast as in SWIM.
 */
import { strict as assert } from "node:assert";
import type { Instant } from "../platform/index.ts";

export interface SuspicionTiming {
  /** Members that agreed after the first accusation, each counted once. */
  readonly accusers: number;
  /** With so many the timeout is at its shortest. */
  readonly expected: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * From `maxMs` down to `minMs` on a log curve:
 *
 *     minMs 2000, maxMs 30000, expected 3:  accusers 0 ▶ 30000, 1 ▶ 16000, 2 ▶ 7810, 3 ▶ 2000
 *
 * @returns whole milliseconds from the first accusation
 * @throws {AssertionError} when `expected < 1` or `minMs > maxMs`: a bug in the caller
 */
export function suspicionTimeoutMs({ accusers, expected, minMs, maxMs }: SuspicionTiming): number {
  assert(expected >= 1 && minMs <= maxMs, "a timeout that can shrink");
  const agreed = Math.log(accusers + 1) / Math.log(expected + 1);
  return Math.max(minMs, Math.floor(maxMs - agreed * (maxMs - minMs)));
}

/** SWIM's timeout: long enough for an accusation to reach everybody, and a refutation to come back. */
export function suspicionMinMs(options: {
  readonly mult: number;
  readonly memberCount: number;
  readonly probeIntervalMs: number;
}): number {
  const { mult, memberCount, probeIntervalMs } = options;
  const scaleThousandths = Math.trunc(Math.max(1, Math.log10(Math.max(1, memberCount))) * 1000);
  return (mult * scaleThousandths * probeIntervalMs) / 1000;
}

export interface SuspicionSettings {
  readonly suspicionMult: number;
  readonly suspicionMaxTimeoutMult: number;
  readonly probeIntervalMs: number;
}

/** One suspect's clock. */
export class Suspicion {
  readonly #since: Instant;
  readonly #minMs: number;
  readonly #maxMs: number;
  /** 0: there are too few members to agree, so the shortest timeout holds at once. */
  readonly expected: number;
  /** The first accuser is among them. */
  readonly #accusers: string[];
  #dueAt: Instant;

  constructor(by: string, memberCount: number, settings: SuspicionSettings, now: Instant) {
    const { suspicionMult, suspicionMaxTimeoutMult, probeIntervalMs } = settings;
    const wanted = suspicionMult - 2;
    // Neither the suspect nor this node can agree.
    this.expected = memberCount - 2 < wanted ? 0 : wanted;
    this.#minMs = suspicionMinMs({ mult: suspicionMult, memberCount, probeIntervalMs });
    this.#maxMs = suspicionMaxTimeoutMult * this.#minMs;
    this.#since = now;
    this.#accusers = [by];
    this.#dueAt = this.#deadline();
  }

  /** Beside the first. */
  get agreedCount(): number {
    return this.#accusers.length - 1;
  }

  get dueAt(): Instant {
    return this.#dueAt;
  }

  /** @returns whether that is news, so that others should hear of it */
  agree(by: string): boolean {
    if (this.agreedCount >= this.expected || this.#accusers.includes(by)) return false;
    this.#accusers.push(by);
    this.#dueAt = this.#deadline();
    return true;
  }

  #deadline(): Instant {
    return (this.#since + this.#timeoutMs()) as Instant;
  }

  #timeoutMs(): number {
    if (this.expected < 1) return this.#minMs;
    return suspicionTimeoutMs({
      accusers: this.agreedCount,
      expected: this.expected,
      minMs: this.#minMs,
      maxMs: this.#maxMs,
    });
  }
}
