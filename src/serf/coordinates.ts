/** Network coordinates of the pool: ours rides on every answer to a ping, a peer's comes with every answer. */
import { messageOf } from "../errors/index.ts";
import type { Logger, Meter, Random } from "../platform/index.ts";
import { decodeCoordinate, encodeCoordinate, type WireCoordinate } from "../wire/index.ts";
import { distanceS } from "./coordinate.ts";
import { Vivaldi } from "./vivaldi.ts";

export interface CoordinatesNeeds {
  readonly self: string;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Meter;
}

export class Coordinates {
  readonly #needs: CoordinatesNeeds;
  readonly #vivaldi: Vivaldi;
  /** Where peers last said they were. As many as there are members: erased ones are forgotten. */
  readonly #peers = new Map<string, WireCoordinate>();

  constructor(needs: CoordinatesNeeds) {
    this.#needs = needs;
    this.#vivaldi = new Vivaldi(needs.random);
  }

  get ours(): WireCoordinate {
    return this.#vivaldi.place;
  }

  get resets(): number {
    return this.#vivaldi.resets;
  }

  /** Of a member that has been pinged at least once, or our own. */
  of(name: string): WireCoordinate | undefined {
    return name === this.#needs.self ? this.ours : this.#peers.get(name);
  }

  forget(name: string): void {
    this.#peers.delete(name);
    this.#vivaldi.forget(name);
  }

  ackPayload(): Uint8Array {
    return encodeCoordinate(this.ours);
  }

  onPingAnswered(name: string, rttMs: number, payload: Uint8Array): void {
    if (payload.length === 0) return;
    const { logger, metrics } = this.#needs;
    try {
      const theirs = decodeCoordinate(payload);
      const before = this.ours;
      const after = this.#vivaldi.observe(name, theirs, rttMs / 1000);
      this.#peers.set(name, theirs);
      metrics.sample("serf.coordinate.adjustment-ms", distanceS(before, after) * 1000);
    } catch (error) {
      metrics.count("serf.coordinate.rejected");
      logger.trace(`serf: Rejected coordinate from ${name}: ${messageOf(error)}`);
    }
  }
}
