/** Fixtures of this room's tests: a catalog to ask, a configuration, queries, and an independent parser. */
import * as dnsPacket from "dns-packet";
import type { DnsConfig, RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { CheckServiceNode, HealthCheck, Node, NodeService } from "../model/index.ts";
import { noLogger, type Platform } from "../platform/index.ts";
import { Recursors } from "./recursors.ts";
import type { Delegate, MethodName, Methods } from "../rpc/index.ts";

/** A body of `/v1/catalog/register`, as far as it matters here. */
export interface Registration {
  readonly Node: string;
  readonly Address: string;
  readonly TaggedAddresses?: Readonly<Record<string, string>>;
  readonly NodeMeta?: Readonly<Record<string, string>>;
  readonly Service?: Readonly<Partial<NodeService>> & { readonly Service: string };
  readonly Checks?: readonly { CheckID: string; Status: string; ServiceID?: string }[];
}

export const TEST_DNS: DnsConfig = {
  allowStale: true,
  maxStaleMs: 315_360_000_000,
  nodeTtlS: 0,
  serviceTtlS: {},
  onlyPassing: false,
  aRecordLimit: 0,
  udpAnswerLimit: 3,
  enableTruncate: false,
  disableCompression: false,
  enableAdditionalNodeMetaTxt: true,
  soa: { refreshS: 3600, retryS: 600, expireS: 86_400, minTtlS: 0 },
  recursion: { recursors: [], timeoutMs: 2000, strategy: "sequential" },
};

export interface TestConfig extends Partial<
  Pick<
    RuntimeConfig,
    "dnsDomain" | "dnsAltDomain" | "dnsAddrs" | "translateWanAddrs" | "datacenter"
  >
> {
  readonly dns?: Partial<DnsConfig>;
  readonly port?: number;
}

/** The fields that DNS reads; the rest of a configuration is none of its business. */
export function testConfig({ dns, port = 8600, ...rest }: TestConfig = {}): RuntimeConfig {
  const read: Partial<RuntimeConfig> = {
    datacenter: "dc1",
    dnsDomain: "consul.",
    dnsAltDomain: "",
    dnsAddrs: ["127.0.0.1"],
    translateWanAddrs: false,
    ports: { dns: port, http: -1, https: -1, grpc: -1, serfLan: -1, serfWan: -1, server: -1 },
    ...rest,
    dns: { ...TEST_DNS, ...dns },
  };
  return read as RuntimeConfig;
}

interface FakeNode {
  readonly node: Node;
  readonly services: Map<string, NodeService>;
  readonly checks: Map<string, HealthCheck>;
}

/** Answers reads from registrations; the same arguments give the same value until `register`. */
export class FakeCatalog implements Delegate {
  readonly #nodes = new Map<string, FakeNode>();
  readonly #values = new Map<string, object>();
  /** Prepared queries by name: the service that each is for, and its TTL. */
  readonly queries = new Map<string, { readonly Service: string; readonly TTL: string }>();
  /** Thrown by every call while set. */
  failure: Error | undefined;
  callCount = 0;

  constructor(registrations: readonly Registration[] = []) {
    for (const registration of registrations) this.register(registration);
  }

  register({ Node, Address, TaggedAddresses, NodeMeta, Service, Checks }: Registration): void {
    this.#values.clear();
    const known = this.#nodes.get(Node.toLowerCase());
    const node = {
      ID: "",
      Node,
      Address,
      Datacenter: "dc1",
      TaggedAddresses: TaggedAddresses ?? {},
      Meta: NodeMeta ?? {},
      CreateIndex: 1,
      ModifyIndex: 1,
    } as Node;
    const services = known?.services ?? new Map<string, NodeService>();
    const checks = known?.checks ?? new Map<string, HealthCheck>();
    if (Service !== undefined) {
      const ID = Service.ID ?? Service.Service;
      const defaults = { ID, Tags: [], Address: "", Port: 0, Weights: { Passing: 1, Warning: 1 } };
      services.set(ID, { ...defaults, ...Service } as NodeService);
    }
    for (const check of Checks ?? []) {
      checks.set(check.CheckID, { ServiceID: "", ...check } as HealthCheck);
    }
    this.#nodes.set(Node.toLowerCase(), { node, services, checks });
  }

  async call<M extends MethodName>(
    method: M,
    args: Methods[M]["args"],
  ): Promise<Methods[M]["reply"]> {
    this.callCount += 1;
    if (this.failure !== undefined) throw this.failure;
    const Datacenter = "Datacenter" in args ? (args.Datacenter ?? "") : "";
    if (Datacenter !== "" && Datacenter !== "dc1") throw new RollcallError("dc/unknown");
    const key = `${method} ${JSON.stringify(args)}`;
    const value = this.#values.get(key) ?? this.#read(method, args);
    this.#values.set(key, value);
    const meta = { Index: 1, KnownLeader: true, LastContactMs: 0 };
    return { value, meta } as unknown as Methods[M]["reply"];
  }

  #read(method: MethodName, args: unknown): object {
    if (method === "Health.ServiceNodes") {
      return this.#healthy(args as Methods["Health.ServiceNodes"]["args"]);
    }
    if (method === "Catalog.NodeServices") {
      const { Node } = args as Methods["Catalog.NodeServices"]["args"];
      const found = this.#nodes.get(Node.toLowerCase());
      if (found === undefined) return { NodeServices: null };
      return { NodeServices: { Node: found.node, Services: Object.fromEntries(found.services) } };
    }
    if (method === "Catalog.ListNodes") return { Nodes: this.#sorted().map(({ node }) => node) };
    if (method === "Catalog.ListServices") {
      const names = this.#instances().map(({ Service }) => [Service.Service, []]);
      return { Services: Object.fromEntries(names) };
    }
    if (method === "Catalog.ServiceNodes") {
      const { ServiceName } = args as Methods["Catalog.ServiceNodes"]["args"];
      return { ServiceNodes: this.#named(ServiceName).map(asServiceNode) };
    }
    if (method === "PreparedQuery.Execute") {
      const { QueryIDOrName } = args as Methods["PreparedQuery.Execute"]["args"];
      const query = this.queries.get(QueryIDOrName);
      if (query === undefined) throw new RollcallError("request/not-found", "Query not found");
      const { Service, TTL } = query;
      const Nodes = this.#named(Service);
      return { Service, Nodes, DNS: { TTL }, Datacenter: "dc1", Failovers: 0 };
    }
    throw new Error(`the fake catalog does not answer ${method}`);
  }

  #healthy({ ServiceName, ServiceTags, Status }: Methods["Health.ServiceNodes"]["args"]): object {
    const refused = Status === "passing" ? ["warning", "critical"] : ["critical"];
    const Nodes = this.#named(ServiceName).filter(
      ({ Service, Checks }) =>
        !(Checks ?? []).some((check) => refused.includes(check.Status)) &&
        ServiceTags.every((tag) =>
          (Service.Tags ?? []).some((own) => own.toLowerCase() === tag.toLowerCase()),
        ),
    );
    return { Nodes, Excluded: [] };
  }

  #named(service: string): CheckServiceNode[] {
    const wanted = service.toLowerCase();
    return this.#instances().filter(({ Service }) => Service.Service.toLowerCase() === wanted);
  }

  #instances(): CheckServiceNode[] {
    return this.#sorted().flatMap(({ node, services, checks }) =>
      [...services.values()].map((Service) => ({
        Node: node,
        Service,
        Checks: [...checks.values()].filter(
          ({ ServiceID }) => ServiceID === "" || ServiceID === Service.ID,
        ),
      })),
    );
  }

  #sorted(): FakeNode[] {
    const keys = [...this.#nodes.keys()].sort();
    return keys.flatMap((key) => this.#nodes.get(key) ?? []);
  }
}

