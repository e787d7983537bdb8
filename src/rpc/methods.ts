/**
 * The calls that a server answers, by Consul's names, with the arguments and replies of each. Whoever has a
 * `Delegate` can make them: it answers locally on a server and over the wire on a client.
 */
import type {
  AutopilotConfig,
  CheckServiceNode,
  DeregisterRequest,
  DirEntry,
  HealthCheck,
  KvsRequest,
  NetworkCoordinate,
  Node,
  NodeCoordinate,
  NodeInfo,
  NodeServiceList,
  NodeServices,
  PreparedQuery,
  PreparedQueryRequest,
  RegisterRequest,
  RaftMembers,
  ServerState,
  ServiceNode,
  Session,
  TxnOp,
  TxnResponse,
} from "../model/index.ts";

/** What every read may ask for. Build from `DEFAULT_QUERY`. */
export interface QueryOptions {
  /** Empty: the agent's own. */
  readonly Datacenter: string;
  readonly Token: string;
  /** Hold the answer until its index is greater. 0 answers at once. */
  readonly MinQueryIndex: number;
  /** Longest hold in milliseconds, without the jitter that the server adds. 0: the server's default. */
  readonly MaxQueryTimeMs: number;
  readonly Consistency: "default" | "consistent" | "stale";
  /** With "stale": ask again in default mode if the answer is older than this many milliseconds. */
  readonly MaxStaleMs: number | undefined;
  /** A filter expression; empty keeps everything. */
  readonly Filter: string;
  /** Sorts what is listed by its distance from this node, nearest first, where the method lists what is on nodes. */
  readonly Near?: string;
}
export const DEFAULT_QUERY: QueryOptions = {
  Datacenter: "",
  Token: "",
  MinQueryIndex: 0,
  MaxQueryTimeMs: 0,
  Consistency: "default",
  MaxStaleMs: undefined,
  Filter: "",
};

export interface QueryMeta {
  /** Never 0, never lower for an unchanged result. */
  readonly Index: number;
  readonly KnownLeader: boolean;
  /** Milliseconds since the answering server heard from the leader. */
  readonly LastContactMs: number;
}

/**
 * `value` is the same object for as long as the result has not changed: whoever encodes it may keep the
 * bytes in a WeakMap under it. It must not be changed.
 */
export interface Answer<T extends object> {
  readonly value: T;
  readonly meta: QueryMeta;
}

/** Why an instance is not in the result. Several may hold for one instance. */
export type Reason =
  | Readonly<{ Kind: "check"; CheckID: string; Status: string; Output: string }>
  | Readonly<{ Kind: "maintenance"; CheckID: string; Notes: string }>
  | Readonly<{ Kind: "filter"; Filter: string }>
  | Readonly<{ Kind: "tag"; Tag: string }>
  | Readonly<{ Kind: "node-meta"; Key: string; Value: string }>
  | Readonly<{ Kind: "truncation"; Limit: string }>;

export interface ExcludedInstance {
  readonly Node: string;
  readonly ServiceID: string;
  readonly Reasons: readonly Reason[];
}

export interface ServiceQuery extends QueryOptions {
  readonly ServiceName: string;
  /** All must match, without regard to case. */
  readonly ServiceTags: readonly string[];
  readonly NodeMetaFilters: Readonly<Record<string, string>>;
}
export interface NodeMetaQuery extends QueryOptions {
  readonly NodeMetaFilters: Readonly<Record<string, string>>;
}
export interface NodeQuery extends QueryOptions {
  readonly Node: string;
}
export interface HealthServiceQuery extends ServiceQuery {
  /** "any" keeps all; "not-critical" is DNS's rule; "passing" is `?passing`. Beyond Consul's own arguments. */
  readonly Status: "any" | "not-critical" | "passing";
}
export interface KeyQuery extends QueryOptions {
  readonly Key: string;
}
export interface KeyListQuery extends QueryOptions {
  readonly Prefix: string;
  readonly Seperator: string;
}

