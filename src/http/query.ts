/** `/v1/query` (Consul HTTP API, "Prepared Queries"). */
import { RollcallError } from "../errors/index.ts";
import {
  atoi,
  BLANK_QUERY,
  bool,
  CheckServiceNode,
  int,
  list,
  parseBool,
  PreparedQuery,
  QueryDnsOptions,
  struct,
  text,
} from "../model/index.ts";
import type { PreparedQueryExecution, QueryMeta, QueryOptions } from "../rpc/index.ts";
import { ask, discoveryHeaders, FAILED_READ, LEVELS } from "./answer-headers.ts";
import { cachedJsonBody, jsonBody, plainJsonBody, textBody } from "./body.ts";
import { cacheControlOf } from "./cache-control.ts";
import { questionOf } from "./cache-headers.ts";
import type { Call } from "./call.ts";
import {
  CACHED_PARAMETERS,
  DC_PARAMETERS,
  NEAR_PARAMETERS,
  queryOptions,
  READ_PARAMETERS,
  tokenOf,
} from "./query-options.ts";
import { EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { jsonRequest } from "./request-json.ts";
import { defineRoute } from "./route.ts";
import { sourceIp } from "./source-ip.ts";

const QUERIES = list(PreparedQuery);
const CREATED = struct("preparedQueryCreateResponse", { ID: text() });
const META = { Index: int(), LastContact: int(), KnownLeader: bool(), ConsistencyLevel: text() };
const EXECUTED = struct("PreparedQueryExecuteResponse", {
  Service: text(),
  Nodes: list(CheckServiceNode),
  DNS: QueryDnsOptions,
  Datacenter: text({ description: "That the instances are in" }),
  Failovers: int({ description: "How many other datacenters were tried" }),
  ...META,
});
const EXPLAINED = struct("PreparedQueryExplainResponse", { Query: PreparedQuery, ...META });

type Queries = { readonly Queries: readonly PreparedQuery[] };
const queriesBody = cachedJsonBody(QUERIES, ({ Queries }: Queries) => Queries);
const createdBody = jsonBody(CREATED);
const executedBody = jsonBody(EXECUTED);
const explainedBody = jsonBody(EXPLAINED);
const definition = jsonRequest(PreparedQuery, { unknown: "refuse" });

async function create(call: Call): Promise<Reply> {
  const Query = await definition(call);
  return reply(createdBody({ ID: await apply(call, "create", Query) }));
}

async function update(call: Call): Promise<Reply> {
  if (actionOf(call.path) !== undefined) return otherMethods("PUT", call.path);
  const Query = await definition(call);
  await apply(call, "update", { ...Query, ID: call.tail });
  return EMPTY_REPLY;
}

async function remove(call: Call): Promise<Reply> {
  if (actionOf(call.path) !== undefined) return otherMethods("DELETE", call.path);
  await apply(call, "delete", { ...BLANK_QUERY, ID: call.tail });
  return EMPTY_REPLY;
}

function apply(call: Call, Op: "create" | "update" | "delete", Query: PreparedQuery) {
  const Datacenter = call.query.get("dc");
  const args = { Datacenter, Op, Query, Token: tokenOf(call) };
  return call.needs.delegate.call("PreparedQuery.Apply", args);
}

async function listAll(call: Call): Promise<Reply> {
  const options = queryOptions(call);
  const { value, meta } = await found(call, ask(call, "PreparedQuery.List", options));
  return reply(queriesBody(value), discoveryHeaders(meta, options));
}

async function get(call: Call): Promise<Reply> {
  const action = actionOf(call.path);
  if (action !== undefined) return ACTIONS[action](call);
  const options = queryOptions(call);
  const asked = ask(call, "PreparedQuery.Get", { ...options, QueryID: call.tail });
  const { value, meta } = await found(call, asked);
  if (value.Queries.length === 0) throw new RollcallError("request/not-found", "Query not found");
  return reply(queriesBody(value), discoveryHeaders(meta, options));
}

async function execute(call: Call): Promise<Reply> {
  const { query, config } = call;
  const options = queryOptions(call);
  const args: PreparedQueryExecution = {
    ...options,
    QueryIDOrName: nameOf(call, "execute"),
    Limit: limitOf(query.get("limit")),
    Connect: connectOf(query.get("connect")),
    Source: { Node: nearWish(call), Ip: sourceIp(call) },
    Agent: { Node: config.nodeName },
  };
  const method = "PreparedQuery.Execute";
  const fetch = () => found(call, ask(call, method, args));
  const { answer, headers } = call.wantsCached
    ? await call.keptAnswers.answer(questionOf(method, args), cacheControlOf(call), fetch)
    : { answer: await fetch(), headers: [] };
  const { value, meta } = answer;
  const body = executedBody({ ...value, ...metaFields(meta, options) });
  return reply(body, [...discoveryHeaders(meta, options), ...headers]);
}

async function explain(call: Call): Promise<Reply> {
  const options = queryOptions(call);
  const args = { ...options, QueryIDOrName: nameOf(call, "explain") };
  const { value, meta } = await found(call, ask(call, "PreparedQuery.Explain", args));
  const body = explainedBody({ ...value, ...metaFields(meta, options) });
  return reply(body, discoveryHeaders(meta, options));
}

const ACTIONS = { execute, explain } as const;

function actionOf(path: string): keyof typeof ACTIONS | undefined {
  if (path.endsWith("/execute")) return "execute";
  return path.endsWith("/explain") ? "explain" : undefined;
}

function nameOf({ tail }: Call, action: keyof typeof ACTIONS): string {
  const suffix = `/${action}`;
  return tail.endsWith(suffix) ? tail.slice(0, -suffix.length) : tail;
}

/** A failure has index headers, unless it is that there is no such query. */
async function found<T>(call: Call, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const isUnknown = error instanceof RollcallError && error.code === "request/not-found";
    if (!isUnknown) call.errorHeaders = FAILED_READ;
    throw error;
  }
}

