/** `rollcall catalog nodes`: all nodes, or those that run a service. */
import { jsonDecoder, list, Node, ServiceNode } from "../model/index.ts";
import { openApi, type ApiClient } from "./api-client.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, refuseArguments, type Command } from "./command.ts";
import type { Query } from "./go-url.ts";
import { table } from "./table.ts";

const decodeNodes = jsonDecoder(list(Node), { unknown: "ignore" });
const decodeInstances = jsonDecoder(list(ServiceNode), { unknown: "ignore" });

const SHORT_ID_LENGTH = 8;

type Row = Pick<Node, "ID" | "Node" | "Address" | "Datacenter" | "TaggedAddresses" | "Meta">;

export const catalogNodes: Command = {
  name: "catalog nodes",
  usage: `
Usage: rollcall catalog nodes [options]

  Lists the nodes of a datacenter, healthy or not.

      $ rollcall catalog nodes -detailed
      $ rollcall catalog nodes -service=web
      $ rollcall catalog nodes -node-meta=rack=r1 -near=_agent`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    { name: "detailed", kind: "bool", help: "Show whole IDs, tagged addresses and metadata." },
    { name: "filter", kind: "text", help: "Only nodes for which this filter expression holds." },
    {
      name: "near",
      kind: "text",
      help: 'Sort by the estimated round-trip time from this node; "_agent" is the agent\'s own.',
    },
    { name: "node-meta", kind: "pairs", help: "Only nodes with this metadata. May be repeated." },
    { name: "service", kind: "text", value: "name", help: "Only nodes that provide this service." },
  ],
  async run(context) {
    const { args, flags, stdout, stderr } = context;
    refuseArguments(args, 0);
    using api = await openApi(context);
    const service = flags.text("service");
    const query: Query = [
      ...["filter", "near"]
        .filter((name) => flags.text(name) !== "")
        .map((name) => [name, flags.text(name)] as const),
      ...nodeMetaQuery(flags.pairs("node-meta")),
    ];
    const nodes = await (service === ""
      ? during("Error listing nodes", allNodes(api, query))
      : during("Error listing nodes for service", nodesOf(api, service, query)));
    if (nodes.length === 0) {
      stderr("No nodes match the given query - try expanding your search.\n");
      return 0;
    }
    stdout(`${table(flags.on("detailed") ? detailedRows(nodes) : rows(nodes))}\n`);
    return 0;
  },
};

async function allNodes(api: ApiClient, query: Query): Promise<readonly Row[]> {
  const body = await api.ok({ method: "GET", path: "/v1/catalog/nodes", query });
  return decodeNodes(body) ?? [];
}

/** A node once for each of its instances. */
async function nodesOf(api: ApiClient, service: string, query: Query): Promise<readonly Row[]> {
  const body = await api.ok({ method: "GET", path: `/v1/catalog/service/${service}`, query });
  return (decodeInstances(body) ?? []).map((instance) => ({
    ...instance,
    Meta: instance.NodeMeta,
  }));
}

function rows(nodes: readonly Row[]): string[][] {
  const shown = nodes.map(({ ID, Node: name, Address, Datacenter }) => [
    name,
    ID.slice(0, SHORT_ID_LENGTH),
    Address,
    Datacenter,
  ]);
  return [["Node", "ID", "Address", "DC"], ...shown];
}

function detailedRows(nodes: readonly Row[]): string[][] {
  const shown = nodes.map(({ ID, Node: name, Address, Datacenter, TaggedAddresses, Meta }) => [
    name,
    ID,
    Address,
    Datacenter,
    pairs(TaggedAddresses),
    pairs(Meta),
  ]);
  return [["Node", "ID", "Address", "DC", "TaggedAddresses", "Meta"], ...shown];
}

function pairs(map: Readonly<Record<string, string>> | null): string {
  const texts = Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`);
  return texts.toSorted().join(", ");
}

export function nodeMetaQuery(meta: ReadonlyMap<string, string>): Query {
  return [...meta].map(([key, value]) => ["node-meta", `${key}:${value}`]);
}
