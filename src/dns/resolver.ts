/**
 * From a lookup to a compiled reply: reads the catalog, builds the reply, and keeps it for as long as the
 * catalog gives the same value, so that a hot name costs one map lookup.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { unreachable } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import type {
  Delegate,
  HealthServiceQuery,
  NodeQuery,
  PreparedQueryExecution,
  PreparedQueryResult,
} from "../rpc/index.ts";
import { addressRecord } from "./addresses.ts";
import {
  nodeQuery,
  preparedQuery,
  readNode,
  readService,
  runQuery,
  serviceQuery,
  type NodeValue,
  type ServiceValue,
} from "./catalog-reads.ts";
import { CHASE_DEPTH_MAX, CHASED_RECORDS_PLAIN_MAX, type Chase } from "./chase.ts";
import { compileReply, type CompiledReply } from "./compile.ts";
import type { Draw } from "./draw.ts";
import { drawAt } from "./draw.ts";
import { nodeReply } from "./lookup-node.ts";
import { queryReply } from "./lookup-query.ts";
import { ReverseLookup } from "./lookup-reverse.ts";
import { serviceReply } from "./lookup-service.ts";
import { authorityReply, nameServersReply } from "./lookup-zone.ts";
import type { Question } from "./message-decode.ts";
import { isWithin, labelsOf, type Name } from "./names.ts";
import { parseLookup, type Lookup } from "./question.ts";
import { QUERY_TYPES, type ResourceRecord } from "./records.ts";
import {
  alone,
  isNegative,
  isOurs,
  negative,
  reply,
  UNANSWERED,
  zoneAt,
  type Reply,
  type Zone,
} from "./reply.ts";
import type { Recursors } from "./recursors.ts";
import type { Served } from "./served.ts";
import { UDP_PLAIN_ANSWERS_MAX } from "./truncate.ts";

export interface Asked {
  readonly name: Name;
  readonly type: number;
  readonly hasEdns: boolean;
  readonly lookup: Lookup;
  readonly read: CatalogRead;
  /** Equal for questions that get the same reply from the same catalog value. */
  readonly key: string;
}

type CatalogRead =
  | Readonly<{ kind: "service"; query: HealthServiceQuery }>
  | Readonly<{ kind: "node"; query: NodeQuery }>
  | Readonly<{ kind: "query"; query: PreparedQueryExecution }>
  | Readonly<{ kind: "none" }>;
type Facts =
  | Readonly<{ kind: "service"; value: ServiceValue | undefined }>
  | Readonly<{ kind: "node"; value: NodeValue | undefined }>
  | Readonly<{ kind: "query"; value: PreparedQueryResult | undefined }>
  | Readonly<{ kind: "none"; value: undefined }>;
export interface ResolverNeeds {
  readonly delegate: Delegate;
  readonly clock: Clock;
  readonly draw: Draw;
  readonly recursors: Pick<Recursors, "addressesOf">;
}
/** "elsewhere": the catalog says nothing, and recursors may. */
export type Resolved = CompiledReply | "elsewhere";

interface Built {
  readonly reply: Reply;
  readonly reusable: boolean;
}

const NO_READ: CatalogRead = { kind: "none" };
const NO_FACTS: Facts = { kind: "none", value: undefined };
/** Where the domain stands in a question of the other domain. */
const NOT_WITHIN = -1;
/** Spellings and forms of one question; beyond that, replies are made anew. */
const REPLIES_PER_VALUE_MAX = 32;

export function askedOf(
  { name, type }: Pick<Question, "name" | "type">,
  hasEdns: boolean,
  { config, zones }: Served,
): Asked {
  const labels = labelsOf(name);
  const lookup = parseLookup(labels, type, zones);
  // Without compression a reply spells the name out, so it serves one spelling only.
  const spelling = config.dns.disableCompression ? ` ${String.fromCharCode(...name)}` : "";
  const key = `${type} ${labels.join(".")}${spelling}`;
  return { name, type, hasEdns, lookup, read: readOf(lookup, config), key };
}

