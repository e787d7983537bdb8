/** `<node>.node`: a node's address, and its metadata as TXT records. */
import type { Node } from "../model/index.ts";
import { addressRecord, answersType, hostOf, nodeAddress, type Place } from "./addresses.ts";
import type { Chase } from "./chase.ts";
import { encodeName, type Name } from "./names.ts";
import { metaRecords } from "./node-meta.ts";
import { QUERY_TYPES, RECORD_TYPES, type ResourceRecord } from "./records.ts";
import { alone, reply, type Reply } from "./reply.ts";

const ADDRESS_TYPES: ReadonlySet<number> = new Set([
  RECORD_TYPES.A.code,
  RECORD_TYPES.AAAA.code,
  QUERY_TYPES.ANY,
]);

export interface NodeQuestion extends Place {
  /** As asked: the owner of what is answered. */
  readonly name: Name;
  readonly type: number;
}

/** @param chase follows the node's address where that is a name */
export async function nodeReply(node: Node, question: NodeQuestion, chase: Chase): Promise<Reply> {
  const { config, name, type } = question;
  const ttlS = config.dns.nodeTtlS;
  const addresses = ADDRESS_TYPES.has(type) ? await addressesOf(node, question, chase) : [];
  const meta = metaRecords(node, name, ttlS);
  if (type === QUERY_TYPES.ANY || type === RECORD_TYPES.TXT.code) {
    return reply({ answers: [...addresses, ...meta].map(alone) });
  }
  const shown = ADDRESS_TYPES.has(type) && config.dns.enableAdditionalNodeMetaTxt;
  return reply({ answers: addresses.map(alone), additional: shown ? meta : [] });
}

async function addressesOf(
  node: Node,
  question: NodeQuestion,
  chase: Chase,
): Promise<ResourceRecord[]> {
  const { config, name, type } = question;
  const ttlS = config.dns.nodeTtlS;
  const host = hostOf(nodeAddress(node, question, type));
  if (host.kind === "ip") {
    return answersType(host.ip, type) ? [addressRecord(name, host.ip, ttlS)] : [];
  }
  const canonical = encodeName(host.text);
  if (canonical === undefined) return [];
  const alias: ResourceRecord = { name, type: "CNAME", ttlS, data: canonical };
  return [alias, ...(await chase(canonical))];
}
