/** `rollcall rtt`: estimates the round-trip time between two nodes from their network coordinates. */
import { distanceNs, jsonDecoder, list, NodeCoordinate, struct, text } from "../model/index.ts";
import type { Static } from "../model/index.ts";
import { agentSelf } from "./agent-self.ts";
import { openApi, type ApiClient } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, Failure, type Command } from "./command.ts";
import { misused } from "./command-usage.ts";

const DatacenterCoordinates = struct("CoordinateDatacenterMap", {
  Datacenter: text(),
  Coordinates: list(NodeCoordinate),
});
const decodeNodes = jsonDecoder(list(NodeCoordinate), { unknown: "ignore" });
const decodeDatacenters = jsonDecoder(list(DatacenterCoordinates), { unknown: "ignore" });

const NANOSECONDS_PER_MS = 1e6;

export const rtt: Command = {
  name: "rtt",
  usage: `
Usage: rollcall rtt [options] node1 [node2]

  Estimates how long a packet takes from one node to another and back. Names are
  those of "rollcall members"; without node2 it is the agent's own node. Nodes of
  other datacenters are named with -wan, as <node>.<datacenter>.

      $ rollcall rtt web-1 db-1
      $ rollcall rtt -wan server-1.dc1 server-1.dc2`,
  flags: [
    ...clientFlags,
    { name: "wan", kind: "bool", help: "Use the coordinates of servers over the WAN." },
  ],
  async run(context) {
    const { args, flags, stdout } = context;
    if (args.length < 1 || args.length > 2) {
      return misused(context, rtt, "One or two node names must be specified");
    }
    const isWan = flags.on("wan");
    using api = await openApi(context);
    const [from = "", to = await ownName(api, isWan)] = args;
    if (isWan && ![from, to].every((name) => name.includes("."))) {
      throw new Failure("Node names must be specified as <node name>.<datacenter> with -wan");
    }
    const find = isWan ? await wanCoordinates(api) : await lanCoordinates(api);
    const [a, b] = [find(from), find(to)];
    if (!a || !b) {
      // Over the WAN it is the pair that is looked for, and its first name that is told.
      const missing = a && !isWan ? to : from;
      throw new Failure(`Could not find a coordinate for node "${missing}"`);
    }
    const ms = (distanceNs(a, b) / NANOSECONDS_PER_MS).toFixed(3);
    const source = isWan ? "WAN" : "LAN";
    stdout(`Estimated ${from} <-> ${to} rtt: ${ms} ms (using ${source} coordinates)\n`);
    return 0;
  },
};

type Coordinate = Static<typeof NodeCoordinate>["Coord"];
type Find = (name: string) => Coordinate | undefined;

async function ownName(api: ApiClient, isWan: boolean): Promise<string> {
  const { nodeName, datacenter } = await agentSelf(api, "Unable to look up agent info");
  return isWan ? `${nodeName}.${datacenter}` : nodeName;
}

async function lanCoordinates(api: ApiClient): Promise<Find> {
  const asked = api.ok({ method: "GET", path: "/v1/coordinate/nodes" }).then(decodeNodes);
  const nodes = (await during("Error getting coordinates", asked)) ?? [];
  return (name) => nodes.find(({ Node }) => Node === name)?.Coord;
}

async function wanCoordinates(api: ApiClient): Promise<Find> {
  const asked = api.ok({ method: "GET", path: "/v1/coordinate/datacenters" });
  const datacenters =
    (await during("Error getting coordinates", asked.then(decodeDatacenters))) ?? [];
  return (name) => {
    const dot = name.lastIndexOf(".");
    const [node, datacenter] = [name.slice(0, dot), name.slice(dot + 1)];
    return datacenters
      .filter(({ Datacenter }) => Datacenter === datacenter)
      .flatMap(({ Coordinates }) => Coordinates ?? [])
      .find(({ Node }) => Node === node)?.Coord;
  };
}
