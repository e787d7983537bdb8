/**
 * What each datacenter says of its gateways to the others. Datacenters are not federated through gateways here, so that
 * none has said anything: the answers are those of a Consul whose servers do not announce theirs.
 */
import { RollcallError } from "../errors/index.ts";
import { any, list, map } from "../model/index.ts";
import { FAILED_READ, indexHeaders } from "./answer-headers.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { queryOptions, READ_PARAMETERS, requiredTail } from "./query-options.ts";
import { reply, type Body, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

const STATES = list(any());
const GATEWAYS = map(list(any()));
const statesBody = jsonBody(STATES);
const gatewaysBody = jsonBody(GATEWAYS);
const TAG = "Service mesh";

async function headersOf(call: Call): Promise<readonly string[]> {
  const { Datacenter } = queryOptions(call);
  call.errorHeaders = FAILED_READ;
  const leader = await call.needs.delegate.call("Status.Leader", { Datacenter });
  return indexHeaders({ Index: 1, KnownLeader: leader !== "", LastContactMs: 0 });
}

const nothing =
  (body: Body) =>
  async (call: Call): Promise<Reply> =>
    reply(body, await headersOf(call));

async function state(call: Call): Promise<Reply> {
  requiredTail(call, "Bad request: Missing datacenter name");
  await headersOf(call);
  call.errorHeaders = [];
  throw new RollcallError("request/not-found", "");
}

export const federationRoutes = [
  defineRoute("/v1/internal/federation-states", TAG, {
    GET: {
      summary: "What all datacenters say of their gateways: nothing",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: { 200: { description: "Empty", schema: STATES } },
      handle: nothing(statesBody([])),
    },
  }),
  defineRoute("/v1/internal/federation-states/mesh-gateways", TAG, {
    GET: {
      summary: "Gateways of all datacenters: none",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: { 200: { description: "Empty", schema: GATEWAYS } },
      handle: nothing(gatewaysBody({})),
    },
  }),
  defineRoute("/v1/internal/federation-state/:datacenter", TAG, {
    GET: {
      summary: "What a datacenter says of its gateways: nothing",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: { 400: { description: "No datacenter given" }, 404: { description: "Nothing" } },
      handle: state,
    },
  }),
];
