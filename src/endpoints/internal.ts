/** The Internal endpoint: the whole catalog at once, as the web interface shows it. */
import {
  CheckServiceNode as CheckServiceNodeSchema,
  NodeInfo as NodeInfoSchema,
  type CheckServiceNode,
  type NodeInfo,
} from "../model/index.ts";
import type { NodeQuery, QueryOptions } from "../rpc/index.ts";
import { row, type IndexView, type ReadView } from "../store/index.ts";
import { Filters } from "./filtering.ts";
import { questionOf, type Query } from "./query.ts";

const nodeFilters = new Filters(NodeInfoSchema);
const instanceFilters = new Filters(CheckServiceNodeSchema);

type Dump = { readonly Dump: readonly NodeInfo[] };
type Instances = { readonly Nodes: readonly CheckServiceNode[] };

const index = (indexes: IndexView): number => indexes.index(row.nodes, row.services, row.checks);

export function nodeDump(args: QueryOptions): Query<Dump> {
  const keeps = nodeFilters.of(args.Filter);
  return {
    question: questionOf("Internal.NodeDump", args.Filter),
    evaluate: (view) => ({
      Dump: view
        .nodes()
        .map(({ Node }) => nodeInfo(view, Node))
        .filter((info) => info !== undefined)
        .filter(keeps),
    }),
    index,
    weight: ({ Dump }) => 2 * Dump.length,
  };
}

export function node({ Node }: NodeQuery): Query<Dump> {
  return {
    question: questionOf("Internal.NodeInfo", Node),
    evaluate: (view) => {
      const info = nodeInfo(view, Node);
      return { Dump: info === undefined ? [] : [info] };
    },
    index,
    weight: () => 2,
  };
}

function nodeInfo(view: ReadView, name: string): NodeInfo | undefined {
  const found = view.node(name);
  if (found === undefined) return undefined;
  const { ID, Node, Address, TaggedAddresses, Meta } = found;
  const Services = view.servicesOfNode(Node).map(({ Service }) => Service);
  return { ID, Node, Address, TaggedAddresses, Meta, Services, Checks: view.checksOfNode(Node) };
}

/** Every instance of every service, by node. */
export function serviceDump(args: QueryOptions): Query<Instances> {
  const keeps = instanceFilters.of(args.Filter);
  return {
    question: questionOf("Internal.ServiceDump", args.Filter),
    evaluate: (view) => ({ Nodes: allInstances(view).filter(keeps) }),
    index,
    weight: ({ Nodes }) => 2 * Nodes.length,
  };
}

function allInstances(view: ReadView): CheckServiceNode[] {
  view.nodes();
  view.checksInState("any");
  return view.services().flatMap((record) => {
    const Node = view.nodeOf(record);
    const { Service } = record;
    return Node === undefined ? [] : [{ Node, Service, Checks: view.checksOf(record) }];
  });
}
