/**
 * Network coordinates: where a node stands in a space in which distance is round-trip time (Consul docs: "Network
 * Coordinates"; Vivaldi, Dabek et al., SIGCOMM 2004).
 */
import { float, list, pointer, struct, text, type Static } from "./schema.ts";

export const NetworkCoordinate = struct("Coordinate", {
  Vec: list(float(), { description: "Seconds, one for each of 8 dimensions" }),
  Error: float({ description: "How sure the node is of its place; 0 is certain" }),
  Adjustment: float({
    description: "Seconds to add to a distance, learned from what was measured",
  }),
  Height: float({ description: "Seconds of the node's own access link" }),
});
export type NetworkCoordinate = Static<typeof NetworkCoordinate>;

export const NodeCoordinate = struct("NodeCoordinate", {
  Node: text(),
  Segment: text(),
  Coord: pointer(NetworkCoordinate),
});
export type NodeCoordinate = Static<typeof NodeCoordinate>;

/** Body of log command 6: what many agents said since the last one. */
export const CoordinateBatch = list(NodeCoordinate);
export type CoordinateBatch = readonly NodeCoordinate[];

export const COORDINATE_DIMENSIONS = 8;

/** What is wrong with a coordinate, in Consul's words. */
export function coordinateFault(coordinate: NetworkCoordinate | null): string | undefined {
  const { Vec, Error, Adjustment, Height } = coordinate ?? {
    Vec: null,
    Error: 0,
    Adjustment: 0,
    Height: 0,
  };
  if (Vec?.length !== COORDINATE_DIMENSIONS) return "incompatible coordinate";
  const isValid = [...Vec, Error, Adjustment, Height].every(Number.isFinite);
  return isValid ? undefined : "invalid coordinate";
}

const NANOSECONDS_PER_SECOND = 1e9;

/** Estimated round-trip time in whole nanoseconds; Infinity where a coordinate is missing or of another space. */
export function distanceNs(
  a: NetworkCoordinate | null | undefined,
  b: NetworkCoordinate | null | undefined,
): number {
  const from = a?.Vec ?? null;
  const to = b?.Vec ?? null;
  if (!a || !b || from === null || to === null || from.length !== to.length) return Infinity;
  const squares = from.map((x, i) => (x - (to[i] ?? 0)) ** 2);
  const raw = Math.sqrt(squares.reduce((sum, square) => sum + square, 0)) + a.Height + b.Height;
  const adjusted = raw + a.Adjustment + b.Adjustment;
  return Math.trunc((adjusted > 0 ? adjusted : raw) * NANOSECONDS_PER_SECOND);
}
