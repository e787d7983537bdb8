/**
 * The catalog as DNS asks for it: every read that this room makes, with the arguments that dns_config gives
 * it. A datacenter that nobody knows is an answer here ("nothing there"), not a failure.
 */
import type { DnsConfig, RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import {
  DEFAULT_QUERY,
  type Delegate,
  type HealthServiceQuery,
  type Methods,
  type NodeMetaQuery,
  type NodeQuery,
  type PreparedQueryExecution,
  type PreparedQueryResult,
  type QueryOptions,
  type ServiceQuery,
} from "../rpc/index.ts";

type Value<M extends "Health.ServiceNodes" | "Catalog.NodeServices"> = Methods[M]["reply"]["value"];
export type ServiceValue = Value<"Health.ServiceNodes">;
export type NodeValue = Value<"Catalog.NodeServices">;

export function serviceQuery(
  dns: DnsConfig,
  service: string,
  tag: string | undefined,
  datacenter: string,
): HealthServiceQuery {
  return Object.freeze({
    ...queryOptions(dns, datacenter),
    ServiceName: service,
    ServiceTags: tag === undefined ? [] : [tag],
    NodeMetaFilters: {},
    Status: dns.onlyPassing ? "passing" : "not-critical",
  } as const);
}

/** The agent is whom the query may want to be near. */
export function preparedQuery(
  { dns, nodeName }: RuntimeConfig,
  nameOrId: string,
  datacenter: string,
): PreparedQueryExecution {
  return {
    ...queryOptions(dns, datacenter),
    QueryIDOrName: nameOrId,
    Limit: 0,
    Connect: false,
    Source: { Node: "", Ip: "" },
    Agent: { Node: nodeName },
  };
}

export function nodeQuery(dns: DnsConfig, node: string, datacenter: string): NodeQuery {
  return Object.freeze({ ...queryOptions(dns, datacenter), Node: node });
}

export function allNodesQuery(dns: DnsConfig): NodeMetaQuery {
  return { ...queryOptions(dns, ""), NodeMetaFilters: {} };
}

export function allInstancesQuery(dns: DnsConfig, service: string): ServiceQuery {
  return { ...allNodesQuery(dns), ServiceName: service, ServiceTags: [] };
}

/** @returns undefined when there is no way to the datacenter asked for */
export async function readService(
  delegate: Delegate,
  query: HealthServiceQuery,
): Promise<ServiceValue | undefined> {
  try {
    return (await delegate.call("Health.ServiceNodes", query)).value;
  } catch (error) {
    return absentIfNoPath(error);
  }
}

/** @returns undefined when there is no way to the datacenter asked for */
export async function readNode(
  delegate: Delegate,
  query: NodeQuery,
): Promise<NodeValue | undefined> {
  try {
    return (await delegate.call("Catalog.NodeServices", query)).value;
  } catch (error) {
    return absentIfNoPath(error);
  }
}

/** @returns undefined when there is no such query, or no way to the datacenter asked for */
export async function runQuery(
  delegate: Delegate,
  query: PreparedQueryExecution,
): Promise<PreparedQueryResult | undefined> {
  try {
    return (await delegate.call("PreparedQuery.Execute", query)).value;
  } catch (error) {
    if (error instanceof RollcallError && error.code === "request/not-found") return undefined;
    return absentIfNoPath(error);
  }
}

function queryOptions(dns: DnsConfig, datacenter: string): QueryOptions {
  return {
    ...DEFAULT_QUERY,
    Datacenter: datacenter,
    Consistency: dns.allowStale ? "stale" : "default",
    MaxStaleMs: dns.allowStale ? dns.maxStaleMs : undefined,
  };
}

function absentIfNoPath(error: unknown): undefined {
  if (error instanceof RollcallError && error.code === "dc/unknown") return undefined;
  throw error;
}
