/** `/v1/agent/check` and `/v1/agent/checks`: the checks of this agent. */
import { messageOf, RollcallError } from "../errors/index.ts";
import { compileFilter } from "../filter/index.ts";
import {
  CheckDefinition,
  HealthCheck,
  map,
  struct,
  text,
  type CheckStatus,
} from "../model/index.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { shownCheck } from "./empty-lists.ts";
import { bad, FILTER_PARAMETERS, refuseNamespace, TOKEN_PARAMETERS } from "./query-options.ts";
import { EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { jsonRequest } from "./request-json.ts";
import { defineRoute, type Route } from "./route.ts";

const CHECKS = map(HealthCheck);
const checksBody = jsonBody(CHECKS);
const CheckUpdate = struct("checkUpdate", {
  Status: text({ description: "passing, warning or critical" }),
  Output: text(),
});
const definition = jsonRequest(CheckDefinition, { unknown: "refuse" });
const update = jsonRequest(CheckUpdate, { unknown: "refuse" });

function checks(call: Call): Reply {
  refuseNamespace(call);
  const keeps = compileCheckFilter(call.query.get("filter"));
  const shown = Object.create(null) as Record<string, HealthCheck>;
  for (const [id, check] of call.needs.agent.checks()) {
    if (keeps(check)) shown[id] = shownCheck(check);
  }
  return reply(checksBody(shown));
}

const FILTER_FAULT_PREFIX = "Failed to create boolean expression evaluator: ";

/** Consul says what is wrong with the filter, but here without saying that it is the filter. */
function compileCheckFilter(filter: string): (check: HealthCheck) => boolean {
  if (filter === "") return () => true;
  try {
    return compileFilter(filter, HealthCheck);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    const text = messageOf(error);
    const isPrefixed = text.startsWith(FILTER_FAULT_PREFIX);
    throw new RollcallError(error.code, isPrefixed ? text.slice(FILTER_FAULT_PREFIX.length) : text);
  }
}

const STATUSES: ReadonlySet<string> = new Set(["passing", "warning", "critical"]);

function isStatus(status: string): status is CheckStatus {
  return STATUSES.has(status);
}

async function register(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const check = await definition(call);
  if (check.Name === "") throw bad("Missing check name");
  if (check.Status !== "" && !isStatus(check.Status)) throw bad("Bad check status");
  await call.needs.agent.registerCheck(check, { source: "remote" });
  return EMPTY_REPLY;
}

async function deregister(call: Call): Promise<Reply> {
  refuseNamespace(call);
  if (call.tail === "") throw new RollcallError("request/refused", "CheckID missing");
  await call.needs.agent.deregisterCheck(call.tail);
  return EMPTY_REPLY;
}

async function updateStatus(call: Call): Promise<Reply> {
  const { Status, Output } = await update(call);
  if (!isStatus(Status)) throw bad(`Invalid check status: '${Status}'`);
  refuseNamespace(call);
  await call.needs.agent.updateTtl(call.tail, Status, Output);
  return EMPTY_REPLY;
}

const TAG = "Agent: checks";
const DONE = { 200: { description: "Done; the body is empty" } };

/** pass, warn and fail differ only in the status that they set. */
function statusRoute(verb: string, status: CheckStatus): Route {
  return defineRoute(`/v1/agent/check/${verb}/:check`, TAG, {
    PUT: {
      summary: `Set a TTL check to ${status} and start its time again`,
      query: { ...TOKEN_PARAMETERS, note: { description: "The check's output", type: "text" } },
      answerHeaders: "none",
      answers: DONE,
      handle: async (call) => {
        refuseNamespace(call);
        await call.needs.agent.updateTtl(call.tail, status, call.query.get("note"));
        return EMPTY_REPLY;
      },
    },
  });
}

export const agentCheckRoutes = [
  defineRoute("/v1/agent/checks", TAG, {
    GET: {
      summary: "Checks of this agent, by ID",
      query: { ...TOKEN_PARAMETERS, ...FILTER_PARAMETERS },
      answerHeaders: "none",
      answers: { 200: { description: "The checks", schema: CHECKS } },
      handle: checks,
    },
  }),
  defineRoute("/v1/agent/check/register", TAG, {
    PUT: {
      summary: "Register a check with this agent, or replace its definition",
      query: TOKEN_PARAMETERS,
      requestBody: { description: "The check", schema: CheckDefinition },
      answerHeaders: "none",
      answers: { ...DONE, 400: { description: "What is wrong with the definition" } },
      handle: register,
    },
  }),
  defineRoute("/v1/agent/check/deregister/:check", TAG, {
    PUT: {
      summary: "Remove a check of this agent",
      query: TOKEN_PARAMETERS,
      answerHeaders: "none",
      answers: DONE,
      handle: deregister,
    },
  }),
  statusRoute("pass", "passing"),
  statusRoute("warn", "warning"),
  statusRoute("fail", "critical"),
  defineRoute("/v1/agent/check/update/:check", TAG, {
    PUT: {
      summary: "Set a TTL check's status and output, and start its time again",
      query: TOKEN_PARAMETERS,
      requestBody: { description: "Status and output", schema: CheckUpdate },
      answerHeaders: "none",
      answers: { ...DONE, 400: { description: "The body cannot be decoded, or no such status" } },
      handle: updateStatus,
    },
  }),
];
