/**
 * Tells the catalog, now and then, where this agent is in the space of round-trip times (Consul: agent/agent.go,
 * `sendCoordinate`). The larger the pool, the more rarely: all agents together send at most 64 a second.
 */
import { messageOf } from "../errors/index.ts";
import type { Clock, Logger, Random } from "../platform/index.ts";
import type { Delegate } from "../rpc/index.ts";
import type { WireCoordinate } from "../wire/index.ts";

const INTERVAL_MIN_MS = 15_000;
const SENDERS_PER_SECOND = 64;

export interface CoordinateSenderNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly delegate: Delegate;
  readonly datacenter: string;
  readonly nodeName: string;
  readonly segment: string;
  readonly memberCount: () => number;
  readonly coordinate: () => WireCoordinate;
}

export function coordinateIntervalMs(memberCount: number): number {
  return Math.max(INTERVAL_MIN_MS, (memberCount / SENDERS_PER_SECOND) * 1000);
}

export class CoordinateSender implements Disposable {
  readonly #needs: CoordinateSenderNeeds;
  #timer: Disposable | undefined;
  #isClosed = false;

  constructor(needs: CoordinateSenderNeeds) {
    this.#needs = needs;
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { clock, random, memberCount } = this.#needs;
    const intervalMs = coordinateIntervalMs(memberCount());
    const splayMs = random.float() * intervalMs;
    this.#timer = clock.after(intervalMs + splayMs, () => {
      void this.#send().then(() => this.#schedule());
    });
  }

  async #send(): Promise<void> {
    const { delegate, logger, datacenter, nodeName, segment, coordinate } = this.#needs;
    try {
      await delegate.call("Coordinate.Update", {
        Datacenter: datacenter,
        Node: nodeName,
        Segment: segment,
        Coord: coordinate(),
      });
    } catch (error) {
      logger.error("Coordinate update error", { error: messageOf(error) });
    }
  }
}
