/** `/v1/coordinate` (Consul HTTP API, "Coordinates"). */
import { RollcallError } from "../errors/index.ts";
import { list, NetworkCoordinate, NodeCoordinate, pointer, struct, text } from "../model/index.ts";
import { indexHeaders, read } from "./answer-headers.ts";
import { cachedJsonBody, jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { DC_PARAMETERS, queryOptions, READ_PARAMETERS, tokenOf } from "./query-options.ts";
import { emptyReply, EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { jsonRequest } from "./request-json.ts";
import { defineRoute, type Operation, type Parameters } from "./route.ts";

const COORDINATES = list(NodeCoordinate);
const DATACENTERS = list(
  struct("DatacenterMap", { Datacenter: text(), AreaID: text(), Coordinates: COORDINATES }),
);
const UpdateRequest = struct("CoordinateUpdateRequest", {
  Datacenter: text(),
  Node: text(),
  Segment: text(),
  Coord: pointer(NetworkCoordinate),
});
type Coordinates = { readonly Coordinates: readonly NodeCoordinate[] };

const allBody = cachedJsonBody(COORDINATES, ({ Coordinates }: Coordinates) => Coordinates);
const someBody = jsonBody(COORDINATES);
const datacentersBody = jsonBody(DATACENTERS);
const updateRequest = jsonRequest(UpdateRequest, { unknown: "refuse" });

async function datacenters({ needs }: Call): Promise<Reply> {
  return reply(datacentersBody(await needs.agent.datacenterMaps()));
}

async function nodes(call: Call): Promise<Reply> {
  const { value, meta } = await read(call, "Coordinate.ListNodes", queryOptions(call));
  const headers = indexHeaders(meta);
  const segment = call.query.get("segment");
  if (segment === "") return reply(allBody(value), headers);
  return reply(someBody(inSegment(value, segment)), headers);
}

async function node(call: Call): Promise<Reply> {
  const args = { ...queryOptions(call), Node: call.tail };
  const { value, meta } = await read(call, "Coordinate.Node", args);
  const segment = call.query.get("segment");
  const found = segment === "" ? value.Coordinates : inSegment(value, segment);
  return found.length === 0 ? emptyReply(404) : reply(someBody(found), indexHeaders(meta));
}

const inSegment = ({ Coordinates }: Coordinates, segment: string): readonly NodeCoordinate[] =>
  Coordinates.filter(({ Segment }) => Segment === segment);

async function update(call: Call): Promise<Reply> {
  const request = await updateRequest(call);
  const Datacenter = call.query.get("dc") || request.Datacenter;
  const args = { ...request, Datacenter, Token: tokenOf(call) };
  await call.needs.delegate.call("Coordinate.Update", args);
  return EMPTY_REPLY;
}

/** Where coordinates are off there is nobody to ask for them. */
function unlessDisabled(operation: Operation): Operation {
  return {
    ...operation,
    answers: { ...operation.answers, 401: { description: "Coordinates are off" } },
    handle: (call) => {
      if (!call.config.disableCoordinates) return operation.handle(call);
      throw new RollcallError("feature/disabled", "Coordinate support disabled");
    },
  };
}

const TAG = "Coordinates";
const SEGMENT: Parameters = {
  segment: { description: "Only coordinates of this network segment", type: "text" },
};

export const coordinateRoutes = [
  defineRoute("/v1/coordinate/datacenters", TAG, {
    GET: unlessDisabled({
      summary: "Coordinates of the servers of all datacenters, which hold between datacenters",
      query: DC_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "By datacenter", schema: DATACENTERS } },
      handle: datacenters,
    }),
  }),
  defineRoute("/v1/coordinate/nodes", TAG, {
    GET: unlessDisabled({
      summary: "Coordinates of all nodes",
      query: { ...READ_PARAMETERS, ...SEGMENT },
      answerHeaders: "index",
      answers: { 200: { description: "Sorted by node", schema: COORDINATES } },
      handle: nodes,
    }),
  }),
  defineRoute("/v1/coordinate/node/:node", TAG, {
    GET: unlessDisabled({
      summary: "Coordinates of a node, one for each segment that it is in",
      query: { ...READ_PARAMETERS, ...SEGMENT },
      answerHeaders: "index",
      answers: {
        200: { description: "The coordinates", schema: COORDINATES },
        404: { description: "None of this node; the body is empty" },
      },
      handle: node,
    }),
  }),
  defineRoute("/v1/coordinate/update", TAG, {
    PUT: unlessDisabled({
      summary: "Say where a node stands",
      description: "Written with others some seconds later.",
      query: DC_PARAMETERS,
      requestBody: { description: "The node and its coordinate", schema: UpdateRequest },
      answerHeaders: "none",
      answers: {
        200: { description: "Taken; the body is empty" },
        400: { description: "The body cannot be decoded" },
      },
      handle: update,
    }),
  }),
];
