/**
 * The TTLs of sessions, kept by the leader alone: a session that is not renewed for twice its TTL is
 * destroyed. Twice, so that a client that renews once per TTL survives one lost request.
 */
import { MILLISECOND, parseDuration } from "../model/index.ts";
import type { Clock, Logger } from "../platform/index.ts";

const TTL_MULTIPLIER = 2;
const DESTROY_ATTEMPTS = 6;
const FIRST_RETRY_MS = 10_000;

export interface SessionTimersNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The session's TTL as it stands in the store; undefined for one that is not there. */
  readonly ttlOf: (sessionId: string) => string | undefined;
  readonly destroy: (sessionId: string) => Promise<void>;
}

export class SessionTimers implements Disposable {
  readonly #needs: SessionTimersNeeds;
  readonly #timers = new Map<string, Disposable>();

  constructor(needs: SessionTimersNeeds) {
    this.#needs = needs;
  }

  /** Starts the session's TTL from the beginning; a session without one is left alone. */
  renew(sessionId: string): void {
    const ttl = this.#needs.ttlOf(sessionId);
    const ttlNs = ttl === undefined ? undefined : parseDuration(ttl);
    if (ttlNs === undefined || ttlNs <= 0) return;
    this.#arm(sessionId, (ttlNs / MILLISECOND) * TTL_MULTIPLIER, () => this.#expire(sessionId, 1));
  }

  stop(sessionId: string): void {
    this.#timers.get(sessionId)?.[Symbol.dispose]();
    this.#timers.delete(sessionId);
  }

  get size(): number {
    return this.#timers.size;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  #arm(sessionId: string, delayMs: number, fire: () => void): void {
    this.stop(sessionId);
    this.#timers.set(sessionId, this.#needs.clock.after(delayMs, fire));
  }

  #expire(sessionId: string, attempt: number): void {
    const { destroy, logger } = this.#needs;
    this.#timers.delete(sessionId);
    logger.debug("Session TTL expired", { session: sessionId });
    destroy(sessionId).catch((error: unknown) => {
      if (attempt >= DESTROY_ATTEMPTS) {
        logger.error("maximum destroy attempts reached for session", { session: sessionId, error });
        return;
      }
      const retryMs = FIRST_RETRY_MS * 2 ** (attempt - 1);
      this.#arm(sessionId, retryMs, () => this.#expire(sessionId, attempt + 1));
    });
  }
}
