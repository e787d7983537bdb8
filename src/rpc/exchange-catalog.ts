/** How the Catalog's and the Health endpoint's methods travel. */
import {
  bool,
  DeregisterRequest,
  HealthCheck,
  list,
  map,
  messageOf,
  Node,
  NodeServiceList,
  NodeServices,
  pointer,
  RegisterRequest,
  ServiceNode,
  struct,
  text,
  type Static,
} from "../model/index.ts";
import { inDatacenter, NOTHING, plain, read, TEXTS, type Values } from "./exchange.ts";
import { DEFAULT_QUERY, type NodeMetaQuery, type ServiceQuery } from "./methods.ts";
import {
  fromNear,
  fromQuery,
  NODE_QUERY,
  QUERY_OPTIONS,
  toNear,
  toQuery,
  type WireQuery,
} from "./query-shapes.ts";

export const fromNodeQuery = (
  args: NodeMetaQuery,
  datacenter: string,
): Values<typeof NODE_QUERY> => ({
  NodeMetaFilters: args.NodeMetaFilters,
  Source: fromNear(args, datacenter),
});
export const toNodeQuery = (wire: WireQuery & Values<typeof NODE_QUERY>): NodeMetaQuery => ({
  ...toQuery(wire),
  ...toNear(wire),
  NodeMetaFilters: wire.NodeMetaFilters ?? {},
});

/** `ServiceSpecificRequest`. */
export const SERVICE_QUERY = {
  ...NODE_QUERY,
  Connect: bool(),
  Ingress: bool(),
  ServiceAddress: text(),
  ServiceName: text(),
  ServiceTag: text(),
  ServiceTags: list(text()),
  TagFilter: bool(),
};
type WireServiceQuery = WireQuery & Values<typeof SERVICE_QUERY>;

export const fromServiceQuery = (
  args: ServiceQuery,
  datacenter: string,
): Values<typeof SERVICE_QUERY> => ({
  ...fromNodeQuery(args, datacenter),
  Connect: false,
  Ingress: false,
  ServiceAddress: "",
  ServiceName: args.ServiceName,
  ServiceTag: "",
  ServiceTags: args.ServiceTags,
  TagFilter: args.ServiceTags.length > 0,
});
export const toServiceQuery = (wire: WireServiceQuery): ServiceQuery => ({
  ...toNodeQuery(wire),
  ServiceName: wire.ServiceName,
  ServiceTags: tagsOf(wire),
});

/** Callers before Consul 1.3 have one tag only. */
function tagsOf({ TagFilter, ServiceTag, ServiceTags }: WireServiceQuery): readonly string[] {
  if (!TagFilter) return [];
  return ServiceTag === "" ? (ServiceTags ?? []) : [ServiceTag];
}

const { Datacenter: _, ...OPTIONS } = QUERY_OPTIONS;
/** The one query that is about no datacenter. */
const DatacentersRequest = struct("DatacentersRequest", OPTIONS);
type DatacentersRequest = Static<typeof DatacentersRequest>;

const NODE = { Node: text() };
const CHECKS = { HealthChecks: list(HealthCheck) };
const toChecks = (
  wire: Values<typeof CHECKS>,
): { HealthChecks: readonly Static<typeof HealthCheck>[] } => ({
  HealthChecks: wire.HealthChecks ?? [],
});
const INSTANCES = { ServiceNodes: list(ServiceNode) };

