/** `/v1/agent/join` and `/v1/agent/force-leave`: who belongs to the cluster. */
import type { Call } from "./call.ts";
import { TOKEN_PARAMETERS } from "./query-options.ts";
import { EMPTY_REPLY, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

async function join(call: Call): Promise<Reply> {
  const pool = call.query.get("wan") === "1" ? "wan" : "lan";
  await call.needs.agent.join(call.tail, pool, call.signal);
  return EMPTY_REPLY;
}

async function forceLeave(call: Call): Promise<Reply> {
  await call.needs.agent.forceLeave(call.tail, { prune: call.query.has("prune") });
  return EMPTY_REPLY;
}

const TAG = "Agent";
const DONE = { 200: { description: "Done; the body is empty" } };

export const agentClusterRoutes = [
  defineRoute("/v1/agent/join/:address", TAG, {
    PUT: {
      summary: "Join the agent at an address",
      query: {
        ...TOKEN_PARAMETERS,
        wan: { description: "1: the pool of the servers of all datacenters", type: "text" },
      },
      answerHeaders: "none",
      answers: { ...DONE, 500: { description: "Nobody could be joined, and why" } },
      handle: join,
    },
  }),
  defineRoute("/v1/agent/force-leave/:node", TAG, {
    PUT: {
      summary: "Have a failed member count as one that left",
      query: {
        ...TOKEN_PARAMETERS,
        prune: { description: "Forget it altogether", type: "flag" },
      },
      answerHeaders: "none",
      answers: { ...DONE, 500: { description: "No such member" } },
      handle: forceLeave,
    },
  }),
];
