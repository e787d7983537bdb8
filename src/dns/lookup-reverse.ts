/**
 * PTR: from an address back to the node, or else a service, that has it; in the agent's datacenter only.
 *
 * The catalog cannot be asked by address, so all of it is read into an index. Building that costs a read per
 * service, hence one is built at a time, all who ask meanwhile share it, and it serves for a second.
 */
import type { DnsConfig, RuntimeConfig } from "../config/index.ts";
import { parseIp, type IpBytes } from "../model/index.ts";
import type { Clock, Instant } from "../platform/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { allInstancesQuery, allNodesQuery } from "./catalog-reads.ts";
import { hexOf } from "./hex.ts";
import type { Name } from "./names.ts";
import { RECORD_TYPES } from "./records.ts";
import { alone, nameBelow, reply, type Reply, type Zone } from "./reply.ts";

const INDEX_LIFE_MS = 1000;

/** Names by address in hexadecimal. */
type AddressIndex = ReadonlyMap<string, string>;

export interface ReverseQuestion {
  /** undefined: no address can be read from the name. */
  readonly address: IpBytes | undefined;
  readonly name: Name;
  readonly type: number;
}

interface ServiceIndex {
  readonly index: Promise<AddressIndex>;
  /** undefined while it is being built. */
  builtAt: Instant | undefined;
}

export class ReverseLookup {
  readonly #delegate: Delegate;
  readonly #clock: Clock;
  #services: ServiceIndex | undefined;
  readonly #nodes = new WeakMap<object, AddressIndex>();

  constructor(delegate: Delegate, clock: Clock) {
    this.#delegate = delegate;
    this.#clock = clock;
  }

  /** @returns undefined when the catalog has nothing at the address */
  async reply({ address, name, type }: ReverseQuestion, zone: Zone): Promise<Reply | undefined> {
    const { config, domain } = zone;
    const host = address === undefined ? undefined : await this.#hostOf(hexOf(address), config);
    const target =
      host === undefined ? undefined : nameBelow(domain, host.label, host.kind, config.datacenter);
    if (target === undefined) return undefined;
    const authority = type === RECORD_TYPES.SOA.code ? [zone.soa] : [];
    return reply({ answers: [alone({ name, type: "PTR", ttlS: 0, data: target })], authority });
  }

  async #hostOf(
    hex: string,
    { dns }: RuntimeConfig,
  ): Promise<{ kind: "node" | "service"; label: string } | undefined> {
    const node = (await this.#nodeIndex(dns)).get(hex);
    if (node !== undefined) return { kind: "node", label: node };
    const service = (await this.#serviceIndex(dns)).get(hex);
    return service === undefined ? undefined : { kind: "service", label: service };
  }

  async #nodeIndex(dns: DnsConfig): Promise<AddressIndex> {
    const { value } = await this.#delegate.call("Catalog.ListNodes", allNodesQuery(dns));
    let index = this.#nodes.get(value);
    if (index === undefined) {
      index = firstByAddress(value.Nodes.map(({ Address, Node }) => [Address, Node]));
      this.#nodes.set(value, index);
    }
    return index;
  }

  #serviceIndex(dns: DnsConfig): Promise<AddressIndex> {
    const { index, builtAt } = this.#services ?? {};
    const fresh = builtAt === undefined || this.#clock.now() - builtAt < INDEX_LIFE_MS;
    if (index !== undefined && fresh) return index;
    const made: ServiceIndex = { index: this.#buildServiceIndex(dns), builtAt: undefined };
    this.#services = made;
    made.index.then(
      () => (made.builtAt = this.#clock.now()),
      // A failure is told to those who waited for it; the next question tries again.
      () => (this.#services = undefined),
    );
    return made.index;
  }

  /** Of several services at one address, the one whose node and ID come first. */
  async #buildServiceIndex(dns: DnsConfig): Promise<AddressIndex> {
    const { value } = await this.#delegate.call("Catalog.ListServices", allNodesQuery(dns));
    const rows: { readonly key: string; readonly address: string; readonly service: string }[] = [];
    for (const service of Object.keys(value.Services)) {
      const query = allInstancesQuery(dns, service);
      const instances = await this.#delegate.call("Catalog.ServiceNodes", query);
      for (const { Node, ServiceID, ServiceAddress, ServiceName } of instances.value.ServiceNodes) {
        if (ServiceAddress === "") continue;
        const key = `${Node}\0${ServiceID}`.toLowerCase();
        rows.push({ key, address: ServiceAddress, service: ServiceName });
      }
    }
    rows.sort((a, b) => (a.key < b.key ? -1 : 1));
    return firstByAddress(rows.map(({ address, service }) => [address, service]));
  }
}

function firstByAddress(rows: readonly (readonly [string, string])[]): AddressIndex {
  const index = new Map<string, string>();
  for (const [address, name] of rows) {
    const ip = parseIp(address);
    if (ip === undefined) continue;
    const hex = hexOf(ip);
    if (!index.has(hex)) index.set(hex, name);
  }
  return index;
}