export const CATALOG = {
  "Catalog.Register": plain<"Catalog.Register", RegisterRequest, object>({
    name: "Catalog.Register",
    args: messageOf(RegisterRequest),
    reply: NOTHING,
    fromArgs: (args, datacenter) => ({
      ...args,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    toReply: () => undefined,
    answer: async (server, wire, signal) => {
      await server.call("Catalog.Register", wire, { signal });
      return {};
    },
  }),
  "Catalog.Deregister": plain<"Catalog.Deregister", DeregisterRequest, object>({
    name: "Catalog.Deregister",
    args: messageOf(DeregisterRequest),
    reply: NOTHING,
    fromArgs: (args, datacenter) => ({
      ...args,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    toReply: () => undefined,
    answer: async (server, wire, signal) => {
      await server.call("Catalog.Deregister", wire, { signal });
      return {};
    },
  }),
  "Catalog.ListDatacenters": plain<
    "Catalog.ListDatacenters",
    DatacentersRequest,
    readonly string[] | null
  >({
    name: "Catalog.ListDatacenters",
    args: messageOf(DatacentersRequest),
    reply: TEXTS,
    fromArgs: () => fromQuery(DEFAULT_QUERY, ""),
    toReply: (wire) => wire ?? [],
    answer: (server, _, signal) => server.call("Catalog.ListDatacenters", {}, { signal }),
  }),
  "Catalog.ListNodes": read({
    method: "Catalog.ListNodes",
    args: NODE_QUERY,
    reply: { Nodes: list(Node) },
    toArgs: toNodeQuery,
    fromArgs: fromNodeQuery,
    toValue: ({ Nodes }) => ({ Nodes: Nodes ?? [] }),
    fromValue: ({ Nodes }) => ({ Nodes }),
  }),
  "Catalog.ListServices": read({
    method: "Catalog.ListServices",
    args: NODE_QUERY,
    reply: { Services: map(list(text())) },
    toArgs: toNodeQuery,
    fromArgs: fromNodeQuery,
    toValue: ({ Services }) => ({ Services: withoutNulls(Services ?? {}) }),
    fromValue: ({ Services }) => ({ Services }),
  }),
  "Catalog.ConnectNodes": read({
    method: "Catalog.ConnectNodes",
    name: "Catalog.ServiceNodes",
    args: SERVICE_QUERY,
    reply: INSTANCES,
    toArgs: toServiceQuery,
    fromArgs: (args, datacenter) => ({ ...fromServiceQuery(args, datacenter), Connect: true }),
    toValue: ({ ServiceNodes }) => ({ ServiceNodes: ServiceNodes ?? [] }),
    fromValue: ({ ServiceNodes }) => ({ ServiceNodes }),
  }),
  "Catalog.ServiceNodes": read({
    method: "Catalog.ServiceNodes",
    meant: ({ Connect }) => (Connect ? "Catalog.ConnectNodes" : "Catalog.ServiceNodes"),
    args: SERVICE_QUERY,
    reply: INSTANCES,
    toArgs: toServiceQuery,
    fromArgs: fromServiceQuery,
    toValue: ({ ServiceNodes }) => ({ ServiceNodes: ServiceNodes ?? [] }),
    fromValue: ({ ServiceNodes }) => ({ ServiceNodes }),
  }),
  "Catalog.NodeServices": read({
    method: "Catalog.NodeServices",
    args: NODE,
    reply: { NodeServices: pointer(NodeServices) },
    toArgs: (wire) => ({ ...toQuery(wire), Node: wire.Node }),
    fromArgs: (args) => ({ Node: args.Node }),
    toValue: (wire) => wire,
    fromValue: ({ NodeServices: services }) => ({ NodeServices: services }),
  }),
  "Catalog.NodeServiceList": read({
    method: "Catalog.NodeServiceList",
    args: NODE,
    reply: { NodeServices: NodeServiceList },
    toArgs: (wire) => ({ ...toQuery(wire), Node: wire.Node }),
    fromArgs: (args) => ({ Node: args.Node }),
    toValue: (wire) => wire,
    fromValue: ({ NodeServices: services }) => ({ NodeServices: services }),
  }),

  "Health.NodeChecks": read({
    method: "Health.NodeChecks",
    args: NODE,
    reply: CHECKS,
    toArgs: (wire) => ({ ...toQuery(wire), Node: wire.Node }),
    fromArgs: (args) => ({ Node: args.Node }),
    toValue: toChecks,
    fromValue: ({ HealthChecks }) => ({ HealthChecks }),
  }),
  "Health.ServiceChecks": read({
    method: "Health.ServiceChecks",
    args: SERVICE_QUERY,
    reply: CHECKS,
    toArgs: toServiceQuery,
    fromArgs: fromServiceQuery,
    toValue: toChecks,
    fromValue: ({ HealthChecks }) => ({ HealthChecks }),
  }),
  "Health.ChecksInState": read({
    method: "Health.ChecksInState",
    args: { ...NODE_QUERY, State: text() },
    reply: CHECKS,
    toArgs: (wire) => ({ ...toNodeQuery(wire), State: wire.State }),
    fromArgs: (args, datacenter) => ({ ...fromNodeQuery(args, datacenter), State: args.State }),
    toValue: toChecks,
    fromValue: ({ HealthChecks }) => ({ HealthChecks }),
  }),
};

/** A service without tags has none, or nil. */
function withoutNulls(
  services: Readonly<Record<string, readonly string[] | null>>,
): Readonly<Record<string, readonly string[]>> {
  const tags = Object.create(null) as Record<string, readonly string[]>;
  for (const [name, of] of Object.entries(services)) tags[name] = of ?? [];
  return tags;
}
