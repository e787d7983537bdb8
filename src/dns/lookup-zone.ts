/** SOA and NS: what the zone says of itself. Any server of the catalog's `consul` service serves it. */
import { CONSUL_SERVICE } from "../model/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { addressRecord, hostOf, nodeAddress } from "./addresses.ts";
import { readService, serviceQuery } from "./catalog-reads.ts";
import type { Draw } from "./draw.ts";
import { drawAt } from "./draw.ts";
import { QUERY_TYPES, type ResourceRecord } from "./records.ts";
import { alone, nameBelow, reply, type Reply, type Zone } from "./reply.ts";

const NAME_SERVERS_MAX = 3;
/** Node names outside this cannot be looked up through a resolver, so they are no name servers. */
const VALID_NODE_NAME = /^[A-Za-z0-9-]+$/;

interface NameServers {
  readonly records: readonly ResourceRecord[];
  readonly glue: readonly ResourceRecord[];
}

export async function authorityReply(zone: Zone, delegate: Delegate, draw: Draw): Promise<Reply> {
  const { records, glue } = await nameServers(zone, delegate, draw);
  return reply({
    answers: [alone(zone.soa)],
    authority: records,
    additional: glue,
  });
}

export async function nameServersReply(zone: Zone, delegate: Delegate, draw: Draw): Promise<Reply> {
  const { records, glue } = await nameServers(zone, delegate, draw);
  return reply({ answers: records.map(alone), additional: glue });
}

async function nameServers(zone: Zone, delegate: Delegate, draw: Draw): Promise<NameServers> {
  const { config, domain } = zone;
  const value = await readService(
    delegate,
    serviceQuery(config.dns, CONSUL_SERVICE, undefined, ""),
  );
  const servers = (value?.Nodes ?? []).filter(({ Node }) => VALID_NODE_NAME.test(Node.Node));
  const order = Uint32Array.from(servers.keys());
  const records: ResourceRecord[] = [];
  const glue: ResourceRecord[] = [];
  for (let i = 0; i < order.length && records.length < NAME_SERVERS_MAX; i++) {
    const server = servers[drawAt(order, i, draw)];
    if (server === undefined) continue;
    const host = nameBelow(domain, server.Node.Node, "node", config.datacenter);
    if (host === undefined) continue;
    const ttlS = config.dns.nodeTtlS;
    records.push({ name: domain, type: "NS", ttlS, data: host });
    const place = { config, datacenter: "" };
    const address = hostOf(nodeAddress(server.Node, place, QUERY_TYPES.ANY));
    if (address.kind === "ip") glue.push(addressRecord(host, address.ip, ttlS));
  }
  return { records, glue };
}
