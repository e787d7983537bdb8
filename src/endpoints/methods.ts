/**
 * The method table: what each RPC name does on a server. A new method is one row here, its types in
 * `rpc/methods.ts` and its file.
 */
import type { Delegate, MethodName, Methods, QueryOptions } from "../rpc/index.ts";
import * as catalogRead from "./catalog-read.ts";
import * as catalogWrite from "./catalog-write.ts";
import * as coordinate from "./coordinate.ts";
import type { EndpointContext } from "./context.ts";
import { Deadlines } from "./deadlines.ts";
import * as health from "./health.ts";
import * as internal from "./internal.ts";
import * as kvs from "./kvs.ts";
import { answer, requireDatacenter, type Query, type ReadContext } from "./query.ts";
import * as operator from "./operator.ts";
import * as preparedQuery from "./prepared-query.ts";
import { execute, executeRemote } from "./prepared-query-execute.ts";
import * as session from "./session.ts";
import * as txn from "./txn.ts";

type Handler<M extends MethodName> = (
  context: ReadContext,
  args: Methods[M]["args"],
  signal: AbortSignal | undefined,
) => Promise<Methods[M]["reply"]> | Methods[M]["reply"];

/**
 * A handler that answers a query, waiting for it where the caller says so. Who freezes the arguments asks with them
 * again: what they ask for is then worked out once.
 */
function reads<A extends QueryOptions, T extends object>(queryOf: (args: A) => Query<T>) {
  const known = new WeakMap<A, Query<T>>();
  const knownQueryOf = (args: A): Query<T> => {
    if (!Object.isFrozen(args)) return queryOf(args);
    let query = known.get(args);
    if (query === undefined) known.set(args, (query = queryOf(args)));
    return query;
  };
  return (context: ReadContext, args: A, signal: AbortSignal | undefined) =>
    answer(context, args, knownQueryOf(args), signal);
}

const METHODS: { readonly [M in MethodName]: Handler<M> } = {
  "Status.Leader": (context, { Datacenter }) => {
    requireDatacenter(context, Datacenter);
    return context.leadership.leader();
  },
  "Status.Peers": (context, { Datacenter }) => {
    requireDatacenter(context, Datacenter);
    return context.leadership.peers();
  },

  "Catalog.Register": catalogWrite.register,
  "Catalog.Deregister": catalogWrite.deregister,
  "Catalog.ListDatacenters": ({ elsewhere }) => elsewhere.names(),
  "Catalog.ListNodes": reads(catalogRead.listNodes),
  "Catalog.ListServices": reads(catalogRead.listServices),
  "Catalog.ConnectNodes": reads(catalogRead.connectNodes),
  "Catalog.ServiceNodes": reads(catalogRead.serviceNodes),
  "Catalog.NodeServices": reads(catalogRead.nodeServices),
  "Catalog.NodeServiceList": reads(catalogRead.nodeServiceList),

  "Health.ServiceNodes": reads(health.serviceNodes),
  "Health.ConnectNodes": reads(health.connectNodes),
  "Health.NodeChecks": reads(health.nodeChecks),
  "Health.ServiceChecks": reads(health.serviceChecks),
  "Health.ChecksInState": reads(health.checksInState),

  "KVS.Apply": kvs.apply,
  "KVS.Get": reads(kvs.get),
  "KVS.List": reads(kvs.list),
  "KVS.ListKeys": reads(kvs.listKeys),

  "Session.Apply": session.apply,
  "Session.Get": reads(session.get),
  "Session.List": reads(session.list),
  "Session.NodeSessions": reads(session.nodeSessions),
  "Session.Renew": session.renew,

  "PreparedQuery.Apply": preparedQuery.apply,
  "PreparedQuery.Get": reads(preparedQuery.get),
  "PreparedQuery.List": reads(preparedQuery.list),
  "PreparedQuery.Execute": execute,
  "PreparedQuery.ExecuteRemote": executeRemote,
  "PreparedQuery.Explain": preparedQuery.explain,

  "Coordinate.Update": coordinate.update,
  "Coordinate.ListNodes": reads(coordinate.listNodes),
  "Coordinate.Node": reads(coordinate.node),

  "Internal.NodeDump": reads(internal.nodeDump),
  "Internal.NodeInfo": reads(internal.node),
  "Internal.ServiceDump": reads(internal.serviceDump),

  "Operator.Servers": operator.servers,
  "Operator.RaftGetConfiguration": operator.raftConfiguration,
  "Operator.RaftTransferLeader": operator.transferLeader,
  "Operator.RaftRemovePeer": operator.removePeer,
  "Operator.AutopilotGetConfiguration": operator.autopilotConfig,
  "Operator.AutopilotSetConfiguration": operator.setAutopilotConfig,

  "Txn.Apply": txn.apply,
  "Txn.Read": txn.read,
};

/** Answers every call from this server's own store. */
export function localDelegate(endpointContext: EndpointContext): Delegate {
  const deadlines = new Deadlines(endpointContext.platform.clock);
  const context: ReadContext = { ...endpointContext, deadlines };
  return {
    call: <M extends MethodName>(
      method: M,
      args: Methods[M]["args"],
      options?: { readonly signal?: AbortSignal },
    ): Promise<Methods[M]["reply"]> => {
      try {
        const reply = METHODS[method](context, args, options?.signal);
        return reply instanceof Promise ? reply : Promise.resolve(reply);
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}
