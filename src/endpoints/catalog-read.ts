/** What the Catalog endpoint lists. */
import {
  Node as NodeSchema,
  NodeService as NodeServiceSchema,
  ServiceNode as ServiceNodeSchema,
  type Node,
  type NodeService,
  type ServiceNode,
} from "../model/index.ts";
import type { Methods, NodeMetaQuery, NodeQuery, ServiceQuery } from "../rpc/index.ts";
import { row, type IndexView, type ReadView, type ServiceRecord } from "../store/index.ts";
import { Filters, metaQuestion, missingMeta, missingTag } from "./filtering.ts";
import { nearQuestion, sortedByDistance } from "./near.ts";
import { questionOf, type Query } from "./query.ts";
import { shownService } from "./shown.ts";

type Value<M extends keyof Methods> = Methods[M]["reply"] extends { readonly value: infer V }
  ? V
  : never;

const nodeFilters = new Filters(NodeSchema);
const instanceFilters = new Filters(ServiceNodeSchema);
const serviceFilters = new Filters(NodeServiceSchema);

export function listNodes(args: NodeMetaQuery): Query<Value<"Catalog.ListNodes">> {
  const keeps = nodeFilters.of(args.Filter);
  const { NodeMetaFilters } = args;
  return {
    question: questionOf(
      "Catalog.ListNodes",
      args.Filter,
      metaQuestion(NodeMetaFilters),
      nearQuestion(args),
    ),
    evaluate: (view) => {
      const found = view
        .nodes()
        .filter((node) => missingMeta(node.Meta, NodeMetaFilters) === undefined && keeps(node));
      return { Nodes: sortedByDistance(view, nearQuestion(args), found, ({ Node }) => Node) };
    },
    index: (indexes) => indexes.index(row.nodes),
    weight: ({ Nodes }) => Nodes.length,
  };
}

export function listServices(args: NodeMetaQuery): Query<Value<"Catalog.ListServices">> {
  const { NodeMetaFilters } = args;
  const hasMetaFilter = Object.keys(NodeMetaFilters).length > 0;
  return {
    question: questionOf("Catalog.ListServices", metaQuestion(NodeMetaFilters)),
    evaluate: (view) => {
      const chosen = hasMetaFilter ? nodesWithMeta(view, NodeMetaFilters) : undefined;
      return { Services: tagsByService(view.services(), chosen) };
    },
    index: (indexes) => indexes.index(row.services, ...(hasMetaFilter ? [row.nodes] : [])),
    weight: ({ Services }) => Object.keys(Services).length,
  };
}

function nodesWithMeta(view: ReadView, wanted: Readonly<Record<string, string>>): Set<string> {
  const nodes = view.nodes().filter((node) => missingMeta(node.Meta, wanted) === undefined);
  return new Set(nodes.map((node) => node.Node));
}

function tagsByService(
  instances: readonly ServiceRecord[],
  nodes: ReadonlySet<string> | undefined,
): Record<string, string[]> {
  const tags = new Map<string, Set<string>>();
  for (const { Node, Service } of instances) {
    if (nodes !== undefined && !nodes.has(Node)) continue;
    const known = tags.get(Service.Service) ?? new Set();
    for (const tag of Service.Tags ?? []) known.add(tag);
    tags.set(Service.Service, known);
  }
  const byService = Object.create(null) as Record<string, string[]>;
  for (const [name, set] of tags) byService[name] = [...set];
  return byService;
}

type ServiceNodes = Value<"Catalog.ServiceNodes">;

export function serviceNodes(args: ServiceQuery): Query<ServiceNodes> {
  const { ServiceName } = args;
  return {
    ...instancesQuery("Catalog.ServiceNodes", args, (view) => view.instances(ServiceName)),
    index: (indexes) => indexes.serviceIndex(ServiceName, [row.nodes, row.services]),
  };
}

/** Over the mesh. Which services that makes it depend on is not known beforehand. */
export function connectNodes(args: ServiceQuery): Query<ServiceNodes> {
  return {
    ...instancesQuery("Catalog.ConnectNodes", args, (view) => view.meshInstances(args.ServiceName)),
    index: (indexes) => indexes.index(row.nodes, row.services),
  };
}

