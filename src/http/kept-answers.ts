/**
 * Answers that were asked for with `?cached` and that nothing keeps fresh: of prepared queries, and the list of
 * datacenters. They grow old, as in Consul's agent, until somebody asks for a younger one.
 */
import { createHash } from "node:crypto";
import type { Clock, Instant } from "../platform/index.ts";

/** Answers beyond this many push out the one that was not asked for longest. */
const MAX_ANSWERS = 1024;
/** As Consul: an answer that nobody asked for so long is forgotten. */
const IDLE_MAX_MS = 3 * 24 * 3600 * 1000;

interface Kept {
  readonly answer: unknown;
  readonly fetchedAt: Instant;
  usedAt: Instant;
}

export interface CacheWish {
  /** How old a kept answer may be; Infinity where nothing was said. */
  readonly maxAgeMs: number;
  /** How old it may be when there is no new one to be had. */
  readonly staleIfErrorMs: number;
}
export interface FromCache<T> {
  readonly answer: T;
  /** `X-Cache` and, of a kept one, its `Age` in whole seconds. */
  readonly headers: readonly string[];
}

export class KeptAnswers {
  readonly #clock: Clock;
  /** The one that was used last comes last; by hash, as a question may be long and holds a token. */
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws what `fetch` throws, if there is no answer that will do in that case */
  async answer<T>(
    question: string,
    { maxAgeMs, staleIfErrorMs }: CacheWish,
    fetch: () => Promise<T>,
  ): Promise<FromCache<T>> {
    const key = createHash("sha256").update(question).digest("base64");
    const kept = this.#find(key);
    const ageMs = kept === undefined ? Infinity : this.#clock.now() - kept.fetchedAt;
    if (kept !== undefined && maxAgeMs > 0 && ageMs <= maxAgeMs) return hit(kept, ageMs);
    try {
      const answer = await fetch();
      this.#keep(key, answer);
      return { answer, headers: ["X-Cache", "MISS"] };
    } catch (error) {
      if (kept !== undefined && ageMs < staleIfErrorMs) return hit(kept, ageMs);
      throw error;
    }
  }

  #find(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const now = this.#clock.now();
    this.#kept.delete(key);
    if (now - kept.usedAt >= IDLE_MAX_MS) return undefined;
    kept.usedAt = now;
    this.#kept.set(key, kept);
    return kept;
  }

  #keep(key: string, answer: unknown): void {
    const now = this.#clock.now();
    this.#kept.delete(key);
    this.#kept.set(key, { answer, fetchedAt: now, usedAt: now });
    if (this.#kept.size <= MAX_ANSWERS) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** Questions name the method, and so the type of their answers. */
function hit<T>({ answer }: Kept, ageMs: number): FromCache<T> {
  const age = String(Math.floor(ageMs / 1000));
  return { answer: answer as T, headers: ["X-Cache", "HIT", "Age", age] };
}