export interface PreparedQueryExecution extends QueryOptions {
  readonly QueryIDOrName: string;
  /** 0 or less: all. */
  readonly Limit: number;
  /** Over the mesh, also where the query does not say so. */
  readonly Connect: boolean;
  /** `Node`: what `?near=` says; may be `_agent` or `_ip`, the node with the address `Ip`. */
  readonly Source: { readonly Node: string; readonly Ip: string };
  /** The agent that was asked. */
  readonly Agent: { readonly Node: string };
}
/** A query of another datacenter, which has too few instances itself. */
export interface PreparedQueryRemoteExecution extends QueryOptions {
  readonly Query: PreparedQuery;
  /** As in `PreparedQueryExecution`. */
  readonly Limit: number;
  readonly Connect: boolean;
}
export interface PreparedQueryResult {
  readonly Service: string;
  /** In random order, or nearest first. */
  readonly Nodes: readonly CheckServiceNode[];
  readonly DNS: PreparedQuery["DNS"];
  /** That the instances are in. */
  readonly Datacenter: string;
  /** How many other datacenters were tried. */
  readonly Failovers: number;
}

type Read<A, R extends object> = { args: A; reply: Answer<R> };
type Write<A, R> = { args: A; reply: R };

export interface Methods {
  "Status.Leader": Write<{ readonly Datacenter: string }, string>;
  "Status.Peers": Write<{ readonly Datacenter: string }, readonly string[]>;

  "Catalog.Register": Write<RegisterRequest & { readonly Token?: string }, void>;
  "Catalog.Deregister": Write<DeregisterRequest & { readonly Token?: string }, void>;
  "Catalog.ListDatacenters": Write<{ readonly Datacenter?: string }, readonly string[]>;
  "Catalog.ListNodes": Read<NodeMetaQuery, { readonly Nodes: readonly Node[] }>;
  /** Tags of every service, the union over its instances. */
  "Catalog.ListServices": Read<
    NodeMetaQuery,
    { readonly Services: Readonly<Record<string, readonly string[]>> }
  >;
  /** Instances by which the service is reached over the mesh. */
  "Catalog.ConnectNodes": Read<ServiceQuery, { readonly ServiceNodes: readonly ServiceNode[] }>;
  "Catalog.ServiceNodes": Read<ServiceQuery, { readonly ServiceNodes: readonly ServiceNode[] }>;
  "Catalog.NodeServices": Read<NodeQuery, { readonly NodeServices: NodeServices | null }>;
  "Catalog.NodeServiceList": Read<NodeQuery, { readonly NodeServices: NodeServiceList }>;

  "Health.ServiceNodes": Read<
    HealthServiceQuery,
    {
      readonly Nodes: readonly CheckServiceNode[];
      /** Instances of the service that are not in `Nodes`, and why. */
      readonly Excluded: readonly ExcludedInstance[];
    }
  >;
  /** Instances by which the service is reached over the mesh. */
  "Health.ConnectNodes": Read<
    HealthServiceQuery,
    {
      readonly Nodes: readonly CheckServiceNode[];
      readonly Excluded: readonly ExcludedInstance[];
    }
  >;
  "Health.NodeChecks": Read<NodeQuery, { readonly HealthChecks: readonly HealthCheck[] }>;
  "Health.ServiceChecks": Read<ServiceQuery, { readonly HealthChecks: readonly HealthCheck[] }>;
  "Health.ChecksInState": Read<
    NodeMetaQuery & { readonly State: string },
    { readonly HealthChecks: readonly HealthCheck[] }
  >;

  /** true, or false where a condition (cas, lock) did not hold. */
  "KVS.Apply": Write<KvsRequest & { readonly Token?: string }, boolean>;
  /** `Entries` has 0 or 1 element. */
  "KVS.Get": Read<KeyQuery, { readonly Entries: readonly DirEntry[] }>;
  "KVS.List": Read<KeyQuery, { readonly Entries: readonly DirEntry[] }>;
  "KVS.ListKeys": Read<KeyListQuery, { readonly Keys: readonly string[] }>;

  /** The ID of the created or destroyed session. On create, `Session.ID` is ignored. */
  "Session.Apply": Write<
    { readonly Datacenter: string; readonly Op: "create" | "destroy"; readonly Session: Session },
    string
  >;
  "Session.Get": Read<
    QueryOptions & { readonly SessionID: string },
    { readonly Sessions: readonly Session[] }
  >;
  "Session.List": Read<QueryOptions, { readonly Sessions: readonly Session[] }>;
  "Session.NodeSessions": Read<NodeQuery, { readonly Sessions: readonly Session[] }>;
  /** Starts the session's TTL again; an unknown session gives an empty list. `Index`: of all sessions. */
  "Session.Renew": Write<
    { readonly Datacenter: string; readonly SessionID: string },
    { readonly Sessions: readonly Session[]; readonly Index: number }
  >;

