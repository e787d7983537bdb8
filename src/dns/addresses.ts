/**
 * Which address of an instance or a node an answer shows: its own, or a tagged one that suits the question
 * and where it is answered from.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { parseIp, type CheckServiceNode, type IpBytes, type Node } from "../model/index.ts";
import { QUERY_TYPES, RECORD_TYPES, type RecordOf } from "./records.ts";
import type { Name } from "./names.ts";

export interface Place {
  readonly config: RuntimeConfig;
  /** Where the answer comes from; empty for the agent's own datacenter. */
  readonly datacenter: string;
}

/** Tags that replace an address, later ones winning; a family's tag counts where its records are welcome. */
const TAGS = {
  lan: { any: [], ipv4: ["lan_ipv4"], ipv6: ["lan_ipv6"] },
  wan: { any: ["wan"], ipv4: ["wan_ipv4"], ipv6: ["wan_ipv6"] },
} as const;

function tagsFor({ config, datacenter }: Place, type: number): readonly string[] {
  const remote = datacenter !== "" && datacenter !== config.datacenter;
  const tags = remote && config.translateWanAddrs ? TAGS.wan : TAGS.lan;
  const ipv4 = type === RECORD_TYPES.AAAA.code ? [] : tags.ipv4;
  const ipv6 = type === RECORD_TYPES.A.code ? [] : tags.ipv6;
  return [...tags.any, ...ipv4, ...ipv6];
}

function pick(own: string, tagged: ReadonlyMap<string, string>, tags: readonly string[]): string {
  let address = own;
  for (const tag of tags) address = tagged.get(tag) || address;
  return address;
}

export function nodeAddress(node: Node, place: Place, type: number): string {
  const tagged = new Map(Object.entries(node.TaggedAddresses ?? {}));
  return pick(node.Address, tagged, tagsFor(place, type));
}

/** Empty: the instance has no address but its node's. */
export function serviceAddress({ Service }: CheckServiceNode, place: Place, type: number): string {
  const entries = Object.entries(Service.TaggedAddresses ?? {});
  const tagged = new Map(entries.map(([tag, { Address }]) => [tag, Address]));
  return pick(Service.Address, tagged, tagsFor(place, type));
}

/** The `wan` port where the `wan` address is used. */
export function servicePort({ Service }: CheckServiceNode, { config, datacenter }: Place): number {
  const remote = datacenter !== "" && datacenter !== config.datacenter;
  const wan = Service.TaggedAddresses?.["wan"]?.Port ?? 0;
  return remote && config.translateWanAddrs && wan > 0 ? wan : Service.Port;
}

export function addressRecord(name: Name, ip: IpBytes, ttlS: number): RecordOf<"A" | "AAAA"> {
  return { name, type: ip.length === 4 ? "A" : "AAAA", ttlS, data: ip };
}

/** Do questions of this type want this address? Consul counts TXT among them for services. */
export function answersType(ip: IpBytes, type: number): boolean {
  const own = ip.length === 4 ? RECORD_TYPES.A.code : RECORD_TYPES.AAAA.code;
  return type === own || type === QUERY_TYPES.ANY || type === RECORD_TYPES.TXT.code;
}

/** An address, or the name that stands in its place. */
export type Host = Readonly<{ kind: "ip"; ip: IpBytes }> | Readonly<{ kind: "name"; text: string }>;

export function hostOf(address: string): Host {
  const ip = parseIp(address);
  return ip === undefined ? { kind: "name", text: address } : { kind: "ip", ip };
}
