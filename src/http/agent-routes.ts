/** `/v1/agent` but for services and checks: the agent itself and the members it knows. */
import { RollcallError } from "../errors/index.ts";
import { any, int, list, map, struct, text } from "../model/index.ts";
import { jsonBody, plainJsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { maintenanceParameters, maintenanceWish } from "./maintenance-wish.ts";
import { bad, TOKEN_PARAMETERS } from "./query-options.ts";
import { EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

const Member = struct("Member", {
  Name: text(),
  Addr: text(),
  Port: int(),
  Tags: map(text()),
  Status: int({ description: "0 none, 1 alive, 2 leaving, 3 left, 4 failed" }),
  ProtocolMin: int(),
  ProtocolMax: int(),
  ProtocolCur: int(),
  DelegateMin: int(),
  DelegateMax: int(),
  DelegateCur: int(),
});
const MEMBERS = list(Member);
const SELF = map(any());
const membersBody = jsonBody(MEMBERS);

/** Consul's fields have an order of their own here, which is the agent's and is kept. */
function self(call: Call): Reply {
  return reply(plainJsonBody(call.needs.agent.self()));
}

function members(call: Call): Reply {
  const { query, config, needs } = call;
  const isWan = query.get("wan") !== "";
  const segment = query.get("segment");
  const isSegment = segment !== "" && segment !== "_all";
  if (isWan && isSegment) throw bad("Cannot provide a segment with wan=true");
  if (isSegment) {
    const text = "Network segments are not supported in this version of Consul";
    throw new RollcallError("request/refused", text);
  }
  // Only servers are in the WAN pool.
  if (isWan && !config.server) return reply(membersBody(null));
  return reply(membersBody(needs.agent.members(isWan ? "wan" : "lan")));
}

async function reload(call: Call): Promise<Reply> {
  try {
    await call.needs.agent.reload();
  } catch (error) {
    if (error instanceof RollcallError) throw error;
    throw new RollcallError("config/invalid", error instanceof Error ? error.message : undefined, {
      cause: error,
    });
  }
  return EMPTY_REPLY;
}

async function leave(call: Call): Promise<Reply> {
  await call.needs.agent.leave();
  return EMPTY_REPLY;
}

async function maintenance(call: Call): Promise<Reply> {
  const { enable, reason } = maintenanceWish(call);
  await call.needs.agent.setNodeMaintenance(enable, reason);
  return EMPTY_REPLY;
}

const TAG = "Agent";
const DONE = { 200: { description: "Done; the body is empty" } };

export const agentRoutes = [
  defineRoute("/v1/agent/self", TAG, {
    GET: {
      summary: "This agent: its configuration, its member record and its statistics",
      query: TOKEN_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "Config, DebugConfig, Coord, Member, Stats", schema: SELF } },
      handle: self,
    },
  }),
  defineRoute("/v1/agent/members", TAG, {
    GET: {
      summary: "Members that this agent sees",
      query: {
        ...TOKEN_PARAMETERS,
        wan: { description: "Not empty: the servers of all datacenters", type: "text" },
        segment: { description: "Only _all, as there are no segments", type: "text" },
      },
      answerHeaders: "none",
      answers: {
        200: { description: "null for wan on a client agent", schema: MEMBERS },
        400: { description: "A segment together with wan" },
      },
      handle: members,
    },
  }),
  defineRoute("/v1/agent/reload", TAG, {
    PUT: {
      summary: "Read the configuration again",
      query: TOKEN_PARAMETERS,
      answerHeaders: "none",
      answers: DONE,
      handle: reload,
    },
  }),
  defineRoute("/v1/agent/leave", TAG, {
    PUT: {
      summary: "Leave the cluster and stop",
      query: TOKEN_PARAMETERS,
      answerHeaders: "none",
      answers: DONE,
      handle: leave,
    },
  }),
  defineRoute("/v1/agent/maintenance", TAG, {
    PUT: {
      summary: "Take this agent's node out of service for a while, or back in",
      query: maintenanceParameters,
      answerHeaders: "none",
      answers: { ...DONE, 400: { description: "No boolean for enable" } },
      handle: maintenance,
    },
  }),
];
