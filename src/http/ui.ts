/** `/v1/internal/ui`: what the web interface asks for. */
import {
  int,
  list,
  NodeInfo,
  omitEmpty,
  struct,
  text,
  type CheckServiceNode,
  type Static,
} from "../model/index.ts";
import { indexHeaders, read } from "./answer-headers.ts";
import { cachedJsonBody, jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { shownNode } from "./empty-lists.ts";
import {
  FILTER_PARAMETERS,
  queryOptions,
  READ_PARAMETERS,
  refuseNamespace,
  requiredTail,
} from "./query-options.ts";
import { emptyReply, reply, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

const ServiceSummary = struct("ServiceSummary", {
  Kind: omitEmpty(text()),
  Name: text(),
  Tags: list(text()),
  Nodes: list(text(), { description: "One of each instance" }),
  InstanceCount: int(),
  ProxyFor: omitEmpty(list(text())),
  ChecksPassing: int(),
  ChecksWarning: int(),
  ChecksCritical: int(),
  ExternalSources: list(text()),
  GatewayConfig: struct("GatewayConfig", { Addresses: omitEmpty(list(text())) }),
});
type ServiceSummary = Static<typeof ServiceSummary>;
const NODES = list(NodeInfo);
const SUMMARIES = list(ServiceSummary);
const EXTERNAL_SOURCE = "external-source";

type Dump = { readonly Dump: readonly NodeInfo[] };
const nodesBody = cachedJsonBody(NODES, ({ Dump }: Dump) => Dump.map(shownNode));
const nodeBody = jsonBody(NodeInfo);
const summariesBody = cachedJsonBody(
  SUMMARIES,
  ({ Nodes }: { readonly Nodes: readonly CheckServiceNode[] }) => summaries(Nodes),
);
const noSummariesBody = jsonBody(SUMMARIES);

async function nodes(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const { value, meta } = await read(call, "Internal.NodeDump", queryOptions(call));
  return reply(nodesBody(value), indexHeaders(meta));
}

async function node(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const args = { ...queryOptions(call), Node: requiredTail(call, "Missing node name") };
  const { value, meta } = await read(call, "Internal.NodeInfo", args);
  const [found] = value.Dump;
  return found === undefined
    ? emptyReply(404)
    : reply(nodeBody(shownNode(found)), indexHeaders(meta));
}

async function services(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const { value, meta } = await read(call, "Internal.ServiceDump", queryOptions(call));
  return reply(summariesBody(value), indexHeaders(meta));
}

/** No gateway stands for a service before there is a mesh. */
async function gatewayServices(call: Call): Promise<Reply> {
  refuseNamespace(call);
  requiredTail(call, "Missing gateway name");
  const { Datacenter } = queryOptions(call);
  const leader = await call.needs.delegate.call("Status.Leader", { Datacenter });
  const meta = { Index: 1, KnownLeader: leader !== "", LastContactMs: 0 };
  return reply(noSummariesBody([]), indexHeaders(meta));
}

function summaries(instances: readonly CheckServiceNode[]): readonly ServiceSummary[] {
  const byName = new Map<string, CheckServiceNode[]>();
  for (const instance of instances) {
    const { Service: name } = instance.Service;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [instance]);
    else known.push(instance);
  }
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ofService]) => summary(name, ofService));
}

/** A check of a node counts once for each of its instances. */
function summary(Name: string, instances: readonly CheckServiceNode[]): ServiceSummary {
  const statuses = instances.flatMap(({ Checks }) => (Checks ?? []).map(({ Status }) => Status));
  const count = (status: string): number => statuses.filter((each) => each === status).length;
  return {
    Kind: instances[0]?.Service.Kind ?? "",
    Name,
    Tags: distinct(instances.flatMap(({ Service }) => Service.Tags ?? [])),
    Nodes: instances.map(({ Node }) => Node.Node).toSorted(),
    InstanceCount: instances.length,
    ProxyFor: distinct(instances.map(({ Service }) => Service.Proxy.DestinationServiceName)),
    ChecksPassing: count("passing"),
    ChecksWarning: count("warning"),
    ChecksCritical: count("critical"),
    ExternalSources: distinct(
      instances.map(({ Service }) => Service.Meta?.[EXTERNAL_SOURCE] ?? ""),
    ),
    GatewayConfig: { Addresses: null },
  };
}

/** Sorted; null without any. */
function distinct(texts: readonly string[]): readonly string[] | null {
  const found = [...new Set(texts.filter((each) => each !== ""))].toSorted();
  return found.length === 0 ? null : found;
}

const TAG = "Web interface";

export const uiRoutes = [
  defineRoute("/v1/internal/ui/nodes", TAG, {
    GET: {
      summary: "All nodes with their services and checks",
      query: { ...READ_PARAMETERS, ...FILTER_PARAMETERS },
      answerHeaders: "index",
      answers: { 200: { description: "Sorted by name", schema: NODES } },
      handle: nodes,
    },
  }),
  defineRoute("/v1/internal/ui/node/:node", TAG, {
    GET: {
      summary: "A node with its services and checks",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: {
        200: { description: "The node", schema: NodeInfo },
        400: { description: "No node given" },
        404: { description: "No such node; the body is empty" },
      },
      handle: node,
    },
  }),
  defineRoute("/v1/internal/ui/services", TAG, {
    GET: {
      summary: "All services, with how many instances and checks each has",
      query: { ...READ_PARAMETERS, ...FILTER_PARAMETERS },
      answerHeaders: "index",
      answers: { 200: { description: "Sorted by name", schema: SUMMARIES } },
      handle: services,
    },
  }),
  defineRoute("/v1/internal/ui/gateway-services-nodes/:gateway", TAG, {
    GET: {
      summary: "Services that a gateway stands for: none",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: {
        200: { description: "Empty", schema: SUMMARIES },
        400: { description: "No gateway given" },
      },
      handle: gatewayServices,
    },
  }),
];
