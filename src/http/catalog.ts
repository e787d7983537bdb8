/** `/v1/catalog` (Consul HTTP API, "Catalog"). */
import {
  bool,
  DeregisterRequest,
  list,
  map,
  Node,
  NodeServiceList,
  NodeServices,
  pointer,
  RegisterRequest,
  ServiceNode,
  text,
} from "../model/index.ts";
import type { Methods } from "../rpc/index.ts";
import { discoveryHeaders, read } from "./answer-headers.ts";
import { cachedJsonBody, jsonBody } from "./body.ts";
import { cacheControlOf } from "./cache-control.ts";
import { cacheHeaders } from "./cache-headers.ts";
import type { Call } from "./call.ts";
import { shownService, shownServiceNode } from "./empty-lists.ts";
import {
  consistencyOf,
  CACHED_PARAMETERS,
  DATACENTERS_PARAMETERS,
  FILTER_PARAMETERS,
  NEAR_PARAMETERS,
  nearOf,
  NODE_META_PARAMETERS,
  nodeMetaFilters,
  queryOptions,
  READ_PARAMETERS,
  refuseNamespace,
  requiredTail,
  TOKEN_PARAMETERS,
  tokenOf,
} from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { jsonRequest } from "./request-json.ts";
import { defineRoute, type Parameters } from "./route.ts";

const NODES = list(Node);
const SERVICES = map(list(text()));
const SERVICE_NODES = list(ServiceNode);
const NODE_SERVICES = pointer(NodeServices);
const DATACENTERS = list(text());

type Value<M extends keyof Methods> = Methods[M]["reply"] extends { readonly value: infer V }
  ? V
  : never;

const nodesBody = cachedJsonBody(NODES, (value: Value<"Catalog.ListNodes">) => value.Nodes);
const servicesBody = cachedJsonBody(
  SERVICES,
  (value: Value<"Catalog.ListServices">) => value.Services,
);
const serviceNodesBody = cachedJsonBody(SERVICE_NODES, (value: Value<"Catalog.ServiceNodes">) =>
  value.ServiceNodes.map(shownServiceNode),
);
const nodeServicesBody = cachedJsonBody(
  NODE_SERVICES,
  ({ NodeServices: found }: Value<"Catalog.NodeServices">) =>
    found === null ? null : { Node: found.Node, Services: shownServices(found) },
);
const nodeServiceListBody = cachedJsonBody(
  NodeServiceList,
  ({ NodeServices: found }: Value<"Catalog.NodeServiceList">) => ({
    Node: found.Node,
    Services: found.Services === null ? null : found.Services.map(shownService),
  }),
);
const datacentersBody = jsonBody(DATACENTERS);
const doneBody = jsonBody(bool());

const registration = jsonRequest(RegisterRequest, { unknown: "refuse" });
const deregistration = jsonRequest(DeregisterRequest, { unknown: "refuse" });

function shownServices({ Services }: NodeServices): NodeServices["Services"] {
  if (Services === null) return {};
  const shown = Object.create(null) as Record<string, (typeof Services)[string]>;
  for (const [id, service] of Object.entries(Services)) shown[id] = shownService(service);
  return shown;
}

async function register(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const request = await registration(call);
  await call.needs.delegate.call("Catalog.Register", { ...request, Token: tokenOf(call) });
  return reply(doneBody(true));
}

async function deregister(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const request = await deregistration(call);
  await call.needs.delegate.call("Catalog.Deregister", { ...request, Token: tokenOf(call) });
  return reply(doneBody(true));
}

async function datacenters(call: Call): Promise<Reply> {
  consistencyOf(call);
  const wish = cacheControlOf(call);
  const method = "Catalog.ListDatacenters";
  const fetch = () => call.needs.delegate.call(method, {});
  if (!call.wantsCached) return reply(datacentersBody(await fetch()));
  const { answer, headers } = await call.keptAnswers.answer(method, wish, fetch);
  return reply(datacentersBody(answer), headers);
}

async function nodes(call: Call): Promise<Reply> {
  const args = {
    ...queryOptions(call),
    ...nearOf(call),
    NodeMetaFilters: nodeMetaFilters(call),
  };
  const { value, meta } = await read(call, "Catalog.ListNodes", args);
  return reply(nodesBody(value), discoveryHeaders(meta, args));
}

async function services(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const args = { ...queryOptions(call), NodeMetaFilters: nodeMetaFilters(call) };
  const { value, meta } = await read(call, "Catalog.ListServices", args);
  const cache = cacheHeaders(call, "Catalog.ListServices", args);
  return reply(servicesBody(value), [...discoveryHeaders(meta, args), ...cache]);
}

function service(call: Call): Promise<Reply> {
  return serviceNodes(call, "Catalog.ServiceNodes");
}

function connect(call: Call): Promise<Reply> {
  return serviceNodes(call, "Catalog.ConnectNodes");
}

