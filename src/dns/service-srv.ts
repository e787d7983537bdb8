/**
 * SRV records (RFC 2782): where an instance listens and how much of the load it should get. The target is a
 * name that can be asked for in turn, and what it would answer comes along as additional records.
 */
import type { CheckServiceNode } from "../model/index.ts";
import { addressRecord, servicePort } from "./addresses.ts";
import type { Chase } from "./chase.ts";
import { hexOf } from "./hex.ts";
import { addressesBehind, type Instance, type ServiceQuestion } from "./instance.ts";
import { encodeName, textOf, type Name } from "./names.ts";
import { metaRecords } from "./node-meta.ts";
import type { ResourceRecord } from "./records.ts";
import { nameBelow, type AnswerGroup } from "./reply.ts";

const PRIORITY = 1;
const WEIGHT_MAX = 65_535;

interface Target {
  readonly name: Name;
  readonly additional: readonly ResourceRecord[];
}

export async function srvGroups(
  instances: readonly Instance[],
  question: ServiceQuestion,
  ttlS: number,
  chase: Chase,
): Promise<AnswerGroup[]> {
  const { name } = question;
  const seen = new Set<string>();
  const groups: AnswerGroup[] = [];
  const targets = await Promise.all(
    instances.map((instance) => targetOf(instance, question, ttlS, chase)),
  );
  for (const [i, instance] of instances.entries()) {
    const target = targets[i];
    if (target === undefined) continue;
    const port = servicePort(instance.node, question);
    const key = `${instance.node.Node.Node} ${textOf(target.name)} ${port}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const weight = weightOf(instance.node);
    const data = { priority: PRIORITY, weight, port, target: target.name };
    const record: ResourceRecord = { name, type: "SRV", ttlS, data };
    groups.push({ record, additional: target.additional });
  }
  return groups;
}

/** @returns undefined when no name can stand for the instance */
async function targetOf(
  { node, effective, source, untranslated }: Instance,
  question: ServiceQuestion,
  ttlS: number,
  chase: Chase,
): Promise<Target | undefined> {
  const { config, zone } = question;
  const datacenter = question.datacenter || config.datacenter;
  const nodeName = nameBelow(zone.domain, node.Node.Node, "node", datacenter);
  const meta =
    nodeName !== undefined && config.dns.enableAdditionalNodeMetaTxt
      ? metaRecords(node.Node, nodeName, ttlS)
      : [];
  if (effective.kind === "name") {
    const name = encodeName(effective.text);
    if (name === undefined) return undefined;
    return { name, additional: [...(await addressesBehind(name, ttlS, question, chase)), ...meta] };
  }
  const { ip } = effective;
  // A node whose name is no valid DNS name is still reachable by its address.
  if (source === "node" && untranslated && nodeName !== undefined) {
    return { name: nodeName, additional: [addressRecord(nodeName, ip, ttlS), ...meta] };
  }
  const name = nameBelow(zone.domain, hexOf(ip), "addr", datacenter);
  if (name === undefined) return undefined;
  return { name, additional: [addressRecord(name, ip, ttlS), ...meta] };
}

/** An instance with a warning, of its own or of its node, takes its `Weights.Warning`. */
function weightOf({ Service, Checks }: CheckServiceNode): number {
  const warned = (Checks ?? []).some(({ Status }) => Status === "warning");
  const weight = warned ? Service.Weights.Warning : Service.Weights.Passing;
  return Math.min(Math.max(Math.trunc(weight), 0), WEIGHT_MAX);
}
