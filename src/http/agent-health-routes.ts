/**
 * `/v1/agent/health/service`: whether an instance of this agent is well, as a status code that load balancers
 * understand. 200 passing, 429 warning, 503 critical or in maintenance, 404 not here.
 */
import { RollcallError } from "../errors/index.ts";
import {
  bool,
  duration,
  encodeKeyText,
  HealthCheck,
  list,
  map,
  NODE_MAINTENANCE,
  pointer,
  SERVICE_MAINTENANCE_PREFIX,
  struct,
  text,
  type NodeService,
  type Static,
  type TSchema,
} from "../model/index.ts";
import { agentService, AgentService } from "./agent-service-shape.ts";
import { jsonBody, textBody } from "./body.ts";
import type { Call } from "./call.ts";
import { refuseNamespace, TOKEN_PARAMETERS } from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { defineRoute, type Operation, type Parameters } from "./route.ts";

/** Here a check is shown with all its fields, as Consul's client library holds it. */
const ShownCheck = struct("ShownCheck", {
  ...HealthCheck.properties,
  Definition: struct("ShownCheckDefinition", {
    Interval: duration({ output: "string" }),
    Timeout: duration({ output: "string" }),
    DeregisterCriticalServiceAfter: duration({ output: "string" }),
    HTTP: text(),
    Header: map(list(text())),
    Method: text(),
    Body: text(),
    TLSSkipVerify: bool(),
    TCP: text(),
  }),
});
const ServiceHealth = struct("AgentServiceChecksInfo", {
  AggregatedStatus: text({ description: "passing, warning, critical or maintenance" }),
  Service: pointer(AgentService),
  Checks: list(ShownCheck),
});
type ServiceHealth = Static<typeof ServiceHealth>;
const SERVICES_HEALTH = list(ServiceHealth);

const oneBody = jsonBody(ServiceHealth);
const allBody = jsonBody(SERVICES_HEALTH);
const jsonText = jsonBody(text());

/** From best to worst. */
const SEVERITY = ["passing", "warning", "critical", "maintenance"] as const;
type Aggregate = (typeof SEVERITY)[number];
const STATUS_CODES: Readonly<Record<Aggregate, number>> = {
  passing: 200,
  warning: 429,
  critical: 503,
  maintenance: 503,
};

function severityOf({ CheckID, Status }: HealthCheck): Aggregate {
  if (CheckID === NODE_MAINTENANCE || CheckID.startsWith(SERVICE_MAINTENANCE_PREFIX)) {
    return "maintenance";
  }
  return Status === "passing" || Status === "warning" ? Status : "critical";
}

/** An instance is as well as the worst of its checks and its node's. */
export function aggregate(checks: readonly HealthCheck[]): Aggregate {
  const worst = Math.max(0, ...checks.map((check) => SEVERITY.indexOf(severityOf(check))));
  return SEVERITY[worst] ?? "critical";
}

interface Judged {
  readonly status: Aggregate;
  readonly health: ServiceHealth;
}

function judge(call: Call, service: NodeService): Judged {
  const checks = [...call.needs.agent.checks().values()]
    .filter((check) => check.ServiceID === "" || check.ServiceID === service.ID)
    .toSorted((a, b) => (a.CheckID < b.CheckID ? -1 : 1));
  const status = aggregate(checks);
  return {
    status,
    health: { AggregatedStatus: status, Service: agentService(service), Checks: checks.map(shown) },
  };
}

/** The library's shape has tags only where there are any, and says nothing of the type. */
function shown(check: HealthCheck): Static<typeof ShownCheck> {
  const { ServiceTags } = check;
  return {
    ...check,
    ServiceTags: ServiceTags?.length === 0 ? null : ServiceTags,
    Type: "",
    Definition: check.Definition,
  };
}

function byId(call: Call): Reply {
  const { tail } = call;
  if (tail === "") throw new RollcallError("request/refused", "Bad request: Missing serviceID");
  refuseNamespace(call);
  const found = call.needs.agent.services().get(tail);
  if (found === undefined) {
    const reason = `ServiceId ${tail} not found`;
    const missing = { AggregatedStatus: "critical", Service: null, Checks: null };
    // As text it is still JSON: a quirk that clients may have come to expect.
    const body = wantsText(call) ? jsonText(reason) : oneBody(missing);
    return reply(body, reasonHeader(reason), 404);
  }
  const { status, health } = judge(call, found.service);
  const body = wantsText(call) ? textBody(status, "text/plain") : oneBody(health);
  return reply(body, reasonHeader(status), STATUS_CODES[status]);
}

function byName(call: Call): Reply {
  const { tail } = call;
  if (tail === "") throw new RollcallError("request/refused", "Bad request: Missing service Name");
  refuseNamespace(call);
  const judged = [...call.needs.agent.services().values()]
    .filter(({ service }) => service.Service === tail)
    .map(({ service }) => judge(call, service));
  // Of equally bad codes the first one's word counts.
  let worst = judged[0]?.status;
  for (const { status } of judged) {
    if (worst !== undefined && STATUS_CODES[status] > STATUS_CODES[worst]) worst = status;
  }
  const reason = worst ?? `ServiceName ${tail} Not Found`;
  const body = wantsText(call)
    ? textBody(reason, "text/plain")
    : allBody(judged.map(({ health }) => health));
  return reply(body, reasonHeader(reason), worst === undefined ? 404 : STATUS_CODES[worst]);
}

function wantsText(call: Call): boolean {
  return call.header("accept").startsWith("text/plain") || call.query.get("format") === "text";
}

/** Headers carry bytes, one character each, and no line ends. */
function reasonHeader(reason: string): readonly string[] {
  const bytes = Array.from(encodeKeyText(reason), (byte) => String.fromCharCode(byte)).join("");
  return ["X-Consul-Reason", bytes.replace(/[\0-\x08\x0a-\x1f\x7f]/g, " ")];
}

const QUERY: Parameters = {
  ...TOKEN_PARAMETERS,
  format: { description: "text: only the status word; so does Accept: text/plain", type: "text" },
};
const healthAnswers = (schema: TSchema, passing: string): Operation["answers"] => {
  const either = { schema, orText: "text/plain" };
  return {
    200: { description: passing, ...either },
    429: { description: "The worst check is warning", ...either },
    503: { description: "The worst check is critical, or maintenance is on", ...either },
    404: { description: "No such service here", ...either },
  };
};

export const agentHealthRoutes = [
  defineRoute("/v1/agent/health/service/id/:service", "Agent: health", {
    GET: {
      summary: "Whether an instance of this agent is well",
      query: QUERY,
      answerHeaders: "none",
      answers: {
        ...healthAnswers(ServiceHealth, "All checks pass"),
        404: { description: "No such service here", alternatives: [ServiceHealth, text()] },
      },
      handle: byId,
    },
  }),
  defineRoute("/v1/agent/health/service/name/:service", "Agent: health", {
    GET: {
      summary: "Whether the instances of a service on this agent are well",
      query: QUERY,
      answerHeaders: "none",
      answers: healthAnswers(SERVICES_HEALTH, "All checks of all instances pass"),
      handle: byName,
    },
  }),
];
