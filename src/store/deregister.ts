/**
 * Log command 1, Deregister: a service with its checks, a check, or a node with everything on it; and the
 * rows of the index table that catalog writes move (rules: wire/fsm.md section 5).
 */
import type { DeregisterRequest, HealthCheck } from "../model/index.ts";
import { cell } from "./cells.ts";
import { deleteCoordinatesOfNode } from "./coordinate-write.ts";
import { row } from "./index-rows.ts";
import { destroySessionsOfCheck, destroySessionsOfNode } from "./session-write.ts";
import { fold, join } from "./keys.ts";
import type { ServiceRecord } from "./tables.ts";
import type { WriteTx } from "./write-tx.ts";

export function deregister(tx: WriteTx, request: DeregisterRequest): void {
  if (request.ServiceID !== "") deleteService(tx, request.Node, request.ServiceID);
  else if (request.CheckID !== "") deleteCheck(tx, request.Node, request.CheckID);
  else deleteNode(tx, request.Node);
}

export function deleteNode(tx: WriteTx, name: string): void {
  const { tables } = tx;
  if (tables.nodes.get(fold(name)) === undefined) return;
  const under = join(fold(name), "");
  for (const { Service } of tables.services.rows.values(under)) deleteService(tx, name, Service.ID);
  for (const { CheckID } of tables.checks.rows.values(under)) deleteCheck(tx, name, CheckID);
  deleteCoordinatesOfNode(tx, name);
  destroySessionsOfNode(tx, name);
  tx.remove(tables.nodes, fold(name));
  tx.bump(row.nodes);
  tx.touch(cell.node(fold(name)), cell.nodeServices(fold(name)));
}

export function deleteService(tx: WriteTx, node: string, id: string): void {
  const { tables } = tx;
  const key = join(fold(node), fold(id));
  const record = tables.services.get(key);
  if (record === undefined) return;
  for (const check of tables.checks.order("byInstance").values(join(key, ""))) {
    deleteCheck(tx, node, check.CheckID);
  }
  tx.bumpSilently(row.checks);
  unlinkService(tx, record);
}

/** Takes the instance out of its service; with the last one goes the service's row. */
export function unlinkService(tx: WriteTx, record: ServiceRecord): void {
  const { tables } = tx;
  const { Service } = record;
  tx.remove(tables.services, tables.services.keyOf(record));
  tx.bump(row.services, row.serviceKind(Service.Kind));
  tx.touch(cell.nodeServices(fold(record.Node)));
  if (tables.services.order("byName").hasPrefix(join(fold(Service.Service), ""))) {
    tx.bump(row.service(Service.Service));
  } else {
    tx.dropIndex(row.service(Service.Service));
    tx.bump(row.extinction);
  }
}

export function deleteCheck(tx: WriteTx, node: string, id: string): void {
  const { tables } = tx;
  const check = tx.remove(tables.checks, join(fold(node), fold(id)));
  if (check === undefined) return;
  touchCheck(tx, check);
  tx.bump(row.checks);
  if (check.ServiceID !== "") {
    const instance = tables.services.get(join(fold(node), fold(check.ServiceID)));
    if (instance !== undefined) tx.bump(row.service(instance.Service.Service));
  } else {
    bumpServicesOfNode(tx, node);
    tx.bump(row.services);
  }
  destroySessionsOfCheck(tx, check.Node, check.CheckID);
}

/** The cells of those who read this check, as it is or was. */
export function touchCheck(tx: WriteTx, check: HealthCheck): void {
  tx.touch(
    cell.allChecks(),
    cell.nodeChecks(fold(check.Node)),
    cell.serviceChecks(fold(check.ServiceName)),
    cell.checkStatus(check.Status),
  );
}

/** A change of a node, or of a check of the node, shows in the answers for every service on it. */
export function bumpServicesOfNode(tx: WriteTx, node: string): void {
  for (const { Service } of tx.tables.services.rows.values(join(fold(node), ""))) {
    tx.bump(row.service(Service.Service), row.serviceKind(Service.Kind));
  }
}
