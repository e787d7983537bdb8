/** The PreparedQuery endpoint but for running queries: writing, listing and explaining them. */
import { RollcallError } from "../errors/index.ts";
import {
  durationError,
  parseDuration,
  uuidFrom,
  uuidLookupFault,
  validateMetadata,
  type PreparedQuery,
} from "../model/index.ts";
import type { Answer, Methods } from "../rpc/index.ts";
import { row, type IndexView } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";
import { metaOf, questionOf, requireDatacenter, type Query } from "./query.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);
/** What stands in a listing in place of a token that the reader may not see. */
const REDACTED = "<hidden>";

/** @returns the query's ID */
export async function apply(
  context: EndpointContext,
  { Datacenter, Op, Query: given }: Methods["PreparedQuery.Apply"]["args"],
): Promise<string> {
  requireDatacenter(context, Datacenter);
  if (Op === "create" && given.ID !== "") {
    throw refuse("ID must be empty when creating a new prepared query");
  }
  if (Op !== "create") requireQuery(context, given.ID);
  if (Op !== "delete") requireValid(given);
  const ID = Op === "create" ? freeId(context) : given.ID;
  const body = { Datacenter: context.datacenter, Op, Query: { ...given, ID } };
  const result = await context.apply({ type: "PreparedQuery", body });
  if (result.kind === "refused") throw result.error;
  return ID;
}

function requireQuery({ store }: EndpointContext, id: string): void {
  const fault = uuidLookupFault(id);
  if (fault !== undefined) {
    throw refuse(`Prepared Query lookup failed: failed prepared query lookup: ${fault}`);
  }
  if (store.view().preparedQuery(id) === undefined) {
    throw refuse(`Cannot modify non-existent prepared query: '${id}'`);
  }
}

function requireValid(query: PreparedQuery): void {
  const fault = faultOf(query);
  if (fault !== undefined) throw refuse(`Invalid prepared query: ${fault}`);
}

/** Templates are compiled when they are stored, and datacenters looked at when the query runs. */
function faultOf({
  Name,
  Session,
  Template,
  Token,
  Service,
  DNS,
}: PreparedQuery): string | undefined {
  if (Name === "" && Template.Type === "" && Session === "") return "Must be bound to a session";
  if (Token === REDACTED) {
    return `Bad Token '${Token}', it looks like a query definition with a redacted token was submitted`;
  }
  if (Service.Service === "") return "Must provide a Service name to query";
  const { NearestN } = Service.Failover;
  if (NearestN < 0) return `Bad NearestN '${NearestN}', must be >= 0`;
  return validateMetadata(Service.NodeMeta, { allowConsulPrefix: true }) ?? ttlFault(DNS.TTL);
}

function ttlFault(ttl: string): string | undefined {
  if (ttl === "") return undefined;
  const ttlNs = parseDuration(ttl);
  if (ttlNs === undefined) return `Bad DNS TTL '${ttl}': ${durationError(ttl)}`;
  return ttlNs < 0 ? `DNS TTL '${ttlNs}', must be >=0` : undefined;
}

function freeId({ platform, store }: EndpointContext): string {
  for (;;) {
    const id = uuidFrom(platform.random.bytes(16));
    if (store.view().preparedQuery(id) === undefined) return id;
  }
}

type Queries = { readonly Queries: readonly PreparedQuery[] };
const answersQueries = {
  index: (indexes: IndexView): number => indexes.index(row.preparedQueries),
  weight: ({ Queries }: Queries): number => Queries.length,
};

export function get({ QueryID }: Methods["PreparedQuery.Get"]["args"]): Query<Queries> {
  const fault = uuidLookupFault(QueryID);
  if (fault !== undefined) throw refuse(`failed prepared query lookup: ${fault}`);
  return {
    question: questionOf("PreparedQuery.Get", QueryID),
    evaluate: (view) => {
      const query = view.preparedQuery(QueryID);
      return { Queries: query === undefined ? [] : [query] };
    },
    ...answersQueries,
  };
}

export function list(): Query<Queries> {
  return {
    question: questionOf("PreparedQuery.List"),
    evaluate: (view) => ({ Queries: view.preparedQueries() }),
    ...answersQueries,
  };
}

/** The query that would run under this name, as it would run. */
export function explain(
  context: EndpointContext,
  { Datacenter, QueryIDOrName }: Methods["PreparedQuery.Explain"]["args"],
): Answer<{ readonly Query: PreparedQuery }> {
  requireDatacenter(context, Datacenter);
  return { value: { Query: resolve(context, QueryIDOrName) }, meta: metaOf(context, 1) };
}

/** @throws {RollcallError} `request/not-found`, or `request/refused` for the ID of a template */
export function resolve({ store }: EndpointContext, idOrName: string): PreparedQuery {
  const query = store.view().resolveQuery(idOrName);
  if (query !== undefined) return query;
  throw new RollcallError("request/not-found", "Query not found");
}
