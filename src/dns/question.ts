/**
 * What a question asks for: the grammar of names under Consul's domain, as one pure function.
 *
 * The zone is taken off, then labels are scanned from the right for the first word that names a kind. What
 * stands left of it is the name, what stands right of it says where: nothing, or one datacenter. Nothing here
 * knows the catalog; whether the thing exists is for the lookups to say.
 *
 *     prod.web.service.dc2.consul   service "web" with tag "prod" in dc2
 *     _web._tcp.service.consul      service "web" (RFC 2782; any second label but _tcp is a tag)
 *     n1.rack2.node.consul          node "n1.rack2"
 *     nearest.web.query.consul      prepared query "nearest.web"
 *     0a000001.addr.consul          the address 10.0.0.1
 */
import { parseIp, type IpBytes } from "../model/index.ts";
import { bytesOfHex } from "./hex.ts";
import { QUERY_TYPES, RECORD_TYPES } from "./records.ts";

/** `datacenter` is empty for the agent's own. */
export type Lookup =
  | Readonly<{ kind: "node"; node: string; datacenter: string }>
  | Readonly<{ kind: "service"; service: string; tag: string | undefined; datacenter: string }>
  /** `query`: the name or the ID of a prepared query. */
  | Readonly<{ kind: "query"; query: string; datacenter: string }>
  | Readonly<{ kind: "address"; address: IpBytes }>
  | Readonly<{ kind: "start-of-authority" }>
  | Readonly<{ kind: "name-servers" }>
  /** No `address`: a name in a reverse zone that is not an address. */
  | Readonly<{ kind: "reverse"; address: IpBytes | undefined }>
  /** A name under the domain that cannot exist. */
  | Readonly<{ kind: "absent" }>
  /** A name that exists and never has records. */
  | Readonly<{ kind: "empty" }>
  | Readonly<{ kind: "transfer" }>
  | Readonly<{ kind: "foreign" }>;

/** Lower-case labels of the zones served besides the reverse ones. */
export interface Zones {
  readonly domain: readonly string[];
  readonly altDomain: readonly string[] | undefined;
}

const REVERSE_ZONES = {
  v4: ["in-addr", "arpa"],
  v6: ["ip6", "arpa"],
};
const ABSENT: Lookup = { kind: "absent" };

/** Reads the labels left and right of a kind word. */
type Kind = (name: readonly string[], where: readonly string[]) => Lookup;

const inDatacenter = (where: readonly string[], make: (datacenter: string) => Lookup): Lookup =>
  where.length > 1 ? ABSENT : make(where[0] ?? "");

/** Kinds without an entry behind them (`connect`, `ingress`) answer as a Consul that has none. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["service", serviceLookup],
  ["node", nodeLookup],
  ["addr", addressLookup],
  ["query", queryLookup],
  ["connect", () => ABSENT],
  ["ingress", () => ABSENT],
]);

/** @param labels of the question's name, lower-case, without the closing empty one */
export function parseLookup(labels: readonly string[], type: number, zones: Zones): Lookup {
  for (const zone of [zones.domain, zones.altDomain]) {
    const below = zone === undefined ? undefined : withoutZone(labels, zone);
    if (below !== undefined) return lookupBelow(below, type);
  }
  const v4 = withoutZone(labels, REVERSE_ZONES.v4);
  if (v4 !== undefined) return { kind: "reverse", address: reverseIpv4(v4) };
  const v6 = withoutZone(labels, REVERSE_ZONES.v6);
  if (v6 !== undefined) return { kind: "reverse", address: reverseIpv6(v6) };
  return { kind: "foreign" };
}

function withoutZone(labels: readonly string[], zone: readonly string[]): string[] | undefined {
  const cut = labels.length - zone.length;
  if (cut < 0 || !zone.every((label, i) => labels[cut + i] === label)) return undefined;
  return labels.slice(0, cut);
}

function lookupBelow(labels: readonly string[], type: number): Lookup {
  switch (type) {
    case QUERY_TYPES.AXFR:
      return { kind: "transfer" };
    case RECORD_TYPES.SOA.code:
      return { kind: "start-of-authority" };
    case RECORD_TYPES.NS.code:
      return { kind: "name-servers" };
    default:
      return kindLookup(labels, type);
  }
}

function kindLookup(labels: readonly string[], type: number): Lookup {
  for (let i = labels.length - 1; i >= 0; i--) {
    const label = labels[i] ?? "";
    const kind = KINDS.get(label);
    if (kind !== undefined) return kind(labels.slice(0, i), labels.slice(i + 1));
    // RFC 2782 names may leave out the word `service`.
    if (type === RECORD_TYPES.SRV.code && label.startsWith("_")) {
      return serviceLookup(labels.slice(0, i + 1), labels.slice(i + 1));
    }
  }
  return ABSENT;
}

function serviceLookup(name: readonly string[], where: readonly string[]): Lookup {
  const last = name.at(-1);
  if (last === undefined) return ABSENT;
  const [first = "", second = ""] = name;
  const rfc2782 = name.length === 2 && first.startsWith("_") && second.startsWith("_");
  const service = rfc2782 ? first.slice(1) : last;
  const tag = rfc2782 ? second.slice(1) : name.slice(0, -1).join(".");
  if (service === "") return ABSENT;
  const none = tag === "" || (rfc2782 && tag === "tcp");
  return inDatacenter(where, (datacenter) => ({
    kind: "service",
    service,
    tag: none ? undefined : tag,
    datacenter,
  }));
}

function nodeLookup(name: readonly string[], where: readonly string[]): Lookup {
  if (name.length === 0) return ABSENT;
  return inDatacenter(where, (datacenter) => ({ kind: "node", node: name.join("."), datacenter }));
}

function queryLookup(name: readonly string[], where: readonly string[]): Lookup {
  if (name.length === 0) return ABSENT;
  return inDatacenter(where, (datacenter) => ({
    kind: "query",
    query: name.join("."),
    datacenter,
  }));
}

/** Where it is asked does not matter: the address is in the name. */
function addressLookup(name: readonly string[]): Lookup {
  const [hex] = name;
  if (name.length !== 1 || hex === undefined) return ABSENT;
  const sizeBytes = Math.trunc(hex.length / 2);
  if (sizeBytes !== 4 && sizeBytes !== 16) return { kind: "empty" };
  const address = bytesOfHex(hex);
  return address === undefined ? ABSENT : { kind: "address", address };
}

function reverseIpv4(labels: readonly string[]): IpBytes | undefined {
  const plain = labels.every((label) => /^(0|[1-9]\d*)$/.test(label));
  return plain ? parseIp(labels.toReversed().join(".")) : undefined;
}

function reverseIpv6(labels: readonly string[]): IpBytes | undefined {
  if (labels.length !== 32 || !labels.every((label) => label.length === 1)) return undefined;
  return bytesOfHex(labels.toReversed().join(""));
}
