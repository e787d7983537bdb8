/**
 * Points in a space whose distances are round-trip times: eight Euclidean dimensions, the height of the access
 * link, and an adjustment for what a space cannot show. All in seconds; every function is pure.
 *
 * Sources: Dabek et al., "Vivaldi: A Decentralized Network Coordinate System", SIGCOMM 2004 (space, height,
 * force); Lee et al., "On Suitability of Euclidean Embedding for Host-Based Network Coordinate Systems",
 * IEEE/ACM ToN 2010 (adjustment). serf.md §9 has the constants.
 */
import type { WireCoordinate } from "../wire/index.ts";

export const DIMENSIONS = 8;
export const HEIGHT_MIN = 1e-5;
export const ERROR_MAX = 1.5;
/** Below this two points are the same place, and a round trip took no time. */
export const ZERO = 1e-6;

const NANOSECONDS = 1e9;

export function freshCoordinate(): WireCoordinate {
  return {
    Vec: Array.from({ length: DIMENSIONS }, () => 0),
    Error: ERROR_MAX,
    Adjustment: 0,
    Height: HEIGHT_MIN,
  };
}

export function isFiniteCoordinate({ Vec, Error, Adjustment, Height }: WireCoordinate): boolean {
  return [...Vec, Error, Adjustment, Height].every((component) => Number.isFinite(component));
}

/** Without the adjustments. */
export function rawDistanceS(one: WireCoordinate, other: WireCoordinate): number {
  return magnitude(difference(one.Vec, other.Vec)) + one.Height + other.Height;
}

/** The estimated round-trip time, in whole nanoseconds. */
export function distanceNs(one: WireCoordinate, other: WireCoordinate): number {
  const raw = rawDistanceS(one, other);
  const adjusted = raw + one.Adjustment + other.Adjustment;
  return Math.trunc((adjusted > 0 ? adjusted : raw) * NANOSECONDS);
}

export function distanceS(one: WireCoordinate, other: WireCoordinate): number {
  return distanceNs(one, other) / NANOSECONDS;
}

/**
 * Moves `point` away from `source`, or towards it if the force is negative.
 * @param direction taken when both are in the same place; each component in [-0.5, 0.5)
 */
export function pushed(
  point: WireCoordinate,
  source: WireCoordinate,
  forceS: number,
  direction: () => readonly number[],
): WireCoordinate {
  const apart = difference(point.Vec, source.Vec);
  const apartS = magnitude(apart);
  const isApart = apartS > ZERO;
  const unit = isApart ? apart.map((component) => component / apartS) : unitOf(direction());
  const Vec = point.Vec.map((component, axis) => component + (unit[axis] ?? 0) * forceS);
  if (!isApart) return { ...point, Vec };
  const raised = ((point.Height + source.Height) * forceS) / apartS + point.Height;
  return { ...point, Vec, Height: Math.max(HEIGHT_MIN, raised) };
}

/** Where chance itself has no direction the first axis is as good as any. */
function unitOf(direction: readonly number[]): readonly number[] {
  const length = magnitude(direction);
  if (length > ZERO) return direction.map((component) => component / length);
  return direction.map((_, axis) => (axis === 0 ? 1 : 0));
}

function difference(one: readonly number[], other: readonly number[]): readonly number[] {
  return one.map((component, axis) => component - (other[axis] ?? 0));
}

function magnitude(vector: readonly number[]): number {
  let sum = 0;
  for (const component of vector) sum += component * component;
  return Math.sqrt(sum);
}