async function serviceNodes(
  call: Call,
  method: "Catalog.ServiceNodes" | "Catalog.ConnectNodes",
): Promise<Reply> {
  refuseNamespace(call);
  const args = {
    ...queryOptions(call),
    ...nearOf(call),
    ServiceName: requiredTail(call, "Missing service name"),
    ServiceTags: call.query.all("tag"),
    NodeMetaFilters: nodeMetaFilters(call),
  };
  const { value, meta } = await read(call, method, args);
  const cache = cacheHeaders(call, method, args);
  return reply(serviceNodesBody(value), [...discoveryHeaders(meta, args), ...cache]);
}

async function node(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const args = { ...queryOptions(call), Node: requiredTail(call, "Missing node name") };
  const { value, meta } = await read(call, "Catalog.NodeServices", args);
  return reply(nodeServicesBody(value), discoveryHeaders(meta, args));
}

async function nodeServices(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const args = { ...queryOptions(call), Node: requiredTail(call, "Missing node name") };
  const { value, meta } = await read(call, "Catalog.NodeServiceList", args);
  return reply(nodeServiceListBody(value), discoveryHeaders(meta, args));
}

const TAG = "Catalog";
const LIST_PARAMETERS: Parameters = { ...READ_PARAMETERS, ...FILTER_PARAMETERS };
const DONE = { 200: { description: "true", schema: bool() } };
const NOT_DECODED = { 400: { description: "The body cannot be decoded" } };
const NO_NODE = { 400: { description: "No node given" } };

export const TAG_PARAMETERS: Parameters = {
  tag: {
    description: "Tag that an instance must have; may be given more than once",
    type: "text",
    repeatable: true,
  },
};

const INSTANCES_PARAMETERS: Parameters = {
  ...LIST_PARAMETERS,
  ...TAG_PARAMETERS,
  ...NODE_META_PARAMETERS,
  ...NEAR_PARAMETERS,
  ...CACHED_PARAMETERS,
};

export const catalogRoutes = [
  defineRoute("/v1/catalog/register", TAG, {
    PUT: {
      summary: "Register a node, and with it a service and checks",
      description: "For what no agent looks after. Services of an agent are registered with it.",
      query: TOKEN_PARAMETERS,
      requestBody: { description: "The registration", schema: RegisterRequest },
      answerHeaders: "none",
      answers: { ...DONE, ...NOT_DECODED },
      counter: "catalog_register",
      handle: register,
    },
  }),
  defineRoute("/v1/catalog/deregister", TAG, {
    PUT: {
      summary: "Remove a service, a check, or a node with everything it has",
      query: TOKEN_PARAMETERS,
      requestBody: { description: "What to remove", schema: DeregisterRequest },
      answerHeaders: "none",
      answers: { ...DONE, ...NOT_DECODED },
      counter: "catalog_deregister",
      handle: deregister,
    },
  }),
  defineRoute("/v1/catalog/datacenters", TAG, {
    GET: {
      summary: "Names of the known datacenters, the agent's own first",
      query: DATACENTERS_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "The names", schema: DATACENTERS } },
      counter: "catalog_datacenters",
      handle: datacenters,
    },
  }),
  defineRoute("/v1/catalog/nodes", TAG, {
    GET: {
      summary: "All nodes",
      query: { ...LIST_PARAMETERS, ...NODE_META_PARAMETERS, ...NEAR_PARAMETERS },
      answerHeaders: "index and consistency",
      answers: { 200: { description: "Sorted by name", schema: NODES } },
      counter: "catalog_nodes",
      handle: nodes,
    },
  }),
  defineRoute("/v1/catalog/services", TAG, {
    GET: {
      summary: "Names of all services, with the tags of their instances",
      query: { ...READ_PARAMETERS, ...NODE_META_PARAMETERS },
      answerHeaders: "index and consistency",
      answers: { 200: { description: "Tags by service name", schema: SERVICES } },
      counter: "catalog_services",
      handle: services,
    },
  }),
  defineRoute("/v1/catalog/service/:service", TAG, {
    GET: {
      summary: "Instances of a service, whatever their health",
      query: INSTANCES_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "Sorted by node and service ID", schema: SERVICE_NODES },
        400: { description: "No service given" },
      },
      counter: "catalog_service_nodes",
      handle: service,
    },
  }),
  defineRoute("/v1/catalog/connect/:service", TAG, {
    GET: {
      summary: "Instances by which a service is reached over the mesh",
      query: INSTANCES_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "Sorted by node and service ID", schema: SERVICE_NODES },
        400: { description: "No service given" },
      },
      counter: "catalog_connect_service_nodes",
      handle: connect,
    },
  }),
  defineRoute("/v1/catalog/node/:node", TAG, {
    GET: {
      summary: "A node, by name or ID, with its services by ID",
      query: LIST_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "null when there is no such node", schema: NODE_SERVICES },
        ...NO_NODE,
      },
      counter: "catalog_node_services",
      handle: node,
    },
  }),
  defineRoute("/v1/catalog/node-services/:node", TAG, {
    GET: {
      summary: "A node, by name or ID, with the list of its services",
      query: LIST_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "Both null when there is no such node", schema: NodeServiceList },
        ...NO_NODE,
      },
      counter: "catalog_node_service_list",
      handle: nodeServices,
    },
  }),
];
