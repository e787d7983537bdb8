/** `/v1/agent/service` and `/v1/agent/services`: the services of this agent. */
import { RollcallError } from "../errors/index.ts";
import { compileFilter } from "../filter/index.ts";
import { map, NodeService, ServiceDefinition } from "../model/index.ts";
import { agentService, AgentService } from "./agent-service-shape.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { heldMs } from "./hold-time.ts";
import { maintenanceParameters, maintenanceWish } from "./maintenance-wish.ts";
import {
  bad,
  blockingOf,
  FILTER_PARAMETERS,
  refuseNamespace,
  requiredTail,
  TOKEN_PARAMETERS,
} from "./query-options.ts";
import { EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { jsonRequest } from "./request-json.ts";
import { defineRoute } from "./route.ts";

const SERVICES = map(AgentService);
const servicesBody = jsonBody(SERVICES);
const serviceBody = jsonBody(AgentService);
const definition = jsonRequest(ServiceDefinition, { unknown: "refuse" });

function services(call: Call): Reply {
  refuseNamespace(call);
  const filter = call.query.get("filter");
  const keeps = filter === "" ? undefined : compileFilter(filter, NodeService);
  const shown = Object.create(null) as Record<string, AgentService>;
  for (const [id, { service }] of call.needs.agent.services()) {
    if (keeps === undefined || keeps(service)) shown[id] = agentService(service);
  }
  return reply(servicesBody(shown));
}

/** With `hash`, the answer is held for as long as the definition has that hash. */
async function service(call: Call): Promise<Reply> {
  const { MaxQueryTimeMs } = blockingOf(call);
  refuseNamespace(call);
  const { agent, platform } = call.needs;
  const hash = call.query.get("hash");
  if (hash !== "" && requireService(call).contentHash === hash) {
    const waitMs = heldMs(MaxQueryTimeMs, platform.random);
    await agent.serviceChanged(call.tail, hash, waitMs, call.signal);
  }
  const found = requireService(call);
  const body = serviceBody(agentService(found.service, found.contentHash));
  return reply(body, ["X-Consul-Contenthash", found.contentHash]);
}

function requireService({ needs, tail }: Call) {
  const found = needs.agent.services().get(tail);
  if (found !== undefined) return found;
  throw new RollcallError("request/not-found", `unknown service ID: ${tail}`);
}

async function register(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const service = await definition(call);
  if (service.Name === "") throw bad("Missing service name");
  const { query } = call;
  const replace = query.get("replace-existing-checks");
  await call.needs.agent.registerService(service, {
    replaceExistingChecks:
      replace === "true" || (replace === "" && query.has("replace-existing-checks")),
    source: "remote",
  });
  return EMPTY_REPLY;
}

async function deregister(call: Call): Promise<Reply> {
  refuseNamespace(call);
  if (call.tail === "") throw new RollcallError("request/refused", "ServiceID missing");
  await call.needs.agent.deregisterService(call.tail);
  return EMPTY_REPLY;
}

async function maintenance(call: Call): Promise<Reply> {
  const serviceId = requiredTail(call, "Missing service ID");
  const { enable, reason } = maintenanceWish(call);
  refuseNamespace(call);
  await call.needs.agent.setServiceMaintenance(serviceId, enable, reason);
  return EMPTY_REPLY;
}

const TAG = "Agent: services";
const DONE = { 200: { description: "Done; the body is empty" } };

export const agentServiceRoutes = [
  defineRoute("/v1/agent/services", TAG, {
    GET: {
      summary: "Services of this agent, by ID",
      query: { ...TOKEN_PARAMETERS, ...FILTER_PARAMETERS },
      answerHeaders: "none",
      answers: { 200: { description: "The services", schema: SERVICES } },
      handle: services,
    },
  }),
  defineRoute("/v1/agent/service/register", TAG, {
    PUT: {
      summary: "Register a service with this agent, or replace its definition",
      query: {
        ...TOKEN_PARAMETERS,
        "replace-existing-checks": {
          description: "Remove the checks that the definition does not mention",
          type: "flag",
        },
      },
      requestBody: { description: "The service and its checks", schema: ServiceDefinition },
      answerHeaders: "none",
      answers: { ...DONE, 400: { description: "What is wrong with the definition" } },
      handle: register,
    },
  }),
  defineRoute("/v1/agent/service/deregister/:service", TAG, {
    PUT: {
      summary: "Remove a service of this agent with its checks",
      query: TOKEN_PARAMETERS,
      answerHeaders: "none",
      answers: DONE,
      handle: deregister,
    },
  }),
  defineRoute("/v1/agent/service/maintenance/:service", TAG, {
    PUT: {
      summary: "Take a service out of service for a while, or back in",
      query: maintenanceParameters,
      answerHeaders: "none",
      answers: {
        ...DONE,
        400: { description: "No service given, or no boolean for enable" },
        404: { description: "No such service" },
      },
      handle: maintenance,
    },
  }),
  defineRoute("/v1/agent/service/:service", TAG, {
    GET: {
      summary: "One service of this agent, by ID",
      query: {
        ...TOKEN_PARAMETERS,
        hash: { description: "Hold the answer while the ContentHash is this", type: "text" },
        wait: { description: "Longest hold", type: "duration" },
      },
      answerHeaders: "none",
      answers: {
        200: { description: "The service", schema: AgentService },
        400: { description: "A bad value for wait" },
        404: { description: "No such service" },
      },
      handle: service,
    },
  }),
];
