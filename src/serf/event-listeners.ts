/**
 * Tells whoever subscribed, one after the other. An event that a listener causes waits until all have heard the
 * one before, so everybody hears the same order. Nothing else is queued: back-pressure is the caller's time.
 */
import { messageOf } from "../errors/index.ts";
import type { Logger } from "../platform/index.ts";
import type { SerfEvent } from "./serf-event.ts";

export type SerfListener = (event: SerfEvent) => void;

export class EventListeners {
  readonly #logger: Logger;
  readonly #listeners = new Set<{ readonly listener: SerfListener }>();
  readonly #waiting: SerfEvent[] = [];
  #telling = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  subscribe(listener: SerfListener): Disposable {
    const entry = { listener };
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => this.#listeners.delete(entry) };
  }

  tell(event: SerfEvent): void {
    this.#waiting.push(event);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      for (const { listener } of this.#listeners) this.#call(listener, next);
    }
    this.#telling = false;
  }

  /** One that throws keeps neither gossip nor the other listeners from going on. */
  #call(listener: SerfListener, event: SerfEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#logger.error(`serf: a listener failed on ${event.kind}: ${messageOf(error)}`, {
        error,
      });
    }
  }
}
