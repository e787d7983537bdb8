/** How network coordinates travel. */
import {
  list,
  messageOf,
  NetworkCoordinate,
  NodeCoordinate,
  pointer,
  struct,
  text,
  type Static,
} from "../model/index.ts";
import { inDatacenter, NOTHING, plain, read, type Values } from "./exchange.ts";
import { NODE_QUERY, noNodeFields, toQuery } from "./query-shapes.ts";
import type { DatacenterMap } from "./remote-methods.ts";

const UpdateRequest = struct("CoordinateUpdateRequest", {
  Datacenter: text(),
  Node: text(),
  Segment: text(),
  Coord: pointer(NetworkCoordinate),
  Token: text(),
});
type UpdateRequest = Static<typeof UpdateRequest>;

const DatacenterMaps = list(
  struct("DatacenterMap", {
    Datacenter: text(),
    AreaID: text(),
    Coordinates: list(NodeCoordinate),
  }),
);

const COORDINATES = { Coordinates: list(NodeCoordinate) };
const toCoordinates = (
  wire: Values<typeof COORDINATES>,
): { readonly Coordinates: readonly NodeCoordinate[] } => ({ Coordinates: wire.Coordinates ?? [] });

export const COORDINATE = {
  "Coordinate.Update": plain<"Coordinate.Update", UpdateRequest, object>({
    name: "Coordinate.Update",
    args: messageOf(UpdateRequest),
    reply: NOTHING,
    fromArgs: ({ Token = "", ...args }, datacenter) => ({
      ...args,
      Token,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    toReply: () => undefined,
    answer: async (server, wire, signal) => {
      await server.call("Coordinate.Update", wire, { signal });
      return {};
    },
  }),
  "Coordinate.ListNodes": read({
    method: "Coordinate.ListNodes",
    args: NODE_QUERY,
    reply: COORDINATES,
    toArgs: toQuery,
    fromArgs: noNodeFields,
    toValue: toCoordinates,
    fromValue: ({ Coordinates }) => ({ Coordinates }),
  }),
  "Coordinate.Node": read({
    method: "Coordinate.Node",
    args: { Node: text() },
    reply: COORDINATES,
    toArgs: (wire) => ({ ...toQuery(wire), Node: wire.Node }),
    fromArgs: ({ Node }) => ({ Node }),
    toValue: toCoordinates,
    fromValue: ({ Coordinates }) => ({ Coordinates }),
  }),
  "Coordinate.ListDatacenters": plain<
    "Coordinate.ListDatacenters",
    object,
    readonly DatacenterMap[] | null
  >({
    name: "Coordinate.ListDatacenters",
    args: NOTHING,
    reply: messageOf(DatacenterMaps),
    fromArgs: () => ({}),
    toReply: (wire) => wire ?? [],
    answer: ({ hooks }) => hooks.datacenterMaps(),
  }),
};
