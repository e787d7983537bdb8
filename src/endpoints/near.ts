/**
 * Sorting by distance: what stands on the nearest nodes first, by the round-trip times that their network coordinates
 * let expect (Consul HTTP API, `?near=`).
 */
import { distanceNs, type NodeCoordinate } from "../model/index.ts";
import type { QueryOptions } from "../rpc/index.ts";
import type { ReadView } from "../store/index.ts";

/** Part of a question. Node names compare without regard to case. */
export const nearQuestion = ({ Near = "" }: QueryOptions): string => Near.toLowerCase();

/**
 * The items, nearest to the node `near` first; equally far ones, and those without a coordinate at the end, stay in
 * order. Without a coordinate of `near` itself nothing moves.
 */
export function sortedByDistance<T>(
  view: ReadView,
  near: string,
  items: readonly T[],
  nodeOf: (item: T) => string,
): readonly T[] {
  if (near === "") return items;
  const origin = view.coordinatesOfNode(near);
  if (origin.length === 0) return items;
  const distances = new Map<string, number>();
  const distanceTo = (node: string): number => {
    const known = distances.get(node);
    if (known !== undefined) return known;
    const distance = between(origin, view.coordinatesOfNode(node));
    distances.set(node, distance);
    return distance;
  };
  return items.toSorted((a, b) => compare(distanceTo(nodeOf(a)), distanceTo(nodeOf(b))));
}

/** Infinities are equal: their difference would be no number. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b);

/** Coordinates can be compared within a segment only. */
function between(from: readonly NodeCoordinate[], to: readonly NodeCoordinate[]): number {
  for (const { Segment, Coord } of from) {
    const other = to.find((candidate) => candidate.Segment === Segment);
    if (other !== undefined) return distanceNs(Coord, other.Coord);
  }
  return Infinity;
}