function asServiceNode({ Node, Service }: CheckServiceNode): object {
  return {
    Node: Node.Node,
    Address: Node.Address,
    ServiceID: Service.ID,
    ServiceName: Service.Service,
    ServiceAddress: Service.Address,
  };
}

/** On a network where nobody listens but who the test puts there. */
export function testRecursors(platform: Pick<Platform, "network" | "clock" | "random">): Recursors {
  return new Recursors({ ...platform, logger: noLogger });
}

export interface TestQuery {
  readonly id?: number;
  readonly rd?: boolean;
  readonly edns?: number;
  readonly class?: string;
}

/** `web.service.consul A` as bytes, with EDNS of that UDP size where given. */
export function query(name: string, type: string, options: TestQuery = {}): Uint8Array {
  const opt = { type: "OPT", name: ".", udpPayloadSize: options.edns, flags: 0, options: [] };
  return dnsPacket.encode({
    type: "query",
    id: options.id ?? 1,
    flags: (options.rd ?? true) ? 0x100 : 0,
    questions: [{ name, type, class: options.class ?? "IN" }],
    additionals: options.edns === undefined ? [] : [opt],
  });
}

/** A message as a person reads it, one line a record, as zone files have it; SOA without its serial. */
export interface ShownMessage {
  readonly rcode: string;
  readonly flags: string;
  readonly question: readonly string[];
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
}

export function showMessage(bytes: Uint8Array): ShownMessage {
  const message = dnsPacket.decode(bytes);
  const flags = {
    aa: message.flag_aa,
    tc: message.flag_tc,
    rd: message.flag_rd,
    ra: message.flag_ra,
    z: message.flag_z,
    ad: message.flag_ad,
    cd: message.flag_cd,
  };
  return {
    rcode: message.rcode,
    flags: Object.entries(flags)
      .flatMap(([name, set]) => (set ? [name] : []))
      .join(" "),
    question: message.questions.map((q) => `${dotted(q.name)} ${q.class} ${q.type}`),
    answer: message.answers.map(showRecord),
    authority: message.authorities.map(showRecord),
    additional: message.additionals.map(showRecord),
  };
}

function showRecord(record: dnsPacket.DecodedRecord): string {
  if (record.type === "OPT") {
    const options = record.options.map(({ code, data }) => ` ${code}=${data.toString("hex")}`);
    return `. OPT ${record.udpPayloadSize} v${record.ednsVersion} ${record.flags}${options.join("")}`;
  }
  return `${dotted(record.name)} ${record.ttl} ${record.class} ${record.type} ${dataOf(record)}`;
}

function dataOf(record: Exclude<dnsPacket.DecodedRecord, dnsPacket.DecodedOpt>): string {
  switch (record.type) {
    case "SRV": {
      const { priority, weight, port, target } = record.data;
      return `${priority} ${weight} ${port} ${dotted(target)}`;
    }
    case "SOA": {
      const { mname, rname, refresh, retry, expire, minimum } = record.data;
      return `${dotted(mname)} ${dotted(rname)} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case "TXT":
      return record.data.map((part) => JSON.stringify(part.toString())).join(" ");
    case "A":
    case "AAAA":
      return record.data;
    case "NS":
    case "CNAME":
    case "PTR":
      return dotted(record.data);
  }
}

function dotted(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}
