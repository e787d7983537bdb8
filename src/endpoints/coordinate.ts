/** The Coordinate endpoint: where nodes stand. */
import { RollcallError } from "../errors/index.ts";
import { coordinateFault, type NodeCoordinate } from "../model/index.ts";
import type { Methods, NodeQuery } from "../rpc/index.ts";
import { row, type IndexView } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";
import { questionOf, requireDatacenter, type Query } from "./query.ts";

/** Not written at once: the leader gathers what many agents say (server/coordinate-batches.ts). */
export function update(
  context: EndpointContext,
  { Datacenter, Node, Segment, Coord }: Methods["Coordinate.Update"]["args"],
): void {
  requireDatacenter(context, Datacenter);
  const fault = coordinateFault(Coord);
  if (fault !== undefined) throw new RollcallError("request/refused", fault);
  context.coordinates.update({ Node, Segment, Coord });
}

type Coordinates = { readonly Coordinates: readonly NodeCoordinate[] };
const answersCoordinates = {
  index: (indexes: IndexView): number => indexes.index(row.coordinates),
  weight: ({ Coordinates }: Coordinates): number => Coordinates.length / 4,
};

export function listNodes(): Query<Coordinates> {
  return {
    question: questionOf("Coordinate.ListNodes"),
    evaluate: (view) => ({ Coordinates: view.coordinates() }),
    ...answersCoordinates,
  };
}

export function node({ Node }: NodeQuery): Query<Coordinates> {
  return {
    question: questionOf("Coordinate.Node", Node),
    evaluate: (view) => ({ Coordinates: view.coordinatesOfNode(Node) }),
    ...answersCoordinates,
  };
}
