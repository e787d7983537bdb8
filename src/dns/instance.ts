/**
 * Instances as DNS sees them: which address each is reached at, and whether that is an address at all.
 */
import type { CheckServiceNode } from "../model/index.ts";
import { hostOf, nodeAddress, serviceAddress, type Host, type Place } from "./addresses.ts";
import type { Chase } from "./chase.ts";
import { encodeName, sameName, type Name } from "./names.ts";
import type { ResourceRecord } from "./records.ts";
import { isOurs, type Zone } from "./reply.ts";

export interface ServiceQuestion extends Place {
  readonly zone: Zone;
  /** As asked: the owner of what is answered. */
  readonly name: Name;
  readonly type: number;
  readonly service: string;
  /** Seconds that what is answered lives, where that is not the service's. */
  readonly ttlS?: number;
  /** Records taken for an address that is a name. */
  readonly chasedMax: number;
}

export interface Instance {
  readonly node: CheckServiceNode;
  /** The service's address, or its node's where it has none. */
  readonly effective: Host;
  readonly source: "service" | "node";
  /** The node's address as the catalog has it, with no tagged address in its place. */
  readonly untranslated: boolean;
}

export function instanceOf(node: CheckServiceNode, question: ServiceQuestion): Instance {
  const { type } = question;
  const own = serviceAddress(node, question, type);
  const ofNode = nodeAddress(node.Node, question, type);
  const untranslated = ofNode === node.Node.Address;
  const source = own === "" || isQuestionItself(own, question) ? "node" : "service";
  return { node, effective: hostOf(source === "node" ? ofNode : own), source, untranslated };
}

/** A service whose address is the very name that was asked for would send the client round in circles. */
function isQuestionItself(address: string, question: ServiceQuestion): boolean {
  const name = canonicalName(hostOf(address));
  return name !== undefined && sameName(name, question.name);
}

/** @returns undefined for an address, and for what cannot be a name */
export function canonicalName(host: Host): Name | undefined {
  return host.kind === "name" ? encodeName(host.text) : undefined;
}

/** Does answering with this instance take another look at the catalog, or a recursor? */
export function needsChase({ effective }: Instance, zone: Zone): boolean {
  const name = canonicalName(effective);
  return name !== undefined && (isOurs(name, zone) || zone.recurses);
}

/** Addresses and aliases that a name leads to, living as long as the service's own records do. */
export async function addressesBehind(
  name: Name,
  ttlS: number,
  { chasedMax }: ServiceQuestion,
  chase: Chase,
): Promise<ResourceRecord[]> {
  const found = await chase(name);
  return found
    .filter(({ type }) => type === "A" || type === "AAAA" || type === "CNAME")
    .slice(0, chasedMax)
    .map((record) => ({ ...record, ttlS }));
}
