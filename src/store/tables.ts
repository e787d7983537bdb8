/**
 * The replicated state: one table a noun, and the index table that says when each was last changed. Keys of the
 * catalog's tables are made in `keys.ts`; keys of the key/value store are bytes.
 */
import {
  compareKeys,
  type AutopilotConfig,
  type DirEntry,
  type HealthCheck,
  type Node,
  type NodeCoordinate,
  type NodeService,
  type PreparedQuery,
  type Session,
} from "../model/index.ts";
import { fold, join } from "./keys.ts";
import { cloneKeptTables, emptyKeptTables, type KeptTables } from "./kept-tables.ts";
import { OrderedMap } from "./ordered-map.ts";
import { Table } from "./table.ts";

/** An instance and the name of its node, spelled as the node's record spells it. */
export interface ServiceRecord {
  readonly Node: string;
  readonly Service: NodeService;
}
/** What stays of a deleted key, or of a deleted tree under its prefix, so that indexes never go back. */
export interface TombstoneRecord {
  readonly Key: string;
  readonly Index: number;
}

const nodeTable = (): Table<Node, "byId"> =>
  new Table({
    key: (node) => fold(node.Node),
    orders: { byId: (node) => (node.ID === "" ? [] : [fold(node.ID)]) },
  });
const serviceTable = (): Table<ServiceRecord, "byName" | "byMesh"> =>
  new Table({
    key: ({ Node, Service }) => join(fold(Node), fold(Service.ID)),
    orders: {
      byName: ({ Node, Service }) => [join(fold(Service.Service), fold(Node), fold(Service.ID))],
      byMesh: ({ Node, Service }) =>
        meshNames(Service).map((name) => join(fold(name), fold(Node), fold(Service.ID))),
    },
  });
/** The service that an instance can be reached as over the mesh, if it can. */
function meshNames({ Kind, Service, Connect, Proxy }: NodeService): readonly string[] {
  if (Connect.Native) return [Service];
  return Kind === "connect-proxy" ? [Proxy.DestinationServiceName] : [];
}
const checkTable = (): Table<HealthCheck, "byInstance" | "byService" | "byStatus"> =>
  new Table({
    key: (check) => join(fold(check.Node), fold(check.CheckID)),
    orders: {
      byInstance: (check) => [join(fold(check.Node), fold(check.ServiceID), fold(check.CheckID))],
      byService: (check) =>
        check.ServiceName === ""
          ? []
          : [join(fold(check.ServiceName), fold(check.Node), fold(check.CheckID))],
      byStatus: (check) => [join(check.Status, fold(check.Node), fold(check.CheckID))],
    },
  });
const kvTable = (): Table<DirEntry, "bySession"> =>
  new Table({
    key: (entry) => entry.Key,
    orders: {
      bySession: (entry) => (entry.Session === "" ? [] : [join(entry.Session, entry.Key)]),
    },
    compare: compareKeys,
  });
const tombstoneTable = (): Table<TombstoneRecord> =>
  new Table({ key: (tombstone) => tombstone.Key, orders: {}, compare: compareKeys });
const sessionTable = (): Table<Session, "byNode" | "byCheck"> =>
  new Table({
    key: (session) => session.ID,
    orders: {
      byNode: (session) => [join(fold(session.Node), session.ID)],
      byCheck: (session) =>
        checksOfSession(session).map((id) => join(fold(session.Node), fold(id), session.ID)),
    },
  });

const coordinateTable = (): Table<NodeCoordinate> =>
  new Table({ key: ({ Node, Segment }) => join(fold(Node), Segment), orders: {} });
/** The table has one row. */
export const AUTOPILOT_KEY = "autopilot";
const autopilotTable = (): Table<AutopilotConfig> =>
  new Table({ key: () => AUTOPILOT_KEY, orders: {} });
/** Keys are the ID in lower case; templates also stand under the prefix that they are for. */
const queryTable = (): Table<PreparedQuery, "byName" | "byPrefix" | "bySession"> =>
  new Table({
    key: (query) => fold(query.ID),
    orders: {
      byName: (query) => (query.Name === "" ? [] : [fold(query.Name)]),
      byPrefix: (query) => (query.Template.Type === "" ? [] : [fold(query.Name)]),
      bySession: (query) => (query.Session === "" ? [] : [join(query.Session, query.ID)]),
    },
  });

/** Every check that the session stands on, by whichever of the three lists it was named. */
export function checksOfSession(session: Session): readonly string[] {
  return [
    ...new Set([
      ...(session.Checks ?? []),
      ...(session.NodeChecks ?? []),
      ...(session.ServiceChecks ?? []).map((check) => check.ID),
    ]),
  ];
}

export interface Tables {
  readonly nodes: ReturnType<typeof nodeTable>;
  readonly services: ReturnType<typeof serviceTable>;
  readonly checks: ReturnType<typeof checkTable>;
  readonly kv: ReturnType<typeof kvTable>;
  readonly tombstones: ReturnType<typeof tombstoneTable>;
  readonly sessions: ReturnType<typeof sessionTable>;
  readonly preparedQueries: ReturnType<typeof queryTable>;
  readonly coordinates: ReturnType<typeof coordinateTable>;
  readonly autopilot: ReturnType<typeof autopilotTable>;
  readonly kept: KeptTables;
  /** Consul's index table: a row's name and the index of its last change. */
  readonly indexes: OrderedMap<number>;
}

export function emptyTables(): Tables {
  return {
    nodes: nodeTable(),
    services: serviceTable(),
    checks: checkTable(),
    kv: kvTable(),
    tombstones: tombstoneTable(),
    sessions: sessionTable(),
    preparedQueries: queryTable(),
    coordinates: coordinateTable(),
    autopilot: autopilotTable(),
    kept: emptyKeptTables(),
    indexes: new OrderedMap(),
  };
}

/** A copy that later writes do not change. Costs the same whatever the tables hold. */
export function cloneTables(tables: Tables): Tables {
  return {
    nodes: tables.nodes.clone(),
    services: tables.services.clone(),
    checks: tables.checks.clone(),
    kv: tables.kv.clone(),
    tombstones: tables.tombstones.clone(),
    sessions: tables.sessions.clone(),
    preparedQueries: tables.preparedQueries.clone(),
    coordinates: tables.coordinates.clone(),
    autopilot: tables.autopilot.clone(),
    kept: cloneKeptTables(tables.kept),
    indexes: tables.indexes.clone(),
  };
}
