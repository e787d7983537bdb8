/** `/v1/status` (Consul HTTP API, "Status"). */
import { list, text } from "../model/index.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { queryOptions, READ_PARAMETERS } from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

const ADDRESS = text({ description: "host:port of the server's RPC" });
const ADDRESSES = list(text());
const leaderBody = jsonBody(ADDRESS);
const peersBody = jsonBody(ADDRESSES);

async function leader(call: Call): Promise<Reply> {
  const { Datacenter } = queryOptions(call);
  return reply(leaderBody(await call.needs.delegate.call("Status.Leader", { Datacenter })));
}

async function peers(call: Call): Promise<Reply> {
  const { Datacenter } = queryOptions(call);
  return reply(peersBody(await call.needs.delegate.call("Status.Peers", { Datacenter })));
}

export const statusRoutes = [
  defineRoute("/v1/status/leader", "Status", {
    GET: {
      summary: "The leader's address",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "host:port, or empty when there is none", schema: ADDRESS } },
      handle: leader,
    },
  }),
  defineRoute("/v1/status/peers", "Status", {
    GET: {
      summary: "Addresses of the servers that take part in Raft",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "Each as host:port", schema: ADDRESSES } },
      handle: peers,
    },
  }),
];