/** The answer's index and age are in its headers; what the body has of them is always the same. */
function metaFields({ KnownLeader }: QueryMeta, { Consistency }: QueryOptions) {
  return { Index: 0, LastContact: 0, KnownLeader, ConsistencyLevel: LEVELS[Consistency] };
}

/** `_ip` and the query's own wish are for who runs it to resolve. */
function nearWish({ query, config }: Call): string {
  const near = query.get("near");
  return near === "_agent" ? config.nodeName : near;
}

function limitOf(given: string): number {
  if (given === "") return 0;
  const { value, error } = atoi(given);
  if (value === undefined) throw new RollcallError("request/refused", `Bad limit: ${error}`);
  return value;
}

function connectOf(given: string): boolean {
  if (given === "") return false;
  const { value, error } = parseBool(given);
  if (value !== undefined) return value;
  throw new RollcallError("request/refused", `Error parsing 'connect' value: ${error}`);
}

/** Of a query, and of running one: Consul answers these itself, and says less in a refusal. */
function otherMethods(method: string, path: string): Reply {
  const allow = actionOf(path) === undefined ? "GET,PUT,DELETE" : "GET";
  if (method === "OPTIONS") return reply(plainJsonBody({}), ["Allow", `OPTIONS,${allow}`]);
  return reply(textBody(`method ${method} not allowed`), ["Allow", allow], 405);
}

const TAG = "Prepared Queries";
const DONE = { 200: { description: "Done; the body is empty" } };
const NOT_DECODED = { 400: { description: "The body cannot be decoded" } };

export const queryRoutes = [
  defineRoute("/v1/query", TAG, {
    GET: {
      summary: "All prepared queries",
      query: READ_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: { 200: { description: "Sorted by ID", schema: QUERIES } },
      handle: listAll,
    },
    POST: {
      summary: "Create a prepared query",
      query: DC_PARAMETERS,
      requestBody: { description: "The query, without an ID", schema: PreparedQuery },
      answerHeaders: "none",
      answers: { 200: { description: "The new query's ID", schema: CREATED }, ...NOT_DECODED },
      handle: create,
    },
  }),
  defineRoute(
    "/v1/query/:query",
    TAG,
    {
      GET: {
        summary: "Read a prepared query; with /execute or /explain at the end: run or render it",
        description:
          "A query is read by its ID, and run by its ID, its name, or a name that a template is for.",
        query: {
          ...READ_PARAMETERS,
          ...NEAR_PARAMETERS,
          ...CACHED_PARAMETERS,
          limit: { description: "With /execute: at most so many instances", type: "integer" },
          connect: { description: "With /execute: over the mesh; a boolean", type: "text" },
        },
        answerHeaders: "index and consistency",
        answers: {
          200: {
            description: "The query; with /execute its instances; with /explain what would run",
            alternatives: [QUERIES, EXECUTED, EXPLAINED],
          },
          404: { description: "No such query" },
        },
        handle: get,
      },
      PUT: {
        summary: "Replace a prepared query",
        query: DC_PARAMETERS,
        requestBody: {
          description: "The query; its ID is that of the path",
          schema: PreparedQuery,
        },
        answerHeaders: "none",
        answers: { ...DONE, ...NOT_DECODED },
        handle: update,
      },
      DELETE: {
        summary: "Delete a prepared query",
        query: DC_PARAMETERS,
        answerHeaders: "none",
        answers: DONE,
        handle: remove,
      },
    },
    otherMethods,
  ),
];
