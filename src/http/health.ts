/** `/v1/health` (Consul HTTP API, "Health"), and why an instance is not in an answer: `?explain`. */
import {
  any,
  CheckServiceNode,
  HealthCheck,
  list,
  parseBool,
  struct,
  text,
} from "../model/index.ts";
import type { ExcludedInstance, HealthServiceQuery } from "../rpc/index.ts";
import { discoveryHeaders, read } from "./answer-headers.ts";
import { cachedJsonBody, jsonBody } from "./body.ts";
import { cacheHeaders } from "./cache-headers.ts";
import type { Call } from "./call.ts";
import { TAG_PARAMETERS } from "./catalog.ts";
import { shownCheck, shownInstance } from "./empty-lists.ts";
import {
  bad,
  CACHED_PARAMETERS,
  FILTER_PARAMETERS,
  NEAR_PARAMETERS,
  nearOf,
  NODE_META_PARAMETERS,
  nodeMetaFilters,
  queryOptions,
  READ_PARAMETERS,
  refuseNamespace,
  requiredTail,
} from "./query-options.ts";
import { reply, type Body, type Reply } from "./reply.ts";
import { defineRoute, type Parameters } from "./route.ts";

const CHECKS = list(HealthCheck);
const INSTANCES = list(CheckServiceNode);
const EXCLUDED = struct("ExcludedInstance", {
  Node: text(),
  ServiceID: text(),
  Reasons: list(
    any({
      description: "Kind says which: check, maintenance, filter, tag, node-meta or truncation",
    }),
  ),
});
const EXPLAINED = struct("ExplainedInstances", { Instances: INSTANCES, Excluded: list(EXCLUDED) });
const EXPLAINED_FOR_DNS = struct("InstancesInDns", {
  Instances: INSTANCES,
  Excluded: list(EXCLUDED),
  Limit: text({ description: "How many addresses an answer has room for, and by which limits" }),
});

type Checks = { readonly HealthChecks: readonly HealthCheck[] };
type Instances = {
  readonly Nodes: readonly CheckServiceNode[];
  readonly Excluded: readonly ExcludedInstance[];
};

const checksBody = cachedJsonBody(CHECKS, (value: Checks) => value.HealthChecks.map(shownCheck));
const instancesBody = cachedJsonBody(INSTANCES, (value: Instances) =>
  value.Nodes.map(shownInstance),
);
const explainedBody = cachedJsonBody(EXPLAINED, ({ Nodes, Excluded }: Instances) => ({
  Instances: Nodes.map(shownInstance),
  Excluded,
}));

const explainedForDnsBody = jsonBody(EXPLAINED_FOR_DNS);

async function node(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const args = { ...queryOptions(call), Node: requiredTail(call, "Missing node name") };
  const { value, meta } = await read(call, "Health.NodeChecks", args);
  return reply(checksBody(value), discoveryHeaders(meta, args));
}

async function checks(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const args = {
    ...queryOptions(call),
    ...nearOf(call),
    ServiceName: requiredTail(call, "Missing service name"),
    // Consul 1.8 has no tags here.
    ServiceTags: [],
    NodeMetaFilters: nodeMetaFilters(call),
  };
  const { value, meta } = await read(call, "Health.ServiceChecks", args);
  return reply(checksBody(value), discoveryHeaders(meta, args));
}

async function state(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const args = {
    ...queryOptions(call),
    ...nearOf(call),
    State: requiredTail(call, "Missing check state"),
    NodeMetaFilters: nodeMetaFilters(call),
  };
  const { value, meta } = await read(call, "Health.ChecksInState", args);
  return reply(checksBody(value), discoveryHeaders(meta, args));
}

function service(call: Call): Promise<Reply> {
  return serviceNodes(call, "Health.ServiceNodes");
}

function connect(call: Call): Promise<Reply> {
  return serviceNodes(call, "Health.ConnectNodes");
}

