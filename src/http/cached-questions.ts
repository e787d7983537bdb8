/**
 * Which questions this agent has been asked before with `?cached`.
 *
 * Consul's agent keeps an answer that was asked for with `?cached`, and a blocking query of its own keeps it fresh.
 * Here the store does that for every answer, so that a cached one is never old; what is left to tell is whether
 * it is the first.
 */
import { createHash } from "node:crypto";
import type { Clock, Instant } from "../platform/index.ts";

/** Questions beyond this many push out the one that was not asked for longest. */
const MAX_QUESTIONS = 8192;
/** As Consul: a question that nobody asked for so long is new again. */
const IDLE_MAX_MS = 3 * 24 * 3600 * 1000;

export class CachedQuestions {
  readonly #clock: Clock;
  /** When each was last asked, in this order; by hash, as a question may be long and holds a token. */
  readonly #askedAt = new Map<string, Instant>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether `question` was known; it is from now on */
  ask(question: string): boolean {
    const now = this.#clock.now();
    const key = createHash("sha256").update(question).digest("base64");
    const before = this.#askedAt.get(key);
    this.#askedAt.delete(key);
    this.#askedAt.set(key, now);
    if (this.#askedAt.size > MAX_QUESTIONS) this.#forgetOldest();
    return before !== undefined && now - before < IDLE_MAX_MS;
  }

  #forgetOldest(): void {
    for (const key of this.#askedAt.keys()) {
      this.#askedAt.delete(key);
      return;
    }
  }
}
