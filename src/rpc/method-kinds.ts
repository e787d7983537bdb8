/** Who can answer a method, and whether it may be called again when nobody knows what became of it. */
import type { MethodName } from "./methods.ts";

/** "leader": changes something, or is known by the leader alone. "read": any server's, if it may be stale. */
export type Whose = "leader" | "read" | "anybody";

const WHOSE: Readonly<Record<MethodName, Whose>> = {
  "Status.Leader": "anybody",
  "Status.Peers": "anybody",
  "Catalog.Register": "leader",
  "Catalog.Deregister": "leader",
  "Catalog.ListDatacenters": "anybody",
  "Catalog.ListNodes": "read",
  "Catalog.ListServices": "read",
  "Catalog.ConnectNodes": "read",
  "Catalog.ServiceNodes": "read",
  "Catalog.NodeServices": "read",
  "Catalog.NodeServiceList": "read",
  "Health.ServiceNodes": "read",
  "Health.ConnectNodes": "read",
  "Health.NodeChecks": "read",
  "Health.ServiceChecks": "read",
  "Health.ChecksInState": "read",
  "KVS.Apply": "leader",
  "KVS.Get": "read",
  "KVS.List": "read",
  "KVS.ListKeys": "read",
  "Session.Apply": "leader",
  "Session.Get": "read",
  "Session.List": "read",
  "Session.NodeSessions": "read",
  "Session.Renew": "leader",
  "PreparedQuery.Apply": "leader",
  "PreparedQuery.Get": "read",
  "PreparedQuery.List": "read",
  "PreparedQuery.Execute": "read",
  "PreparedQuery.ExecuteRemote": "read",
  "PreparedQuery.Explain": "read",
  "Internal.NodeDump": "read",
  "Internal.NodeInfo": "read",
  "Internal.ServiceDump": "read",
  "Coordinate.Update": "leader",
  "Coordinate.ListNodes": "read",
  "Coordinate.Node": "read",
  "Operator.Servers": "leader",
  "Operator.RaftGetConfiguration": "read",
  "Operator.RaftTransferLeader": "leader",
  "Operator.RaftRemovePeer": "leader",
  "Operator.AutopilotGetConfiguration": "read",
  "Operator.AutopilotSetConfiguration": "leader",
  "Txn.Apply": "leader",
  "Txn.Read": "read",
};
/** Of the leader's, those that do no harm when they are done twice. */
const REPEATABLE: ReadonlySet<MethodName> = new Set([
  "Session.Renew",
  "Coordinate.Update",
  "Operator.Servers",
]);

export function whoseIs(method: MethodName): Whose {
  return WHOSE[method];
}

export function isRepeatable(method: MethodName): boolean {
  return WHOSE[method] !== "leader" || REPEATABLE.has(method);
}
