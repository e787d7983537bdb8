/**
 * Running a prepared query: the instances that it is about, without those that it does not want, in random order or
 * nearest first (Consul HTTP API, "Execute Prepared Query").
 */
import type { CheckServiceNode, HealthCheck, PreparedQuery } from "../model/index.ts";
import type { Random } from "../platform/index.ts";
import type { Answer, Methods, PreparedQueryResult } from "../rpc/index.ts";
import type { ReadView } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";
import { missingMeta } from "./filtering.ts";
import { sortedByDistance } from "./near.ts";
import { resolve } from "./prepared-query.ts";
import { metaOf, requireDatacenter } from "./query.ts";

type Args = Methods["PreparedQuery.Execute"]["args"];
type ServiceQuery = PreparedQuery["Service"];

/** How deep the node that was asked near is looked for, to stand first. */
const NEAR_SEARCH_DEPTH = 10;

export function execute(
  context: EndpointContext,
  args: Args,
): Answer<PreparedQueryResult> | Promise<Answer<PreparedQueryResult>> {
  requireDatacenter(context, args.Datacenter);
  const query = resolve(context, args.QueryIDOrName);
  const view = context.store.view();
  const near = nearNode(view, query.Service, args);
  const here = result(context, query, args, (shuffled) =>
    nearFirst(sortedByDistance(view, near, shuffled, nodeName), near),
  );
  return here.value.Nodes.length > 0 ? here : failOver(context, query, args, here);
}

/** The first of the other datacenters that has an instance, as the query names them. */
async function failOver(
  { elsewhere, datacenter }: EndpointContext,
  query: PreparedQuery,
  args: Args,
  here: Answer<PreparedQueryResult>,
): Promise<Answer<PreparedQueryResult>> {
  const { NearestN, Datacenters } = query.Service.Failover;
  const others = elsewhere.names().filter((name) => name !== datacenter);
  const named = (Datacenters ?? []).filter((name) => others.includes(name));
  let answer = here;
  let Failovers = 0;
  for (const Datacenter of new Set([...others.slice(0, Math.max(0, NearestN)), ...named])) {
    Failovers += 1;
    try {
      answer = await elsewhere.execute({ ...args, Datacenter, Query: query });
    } catch {
      // What it is with that datacenter was logged where it was asked; the next one may do better.
      continue;
    }
    if (answer.value.Nodes.length > 0) break;
  }
  return { ...answer, value: { ...answer.value, Failovers } };
}

/** A query that is not stored here. Where it asks near is of no concern: no node of its datacenter is. */
export function executeRemote(
  context: EndpointContext,
  args: Methods["PreparedQuery.ExecuteRemote"]["args"],
): Answer<PreparedQueryResult> {
  requireDatacenter(context, args.Datacenter);
  return result(context, args.Query, args, (shuffled) => shuffled);
}

type Sort = (shuffled: readonly CheckServiceNode[]) => readonly CheckServiceNode[];

function result(
  context: EndpointContext,
  { Service, DNS }: PreparedQuery,
  { Connect, Limit }: { readonly Connect: boolean; readonly Limit: number },
  sort: Sort,
): Answer<PreparedQueryResult> {
  const found = instances(context.store.view(), Service, Connect);
  const sorted = sort(shuffle(found, context.platform.random));
  const value = {
    Service: Service.Service,
    Nodes: Limit > 0 ? sorted.slice(0, Limit) : sorted,
    DNS,
    Datacenter: context.datacenter,
    Failovers: 0,
  };
  return { value, meta: metaOf(context, 1) };
}

const nodeName = ({ Node }: CheckServiceNode): string => Node.Node;

function instances(view: ReadView, wanted: ServiceQuery, connect: boolean): CheckServiceNode[] {
  const isMesh = wanted.Connect || connect;
  const records = isMesh ? view.meshInstances(wanted.Service) : view.instances(wanted.Service);
  const keepsTags = tagRule(wanted.Tags ?? []);
  return records.flatMap((record) => {
    const Node = view.nodeOf(record);
    const { Service } = record;
    if (Node === undefined) return [];
    const checks = view.checksOf(record);
    const isWanted =
      isHealthy(checks, wanted) &&
      missingMeta(Node.Meta, wanted.NodeMeta ?? {}) === undefined &&
      missingMeta(Service.Meta, wanted.ServiceMeta ?? {}) === undefined &&
      keepsTags(Service.Tags ?? []);
    return isWanted ? [{ Node, Service, Checks: checks.length === 0 ? null : checks }] : [];
  });
}

function isHealthy(
  checks: readonly HealthCheck[],
  { OnlyPassing, IgnoreCheckIDs }: ServiceQuery,
): boolean {
  return checks.every(({ CheckID, Status }) => {
    if (IgnoreCheckIDs?.includes(CheckID) === true) return true;
    return OnlyPassing ? Status === "passing" : Status !== "critical";
  });
}

/** Tags compare without regard to case; one with a `!` in front must not be there. */
function tagRule(tags: readonly string[]): (of: readonly string[]) => boolean {
  const wanted = tags.filter((tag) => !tag.startsWith("!")).map((tag) => tag.toLowerCase());
  const unwanted = tags
    .filter((tag) => tag.startsWith("!"))
    .map((tag) => tag.slice(1).toLowerCase());
  return (of) => {
    const present = new Set(of.map((tag) => tag.toLowerCase()));
    return wanted.every((tag) => present.has(tag)) && !unwanted.some((tag) => present.has(tag));
  };
}

/** Every order equally likely (Fisher and Yates), so that clients spread where nothing else decides. */
function shuffle(items: readonly CheckServiceNode[], random: Random): CheckServiceNode[] {
  const shuffled = [...items];
  for (let left = shuffled.length; left > 1; left--) {
    swap(shuffled, left - 1, Math.floor(random.float() * left));
  }
  return shuffled;
}

function swap(items: CheckServiceNode[], i: number, j: number): void {
  const [a, b] = [items[i], items[j]];
  if (a === undefined || b === undefined) return;
  items[i] = b;
  items[j] = a;
}

/** The node to sort by distance from: the caller's wish, else the query's. Empty: none. */
function nearNode(view: ReadView, { Near }: ServiceQuery, { Source, Agent }: Args): string {
  const near = Source.Node === "" ? Near : Source.Node;
  if (near === "_agent") return Agent.Node;
  if (near !== "_ip") return near;
  return view.nodes().find(({ Address }) => Address === Source.Ip)?.Node ?? "";
}

/** An instance on the very node comes first, also where no coordinate says so. */
function nearFirst(sorted: readonly CheckServiceNode[], near: string): readonly CheckServiceNode[] {
  if (near === "") return sorted;
  const at = sorted
    .slice(0, NEAR_SEARCH_DEPTH)
    .findIndex(({ Node }) => Node.Node.toLowerCase() === near.toLowerCase());
  if (at <= 0) return sorted;
  const swapped = [...sorted];
  swap(swapped, 0, at);
  return swapped;
}