  /** The query's ID. On create, that of the query given must be empty. */
  "PreparedQuery.Apply": Write<PreparedQueryRequest & { readonly Token?: string }, string>;
  /** `Queries` has 0 or 1 element; another server throws `request/not-found` instead of 0. */
  "PreparedQuery.Get": Read<
    QueryOptions & { readonly QueryID: string },
    { readonly Queries: readonly PreparedQuery[] }
  >;
  "PreparedQuery.List": Read<QueryOptions, { readonly Queries: readonly PreparedQuery[] }>;
  /** Does not block. Throws `request/not-found`. */
  "PreparedQuery.Execute": Read<PreparedQueryExecution, PreparedQueryResult>;
  /** Of servers among each other. Does not block. */
  "PreparedQuery.ExecuteRemote": Read<PreparedQueryRemoteExecution, PreparedQueryResult>;
  /** The query that would run, rendered if it is a template. Does not block. Throws `request/not-found`. */
  "PreparedQuery.Explain": Read<
    QueryOptions & { readonly QueryIDOrName: string },
    { readonly Query: PreparedQuery }
  >;

  "Internal.NodeDump": Read<QueryOptions, { readonly Dump: readonly NodeInfo[] }>;
  /** `Dump` has 0 or 1 element. */
  "Internal.NodeInfo": Read<NodeQuery, { readonly Dump: readonly NodeInfo[] }>;
  /** Every instance of every service. */
  "Internal.ServiceDump": Read<QueryOptions, { readonly Nodes: readonly CheckServiceNode[] }>;

  /** Written with a delay of some seconds. */
  "Coordinate.Update": Write<
    {
      readonly Datacenter: string;
      readonly Token?: string;
      readonly Node: string;
      readonly Segment: string;
      readonly Coord: NetworkCoordinate | null;
    },
    void
  >;
  "Coordinate.ListNodes": Read<QueryOptions, { readonly Coordinates: readonly NodeCoordinate[] }>;
  /** One of each segment that the node is in; none for an unknown node. */
  "Coordinate.Node": Read<NodeQuery, { readonly Coordinates: readonly NodeCoordinate[] }>;

  /** Beyond Consul's own: what its raft configuration and its server health both are made of. */
  "Operator.Servers": Write<{ readonly Datacenter: string }, readonly ServerState[]>;
  "Operator.RaftGetConfiguration": Write<QueryOptions, RaftMembers>;
  /** Beyond Consul's own. `ID` is empty for whoever has most of the log. */
  "Operator.RaftTransferLeader": Write<{ readonly Datacenter: string; readonly ID: string }, void>;
  /** One of `ID` and `Address` is empty. */
  "Operator.RaftRemovePeer": Write<
    { readonly Datacenter: string; readonly ID: string; readonly Address: string },
    void
  >;
  "Operator.AutopilotGetConfiguration": Write<{ readonly Datacenter: string }, AutopilotConfig>;
  /** false where `CAS` did not hold. */
  "Operator.AutopilotSetConfiguration": Write<
    { readonly Datacenter: string; readonly Config: AutopilotConfig; readonly CAS: boolean },
    boolean
  >;

  /** The response lists errors where an operation failed: then nothing was written. */
  "Txn.Apply": Write<
    { readonly Datacenter: string; readonly Token?: string; readonly Ops: readonly TxnOp[] },
    TxnResponse
  >;
  /** Of operations that only read. Does not block. */
  "Txn.Read": Read<QueryOptions & { readonly Ops: readonly TxnOp[] }, TxnResponse>;
}
export type MethodName = keyof Methods;

/**
 * Makes a call, wherever it is answered.
 * Reads with `MinQueryIndex` are held until the index passes it or their time is up.
 */
export interface Delegate {
  /** @throws {RollcallError} what the method refuses; `raft/no-leader`; `dc/unknown`; the signal's reason */
  call<M extends MethodName>(
    method: M,
    args: Methods[M]["args"],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Methods[M]["reply"]>;
}