async function serviceNodes(
  call: Call,
  method: "Health.ServiceNodes" | "Health.ConnectNodes",
): Promise<Reply> {
  refuseNamespace(call);
  const { query } = call;
  const args = {
    ...queryOptions(call),
    ...nearOf(call),
    ServiceName: requiredTail(call, "Missing service name"),
    ServiceTags: query.all("tag"),
    NodeMetaFilters: nodeMetaFilters(call),
    Status: statusWanted(call),
  };
  const { value, meta } = await read(call, method, args);
  const cache = cacheHeaders(call, method, args);
  return reply(serviceBody(call, value), [...discoveryHeaders(meta, args), ...cache]);
}

const isForDns = ({ query }: Call): boolean => query.get("explain") === "dns";

function statusWanted(call: Call): HealthServiceQuery["Status"] {
  if (wantsPassing(call)) return "passing";
  if (!isForDns(call)) return "any";
  return call.config.dns.onlyPassing ? "passing" : "not-critical";
}

function serviceBody(call: Call, value: Instances): Body {
  if (!call.query.has("explain")) return instancesBody(value);
  if (!isForDns(call)) return explainedBody(value);
  const { Nodes: nodes, Excluded: excluded } = value;
  const selection = call.needs.dnsSelection({ nodes, excluded });
  return explainedForDnsBody({
    Instances: selection.kept.map(shownInstance),
    Excluded: selection.excluded,
    Limit: selection.limit,
  });
}

function wantsPassing({ query }: Call): boolean {
  if (!query.has("passing")) return false;
  const text = query.get("passing");
  const { value } = text === "" ? { value: true } : parseBool(text);
  if (value === undefined) throw bad("Invalid value for ?passing");
  return value;
}

const TAG = "Health";
const LIST_PARAMETERS: Parameters = { ...READ_PARAMETERS, ...FILTER_PARAMETERS };

const INSTANCES_PARAMETERS: Parameters = {
  ...LIST_PARAMETERS,
  ...TAG_PARAMETERS,
  ...NODE_META_PARAMETERS,
  ...NEAR_PARAMETERS,
  ...CACHED_PARAMETERS,
  passing: {
    description: "Only instances whose checks all pass; bare, or a boolean",
    type: "text",
  },
  explain: {
    description:
      "Also list the instances that were left out, and why each was; dns: as DNS would answer",
    type: "text",
  },
};
const INSTANCES_ANSWERS = {
  200: {
    description: "The instances; with explain, an object of them and the excluded ones",
    alternatives: [INSTANCES, EXPLAINED, EXPLAINED_FOR_DNS],
  },
  400: { description: "No service given, or a bad value for passing" },
};

export const healthRoutes = [
  defineRoute("/v1/health/node/:node", TAG, {
    GET: {
      summary: "Checks of a node and of its services",
      query: LIST_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "Sorted by check ID", schema: CHECKS },
        400: { description: "No node given" },
      },
      handle: node,
    },
  }),
  defineRoute("/v1/health/checks/:service", TAG, {
    GET: {
      summary: "Checks of a service's instances",
      query: { ...LIST_PARAMETERS, ...NODE_META_PARAMETERS, ...NEAR_PARAMETERS },
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "Sorted by node and check ID", schema: CHECKS },
        400: { description: "No service given" },
      },
      handle: checks,
    },
  }),
  defineRoute("/v1/health/service/:service", TAG, {
    GET: {
      summary: "Instances of a service, with their nodes and checks",
      query: INSTANCES_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: INSTANCES_ANSWERS,
      handle: service,
    },
  }),
  defineRoute("/v1/health/connect/:service", TAG, {
    GET: {
      summary: "Instances by which a service is reached over the mesh, with their nodes and checks",
      query: INSTANCES_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: INSTANCES_ANSWERS,
      handle: connect,
    },
  }),
  defineRoute("/v1/health/state/:state", TAG, {
    GET: {
      summary: "Checks in a state: any, passing, warning or critical",
      query: { ...LIST_PARAMETERS, ...NODE_META_PARAMETERS, ...NEAR_PARAMETERS },
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "Empty for an unknown state", schema: CHECKS },
        400: { description: "No state given" },
      },
      handle: state,
    },
  }),
];
