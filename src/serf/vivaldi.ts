/**
 * This node's place in the network, moved a little by each round trip to a peer whose place is known
 * (serf.md §9 has the steps, in the order in which they are taken here; sources in coordinate.ts, and for the
 * gravity: Ledlie, Gardner, Seltzer, "Network Coordinates in the Wild", NSDI 2007).
 */
import { RollcallError } from "../errors/index.ts";
import type { Random } from "../platform/index.ts";
import type { WireCoordinate } from "../wire/index.ts";
import {
  DIMENSIONS,
  distanceS,
  ERROR_MAX,
  freshCoordinate,
  isFiniteCoordinate,
  pushed,
  rawDistanceS,
  ZERO,
} from "./coordinate.ts";

/** How much one round trip may change the error, and move the place. */
const ERROR_SHARE = 0.25;
const MOVE_SHARE = 0.25;
const ADJUSTMENT_SAMPLES = 20;
const LATENCY_SAMPLES = 3;
/** Distance in seconds at which the pull to the origin would be a second. */
const GRAVITY_RHO_S = 150;
const RTT_MAX_S = 10;
const ORIGIN = freshCoordinate();

export class Vivaldi {
  readonly #random: Random;
  #place: WireCoordinate;
  #adjustments: number[] = [];
  #nextAdjustment = 0;
  /** The last round trips to each peer, oldest first. */
  readonly #latencies = new Map<string, readonly number[]>();
  #resets = 0;

  constructor(random: Random, start: WireCoordinate = freshCoordinate()) {
    this.#random = random;
    this.#place = start;
  }

  get place(): WireCoordinate {
    return this.#place;
  }

  /** How often the place had become nonsense and was given up. */
  get resets(): number {
    return this.#resets;
  }

  /**
   * @param rttS seconds
   * @throws {RollcallError} `request/refused` for a place or a time that cannot be; nothing is changed then
   */
  observe(peer: string, theirs: WireCoordinate, rttS: number): WireCoordinate {
    if (theirs.Vec.length !== DIMENSIONS) throw refused("dimensions aren't compatible");
    if (!isFiniteCoordinate(theirs)) throw refused("coordinate is not finite");
    if (!(rttS >= 0 && rttS <= RTT_MAX_S)) {
      const range = `a positive value less than ${RTT_MAX_S}s`;
      throw refused(`round trip time not in valid range, duration ${rttS}s is not ${range}`);
    }
    const typicalS = this.#typicalS(peer, rttS);
    this.#approach(theirs, typicalS);
    this.#adjust(theirs, typicalS);
    this.#fall();
    if (!isFiniteCoordinate(this.#place)) {
      this.#resets += 1;
      this.#place = freshCoordinate();
    }
    return this.#place;
  }

  forget(peer: string): void {
    this.#latencies.delete(peer);
  }

  /** The median of the last few: one slow round trip says nothing of the network. */
  #typicalS(peer: string, rttS: number): number {
    const samples = [...(this.#latencies.get(peer) ?? []), rttS].slice(-LATENCY_SAMPLES);
    this.#latencies.set(peer, samples);
    const sorted = samples.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? rttS;
  }

  /** Vivaldi's step: the surer we are of ourselves, and the less of the peer, the smaller it is. */
  #approach(theirs: WireCoordinate, typicalS: number): void {
    const rttS = Math.max(typicalS, ZERO);
    const distance = distanceS(this.#place, theirs);
    const wrong = Math.abs(distance - rttS) / rttS;
    const ourError = this.#place.Error;
    const weight = ourError / Math.max(ourError + theirs.Error, ZERO);
    const share = ERROR_SHARE * weight;
    const Error = Math.min(ERROR_MAX, share * wrong + ourError * (1 - share));
    const force = MOVE_SHARE * weight * (rttS - distance);
    this.#place = this.#pushedFrom(theirs, force, { ...this.#place, Error });
  }

  /** The mean of what the space got wrong lately, half of it ours and half the peer's. */
  #adjust(theirs: WireCoordinate, typicalS: number): void {
    this.#adjustments[this.#nextAdjustment] = typicalS - rawDistanceS(this.#place, theirs);
    this.#nextAdjustment = (this.#nextAdjustment + 1) % ADJUSTMENT_SAMPLES;
    let sum = 0;
    for (const sample of this.#adjustments) sum += sample;
    this.#place = { ...this.#place, Adjustment: sum / (2 * ADJUSTMENT_SAMPLES) };
  }

  /** A slight pull to the origin, or the whole pool would drift away from it. */
  #fall(): void {
    const distance = distanceS(ORIGIN, this.#place);
    const force = -((distance / GRAVITY_RHO_S) ** 2);
    this.#place = this.#pushedFrom(ORIGIN, force, this.#place);
  }

  #pushedFrom(source: WireCoordinate, force: number, point: WireCoordinate): WireCoordinate {
    const direction = (): readonly number[] =>
      Array.from({ length: DIMENSIONS }, () => this.#random.float() - 0.5);
    return pushed(point, source, force, direction);
  }
}

function refused(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}