function readOf(lookup: Lookup, config: RuntimeConfig): CatalogRead {
  const { kind } = lookup;
  const { dns } = config;
  if (kind === "service") {
    const { service, tag, datacenter } = lookup;
    return { kind, query: serviceQuery(dns, service, tag, datacenter) };
  }
  if (kind === "node") return { kind, query: nodeQuery(dns, lookup.node, lookup.datacenter) };
  if (kind === "query") {
    return { kind, query: preparedQuery(config, lookup.query, lookup.datacenter) };
  }
  return NO_READ;
}

function compressTo({ name }: Asked, { config }: Served): Name | undefined {
  return config.dns.disableCompression ? undefined : name;
}

export class Resolver {
  readonly #delegate: Delegate;
  readonly #clock: Clock;
  readonly #draw: Draw;
  readonly #recursors: Pick<Recursors, "addressesOf">;
  readonly #reverse: ReverseLookup;
  #kept = new WeakMap<object, Map<string, CompiledReply>>();
  #keptFor: Served | undefined;
  #zone: { readonly served: Served; readonly serial: number; readonly zone: Zone } | undefined;
  /** For this second's zone; one entry for each place that the domain has in a question. */
  readonly #negatives = {
    NXDOMAIN: new Map<number, CompiledReply>(),
    NOERROR: new Map<number, CompiledReply>(),
  };

  constructor({ delegate, clock, draw, recursors }: ResolverNeeds) {
    this.#delegate = delegate;
    this.#clock = clock;
    this.#draw = draw;
    this.#recursors = recursors;
    this.#reverse = new ReverseLookup(delegate, clock);
  }

  /**
   * @param client IP address of whom it is for, which a prepared query may want to be near; "" if unknown
   * @throws {RollcallError} what the catalog could not answer, for SERVFAIL
   */
  async resolve(asked: Asked, served: Served, client: string): Promise<Resolved> {
    const facts = await this.#read(asked.read, client);
    if (this.#keptFor !== served) {
      this.#kept = new WeakMap();
      this.#keptFor = served;
    }
    // By far the most frequent miss: nothing is made for it but the message.
    if (facts.kind === "service" && (facts.value?.Nodes.length ?? 0) === 0) {
      return this.#compileNegative("NXDOMAIN", asked, served);
    }
    const { value } = facts;
    const kept = value === undefined ? undefined : this.#kept.get(value);
    const known = kept?.get(asked.key);
    if (known !== undefined) return known;
    const built = await this.#build(asked, facts, served, CHASE_DEPTH_MAX);
    if (built.reply === UNANSWERED && served.recursion.recursors.length > 0) return "elsewhere";
    if (isNegative(built.reply, this.#zoneNow(served))) {
      const isAbsent = built.reply.rcode === "NXDOMAIN";
      return this.#compileNegative(isAbsent ? "NXDOMAIN" : "NOERROR", asked, served);
    }
    const compiled = compileReply(built.reply, compressTo(asked, served));
    if (built.reusable && value !== undefined && this.#keptFor === served) {
      const replies = kept ?? new Map<string, CompiledReply>();
      if (replies.size >= REPLIES_PER_VALUE_MAX) replies.clear();
      this.#kept.set(value, replies.set(asked.key, compiled));
    }
    return compiled;
  }

  /** What is said about names that do not exist differs only in where the question has our domain. */
  #compileNegative(rcode: "NXDOMAIN" | "NOERROR", asked: Asked, served: Served): CompiledReply {
    const zone = this.#zoneNow(served);
    const isWithinDomain = isWithin(asked.name, served.domain);
    const domainAt = isWithinDomain ? asked.name.length - served.domain.length : NOT_WITHIN;
    const kept = this.#negatives[rcode];
    let compiled = kept.get(domainAt);
    if (compiled === undefined) {
      compiled = compileReply(negative(rcode, zone), compressTo(asked, served));
      kept.set(domainAt, compiled);
    }
    return compiled;
  }

  /** The zone as of this second: its serial is the time. */
  #zoneNow(served: Served): Zone {
    const serial = Math.floor(this.#clock.wallMs() / 1000);
    if (this.#zone?.served !== served || this.#zone.serial !== serial) {
      this.#zone = { served, serial, zone: zoneAt(served, serial) };
      for (const kept of Object.values(this.#negatives)) kept.clear();
    }
    return this.#zone.zone;
  }

  async #read(read: CatalogRead, client: string): Promise<Facts> {
    const { kind } = read;
    switch (kind) {
      case "service":
        return { kind, value: await readService(this.#delegate, read.query) };
      case "node":
        return { kind, value: await readNode(this.#delegate, read.query) };
      case "query": {
        const query = { ...read.query, Source: { Node: "", Ip: client } };
        return { kind, value: await runQuery(this.#delegate, query) };
      }
      case "none":
        return NO_FACTS;
      default:
        return unreachable(kind);
    }
  }

  async #build(asked: Asked, facts: Facts, served: Served, depth: number): Promise<Built> {
    const { name, type, lookup } = asked;
    const { config } = served;
    const zone = this.#zoneNow(served);
    const once = (made: Reply): Built => ({ reply: made, reusable: false });
    const chase = this.#chaseFrom(served, zone, depth);
    const chasedMax = asked.hasEdns ? Number.POSITIVE_INFINITY : CHASED_RECORDS_PLAIN_MAX;
    switch (lookup.kind) {
      case "service": {
        const nodes = facts.kind === "service" ? (facts.value?.Nodes ?? []) : [];
        const { service, datacenter } = lookup;
        const question = { zone, config, datacenter, name, type, service, chasedMax };
        return serviceReply(nodes, question, chase, this.#draw);
      }
      case "node": {
        const node = facts.kind === "node" ? facts.value?.NodeServices?.Node : undefined;
        if (node === undefined) return once(negative("NXDOMAIN", zone));
        const { datacenter } = lookup;
        let chased = false;
        const noting: Chase = (target) => {
          chased = true;
          return chase(target);
        };
        const found = await nodeReply(node, { config, datacenter, name, type }, noting);
        return { reply: found, reusable: !chased };
      }
      case "query": {
        const result = facts.kind === "query" ? facts.value : undefined;
        if (result === undefined) return once(negative("NXDOMAIN", zone));
        // Not kept: it runs anew for each question, and may say something else.
        return once(
          await queryReply(result, { zone, config, name, type, chasedMax }, chase, this.#draw),
        );
      }
      case "address": {
        const record = addressRecord(name, lookup.address, config.dns.nodeTtlS);
        return once(reply({ answers: [alone(record)] }));
      }
      case "start-of-authority":
        return once(await authorityReply(zone, this.#delegate, this.#draw));
      case "name-servers":
        return once(await nameServersReply(zone, this.#delegate, this.#draw));
      case "reverse":
        return once(
          (await this.#reverse.reply({ address: lookup.address, name, type }, zone)) ?? UNANSWERED,
        );
      case "absent":
        return once(negative("NXDOMAIN", zone));
      case "empty":
        return once(reply({}));
      case "transfer":
        return once(reply({ rcode: "NOTIMP" }));
      case "foreign":
        return once(reply({ rcode: "REFUSED", authoritative: false }));
      default:
        return unreachable(lookup);
    }
  }

  /** Looks a name of ours up as a client without EDNS would, any other through recursors; takes the answers. */
  #chaseFrom(served: Served, zone: Zone, depth: number): Chase {
    return async (name) => {
      if (!isOurs(name, zone)) {
        return served.recursion.recursors.length === 0
          ? []
          : this.#recursors.addressesOf(name, served.recursion);
      }
      if (depth === 0) return [];
      const asked = askedOf({ name, type: QUERY_TYPES.ANY }, false, served);
      const facts = await this.#read(asked.read, "");
      const built = await this.#build(asked, facts, served, depth - 1);
      return this.#sample(built.reply, served.config.dns.udpAnswerLimit);
    };
  }

  #sample({ answers, order, answerMax, countLimited }: Reply, udpAnswerLimit: number) {
    const limit = countLimited ? Math.min(udpAnswerLimit, UDP_PLAIN_ANSWERS_MAX) : answers.length;
    const count = Math.min(answers.length, answerMax, limit);
    const positions = Uint32Array.from(answers.keys());
    const sampled: ResourceRecord[] = [];
    for (let i = 0; i < count; i++) {
      const group = answers[order === "any" ? drawAt(positions, i, this.#draw) : i];
      if (group !== undefined) sampled.push(group.record);
    }
    return sampled;
  }
}
