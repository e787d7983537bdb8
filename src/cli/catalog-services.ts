/** `rollcall catalog services`: the services of a datacenter, or of one node. */
import { jsonDecoder, list, map, NodeServices, pointer, text } from "../model/index.ts";
import { openApi, type ApiClient } from "./api-client.ts";
import { nodeMetaQuery } from "./catalog-nodes.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, refuseArguments, type Command } from "./command.ts";
import type { Query } from "./go-url.ts";
import { tabbed } from "./table.ts";

const decodeServices = jsonDecoder(map(list(text())), { unknown: "ignore" });
const decodeNodeServices = jsonDecoder(pointer(NodeServices), { unknown: "ignore" });

type TagsByService = ReadonlyMap<string, readonly string[]>;

export const catalogServices: Command = {
  name: "catalog services",
  usage: `
Usage: rollcall catalog services [options]

  Lists the names of the services in a datacenter, healthy or not.

      $ rollcall catalog services -tags
      $ rollcall catalog services -node=web-1`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    namespaceFlag,
    { name: "node", kind: "text", value: "id or name", help: "Only services of this node." },
    {
      name: "node-meta",
      kind: "pairs",
      help: "Only services of nodes with this metadata. May be repeated.",
    },
    { name: "tags", kind: "bool", help: "Show the tags of each service." },
  ],
  async run(context) {
    const { args, flags, stdout, stderr } = context;
    refuseArguments(args, 0);
    using api = await openApi(context);
    const node = flags.text("node");
    const query = nodeMetaQuery(flags.pairs("node-meta"));
    const services = await (node === ""
      ? during("Error listing services", allServices(api, query))
      : during("Error listing services for node", servicesOf(api, node, query)));
    if (services.size === 0) {
      stderr("No services match the given query - try expanding your search.\n");
      return 0;
    }
    const lines = [...services]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, tags]) => (flags.on("tags") ? `${name}\t${tags.toSorted().join(",")}` : name));
    stdout(`${tabbed(lines.join("\n")).trimEnd()}\n`);
    return 0;
  },
};

async function allServices(api: ApiClient, query: Query): Promise<TagsByService> {
  const body = await api.ok({ method: "GET", path: "/v1/catalog/services", query });
  const services = decodeServices(body) ?? {};
  return new Map(Object.entries(services).map(([name, tags]) => [name, tags ?? []]));
}

/** The tags of a service's instances one after the other, repetitions included. */
async function servicesOf(api: ApiClient, node: string, query: Query): Promise<TagsByService> {
  const body = await api.ok({ method: "GET", path: `/v1/catalog/node/${node}`, query });
  const services = new Map<string, string[]>();
  for (const { Service, Tags } of Object.values(decodeNodeServices(body)?.Services ?? {})) {
    services.set(Service, [...(services.get(Service) ?? []), ...(Tags ?? [])]);
  }
  return services;
}
