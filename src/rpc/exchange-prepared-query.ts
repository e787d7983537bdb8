/** How prepared queries travel. */
import { RollcallError } from "../errors/index.ts";
import {
  bool,
  CheckServiceNode,
  int,
  list,
  messageOf,
  PreparedQuery,
  PreparedQueryRequest,
  QueryDnsOptions,
  text,
} from "../model/index.ts";
import { inDatacenter, plain, read, TEXT, type Values } from "./exchange.ts";
import type { PreparedQueryResult } from "./methods.ts";
import { NO_SOURCE, NODE_QUERY, noNodeFields, QUERY_SOURCE, toQuery } from "./query-shapes.ts";

/** `PreparedQueryExecuteRequest`, which Explain takes as well. */
const EXECUTE = {
  Agent: QUERY_SOURCE,
  Connect: bool(),
  Limit: int(),
  QueryIDOrName: text(),
  Source: QUERY_SOURCE,
};

const RESULT = {
  Service: text(),
  Nodes: list(CheckServiceNode),
  DNS: QueryDnsOptions,
  Datacenter: text(),
  Failovers: int(),
};
const toResult = ({ Nodes, ...rest }: Values<typeof RESULT>): PreparedQueryResult => {
  const { Service, DNS, Datacenter, Failovers } = rest;
  return { Service, Nodes: Nodes ?? [], DNS, Datacenter, Failovers };
};
const fromResult = (value: PreparedQueryResult): Values<typeof RESULT> => value;

const QUERIES = { Queries: list(PreparedQuery) };

export const PREPARED_QUERY = {
  "PreparedQuery.Apply": plain<"PreparedQuery.Apply", PreparedQueryRequest, string>({
    name: "PreparedQuery.Apply",
    args: messageOf(PreparedQueryRequest),
    reply: TEXT,
    fromArgs: (args, datacenter) => ({
      ...args,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    toReply: (wire) => wire,
    answer: (server, wire, signal) => server.call("PreparedQuery.Apply", wire, { signal }),
  }),
  "PreparedQuery.Get": read({
    method: "PreparedQuery.Get",
    args: { QueryID: text() },
    reply: QUERIES,
    toArgs: (wire) => ({ ...toQuery(wire), QueryID: wire.QueryID }),
    fromArgs: ({ QueryID }) => ({ QueryID }),
    toValue: ({ Queries }) => ({ Queries: Queries ?? [] }),
    fromValue: ({ Queries }) => {
      if (Queries.length === 0) throw new RollcallError("request/not-found", "Query not found");
      return { Queries };
    },
  }),
  "PreparedQuery.List": read({
    method: "PreparedQuery.List",
    args: NODE_QUERY,
    reply: QUERIES,
    toArgs: toQuery,
    fromArgs: noNodeFields,
    toValue: ({ Queries }) => ({ Queries: Queries ?? [] }),
    fromValue: ({ Queries }) => ({ Queries }),
  }),
  "PreparedQuery.Execute": read({
    method: "PreparedQuery.Execute",
    args: EXECUTE,
    reply: RESULT,
    index: "none",
    toArgs: (wire) => {
      const { QueryIDOrName, Limit, Connect, Source, Agent, Datacenter } = wire;
      // Who asks from elsewhere is near to nothing here.
      const isFromHere = Source.Datacenter === "" || Source.Datacenter === Datacenter;
      return {
        ...toQuery(wire),
        QueryIDOrName,
        Limit,
        Connect,
        Source: { Node: isFromHere ? Source.Node : "", Ip: Source.Ip },
        Agent: { Node: Agent.Node },
      };
    },
    fromArgs: ({ QueryIDOrName, Limit, Connect, Source, Agent }, Datacenter) => ({
      QueryIDOrName,
      Limit,
      Connect,
      Source: { ...NO_SOURCE, Datacenter, Ip: Source.Ip, Node: Source.Node },
      Agent: { ...NO_SOURCE, Datacenter, Node: Agent.Node },
    }),
    toValue: toResult,
    fromValue: fromResult,
  }),
  "PreparedQuery.ExecuteRemote": read({
    method: "PreparedQuery.ExecuteRemote",
    args: { Connect: bool(), Limit: int(), Query: PreparedQuery },
    reply: RESULT,
    index: "none",
    toArgs: (wire) => {
      const { Query, Limit, Connect } = wire;
      return { ...toQuery(wire), Query, Limit, Connect };
    },
    fromArgs: ({ Query, Limit, Connect }) => ({ Query, Limit, Connect }),
    toValue: toResult,
    fromValue: fromResult,
  }),
  "PreparedQuery.Explain": read({
    method: "PreparedQuery.Explain",
    args: EXECUTE,
    reply: { Query: PreparedQuery },
    index: "none",
    toArgs: (wire) => ({ ...toQuery(wire), QueryIDOrName: wire.QueryIDOrName }),
    fromArgs: ({ QueryIDOrName }, Datacenter) => ({
      QueryIDOrName,
      Limit: 0,
      Connect: false,
      Source: { ...NO_SOURCE, Datacenter },
      Agent: { ...NO_SOURCE, Datacenter },
    }),
    toValue: ({ Query }) => ({ Query }),
    fromValue: ({ Query }) => ({ Query }),
  }),
};
