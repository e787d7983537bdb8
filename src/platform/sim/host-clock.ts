/**
 * The time of one simulated host: the world's, but that timers of a paused process fire when it goes on, and
 * those of a slow one late. What a real process finds after SIGSTOP and SIGCONT: it is later than it thinks.
 */
import type { Clock, Instant } from "../platform.ts";
import type { SimLinks } from "./links.ts";

export class HostClock implements Clock {
  readonly #world: Clock;
  readonly #links: SimLinks;
  readonly #host: string;

  constructor(world: Clock, links: SimLinks, host: string) {
    this.#world = world;
    this.#links = links;
    this.#host = host;
  }

  now(): Instant {
    return this.#world.now();
  }

  wallMs(): number {
    return this.#world.wallMs();
  }

  after(delayMs: number, fire: () => void): Disposable {
    let disposed = false;
    const fireAwake = (): void => {
      this.#links.whenAwake(this.#host, () => {
        if (!disposed) fire();
      });
    };
    const timer = this.#world.after(delayMs + this.#links.slownessMs(this.#host), fireAwake);
    return {
      [Symbol.dispose]: () => {
        disposed = true;
        timer[Symbol.dispose]();
      },
    };
  }
}
