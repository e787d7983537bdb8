/**
 * `<service>.service`: the instances that may be used, as addresses or as SRV records.
 *
 * The reply holds every instance, in no order; drawing some of them is left to each query. What the reply
 * depends on besides the catalog's value is the question and the configuration, so it can be kept with the
 * value, unless names had to be chased for it (`reusable`).
 */
import type { CheckServiceNode } from "../model/index.ts";
import { addressRecord, answersType } from "./addresses.ts";
import type { Chase } from "./chase.ts";
import type { Draw } from "./draw.ts";
import { hexOf } from "./hex.ts";
import {
  addressesBehind,
  canonicalName,
  instanceOf,
  needsChase,
  type Instance,
  type ServiceQuestion,
} from "./instance.ts";
import { RECORD_TYPES, type ResourceRecord } from "./records.ts";
import { alone, negative, reply, type AnswerGroup, type Reply } from "./reply.ts";
import { srvGroups } from "./service-srv.ts";

export interface ServiceReply {
  readonly reply: Reply;
  /** Is the reply the same for as long as the catalog's value is? */
  readonly reusable: boolean;
}

export async function serviceReply(
  nodes: readonly CheckServiceNode[],
  question: ServiceQuestion,
  chase: Chase,
  draw: Draw,
): Promise<ServiceReply> {
  if (nodes.length === 0) return { reply: negative("NXDOMAIN", question.zone), reusable: false };
  const ttlS = question.ttlS ?? serviceTtlS(question);
  const instances = nodes.map((node) => instanceOf(node, question));
  if (question.type === RECORD_TYPES.SRV.code) {
    const answers = await srvGroups(instances, question, ttlS, chase);
    if (answers.length === 0) return noData(question);
    const reusable = !instances.some((instance) => needsChase(instance, question.zone));
    return { reply: reply({ answers, order: "any", countLimited: true }), reusable };
  }
  const addresses = addressesOf(instances, question, ttlS);
  if (addresses.answers.length > 0) return { reply: addresses, reusable: true };
  const chain = await canonicalChain(instances, question, ttlS, chase, draw);
  if (chain.length === 0) return noData(question);
  return { reply: reply({ answers: chain, countLimited: true }), reusable: false };
}

/** The addresses of all instances that have one; what they lack, nobody is asked for. */
export function addressesReply(
  nodes: readonly CheckServiceNode[],
  question: ServiceQuestion,
): Reply {
  const instances = nodes.map((node) => instanceOf(node, question));
  return addressesOf(instances, question, serviceTtlS(question));
}

function noData({ zone }: ServiceQuestion): ServiceReply {
  return { reply: negative("NOERROR", zone), reusable: false };
}

function addressesOf(
  instances: readonly Instance[],
  { name, type, config }: ServiceQuestion,
  ttlS: number,
): Reply {
  const seen = new Set<string>();
  const groups: AnswerGroup[] = [];
  for (const { effective } of instances) {
    if (effective.kind !== "ip" || !answersType(effective.ip, type)) continue;
    const key = hexOf(effective.ip);
    if (seen.has(key)) continue;
    seen.add(key);
    groups.push(alone(addressRecord(name, effective.ip, ttlS)));
  }
  const answerMax = config.dns.aRecordLimit || Number.POSITIVE_INFINITY;
  return reply({ answers: groups, order: "any", answerMax, countLimited: true });
}

/** A name can have one CNAME only, so one of the instances without an address is drawn. */
async function canonicalChain(
  instances: readonly Instance[],
  question: ServiceQuestion,
  ttlS: number,
  chase: Chase,
  draw: Draw,
): Promise<AnswerGroup[]> {
  const names = instances.flatMap(({ effective }) => {
    const canonical = canonicalName(effective);
    return canonical === undefined ? [] : [canonical];
  });
  const canonical = names.length === 0 ? undefined : names[draw(names.length)];
  if (canonical === undefined) return [];
  const alias: ResourceRecord = { name: question.name, type: "CNAME", ttlS, data: canonical };
  return [alias, ...(await addressesBehind(canonical, ttlS, question, chase))].map(alone);
}

/** `service_ttl`: the exact name, else the longest `prefix*`, else `*`. */
export function serviceTtlS({
  config,
  service,
}: Pick<ServiceQuestion, "config" | "service">): number {
  const ttls = config.dns.serviceTtlS;
  const exact = Object.hasOwn(ttls, service) ? ttls[service] : undefined;
  if (exact !== undefined) return exact;
  let longest = -1;
  let ttlS = 0;
  for (const [pattern, value] of Object.entries(ttls)) {
    if (!pattern.endsWith("*")) continue;
    const prefix = pattern.slice(0, -1);
    if (prefix.length > longest && service.startsWith(prefix)) {
      longest = prefix.length;
      ttlS = value;
    }
  }
  return ttlS;
}