function instancesQuery(
  name: string,
  args: ServiceQuery,
  instances: (view: ReadView) => ServiceRecord[],
): Omit<Query<ServiceNodes>, "index"> {
  const keeps = instanceFilters.of(args.Filter);
  const { ServiceName, ServiceTags, NodeMetaFilters } = args;
  return {
    question: questionOf(
      name,
      ServiceName,
      JSON.stringify(ServiceTags),
      metaQuestion(NodeMetaFilters),
      args.Filter,
      nearQuestion(args),
    ),
    evaluate: (view) => {
      const found = instances(view)
        .filter(({ Service }) => missingTag(Service.Tags, ServiceTags) === undefined)
        .flatMap((record) => {
          const node = view.nodeOf(record);
          if (node === undefined || missingMeta(node.Meta, NodeMetaFilters)) return [];
          return [joined(node, record.Service)];
        })
        .filter(keeps);
      return { ServiceNodes: sortedByDistance(view, nearQuestion(args), found, nodeName) };
    },
    weight: (value) => value.ServiceNodes.length,
  };
}

const nodeName = ({ Node }: ServiceNode): string => Node;

function joined(node: Node, service: NodeService): ServiceNode {
  return {
    ID: node.ID,
    Node: node.Node,
    Address: node.Address,
    Datacenter: node.Datacenter,
    TaggedAddresses: node.TaggedAddresses,
    NodeMeta: node.Meta,
    ServiceKind: service.Kind,
    ServiceID: service.ID,
    ServiceName: service.Service,
    ServiceTags: service.Tags ?? [],
    ServiceAddress: service.Address,
    ServiceTaggedAddresses: service.TaggedAddresses,
    ServiceWeights: service.Weights,
    ServiceMeta: service.Meta ?? {},
    ServicePort: service.Port,
    ServiceEnableTagOverride: service.EnableTagOverride,
    ServiceProxy: service.Proxy,
    ServiceConnect: service.Connect,
    CreateIndex: service.CreateIndex,
    ModifyIndex: service.ModifyIndex,
  };
}

interface OfNode {
  readonly node: Node;
  readonly services: readonly NodeService[];
}

function ofNode(view: ReadView, nameOrId: string, filter: string): OfNode | undefined {
  const node = view.nodeByNameOrId(nameOrId);
  if (node === undefined) return undefined;
  const keeps = serviceFilters.of(filter);
  const services = view
    .servicesOfNode(node.Node)
    .map(({ Service }) => shownService(Service))
    .filter(keeps);
  return { node, services };
}

const nodeIndex = (indexes: IndexView, isKnown: boolean): number =>
  isKnown ? indexes.index(row.nodes, row.services) : 1;

export function nodeServices(args: NodeQuery): Query<Value<"Catalog.NodeServices">> {
  serviceFilters.of(args.Filter);
  return {
    question: questionOf("Catalog.NodeServices", args.Node, args.Filter),
    evaluate: (view) => {
      const found = ofNode(view, args.Node, args.Filter);
      if (found === undefined) return { NodeServices: null };
      const Services = Object.create(null) as Record<string, NodeService>;
      for (const service of found.services) Services[service.ID] = service;
      return { NodeServices: { Node: found.node, Services } };
    },
    index: (indexes, { NodeServices }) => nodeIndex(indexes, NodeServices !== null),
    weight: ({ NodeServices }) => Object.keys(NodeServices?.Services ?? {}).length,
  };
}

export function nodeServiceList(args: NodeQuery): Query<Value<"Catalog.NodeServiceList">> {
  serviceFilters.of(args.Filter);
  return {
    question: questionOf("Catalog.NodeServiceList", args.Node, args.Filter),
    evaluate: (view) => {
      const found = ofNode(view, args.Node, args.Filter);
      return {
        NodeServices: { Node: found?.node ?? null, Services: found?.services ?? null },
      };
    },
    index: (indexes, { NodeServices }) => nodeIndex(indexes, NodeServices.Node !== null),
    weight: ({ NodeServices }) => NodeServices.Services?.length ?? 0,
  };
}
