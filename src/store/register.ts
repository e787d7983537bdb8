/**
 * Log command 0, Register: a node, then its service, then its checks, each only where it says something
 * new (rules: wire/fsm.md section 5, "Registration rule").
 */
import { RollcallError } from "../errors/index.ts";
import {
  SERF_HEALTH,
  sameRecord,
  validateMetadata,
  type HealthCheck,
  type Node,
  type NodeService,
  type RegisterRequest,
} from "../model/index.ts";
import { cell } from "./cells.ts";
import { bumpServicesOfNode, deleteNode, touchCheck, unlinkService } from "./deregister.ts";
import { row } from "./index-rows.ts";
import { destroySessionsOfCheck } from "./session-write.ts";
import { fold, join } from "./keys.ts";
import type { ServiceRecord, Tables } from "./tables.ts";
import type { WriteTx } from "./write-tx.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

export function register(tx: WriteTx, request: RegisterRequest): void {
  insertNode(tx, request);
  if (request.Service !== null) insertService(tx, request.Node, request.Service);
  if (request.Check !== null) insertCheck(tx, request.Node, request.Check);
  for (const check of request.Checks ?? []) insertCheck(tx, request.Node, check);
}

function insertNode(tx: WriteTx, request: RegisterRequest): void {
  const known = tx.tables.nodes.get(fold(request.Node));
  if (known !== undefined && !changesNode(request, known)) return;
  try {
    putNode(tx, {
      ID: request.ID,
      Node: request.Node,
      Address: request.Address,
      Datacenter: request.Datacenter,
      TaggedAddresses: request.TaggedAddresses,
      Meta: request.NodeMeta,
      CreateIndex: 0,
      ModifyIndex: 0,
    });
  } catch (error) {
    throw failedInserting("node", error);
  }
}

function insertService(tx: WriteTx, node: string, service: NodeService): void {
  try {
    putService(tx, node, service);
  } catch (error) {
    throw failedInserting("service", error);
  }
}

function insertCheck(tx: WriteTx, node: string, check: HealthCheck): void {
  if (fold(check.Node) !== fold(node)) {
    throw refuse(`check node "${check.Node}" does not match node "${node}"`);
  }
  try {
    putCheck(tx, check);
  } catch (error) {
    throw failedInserting("check", error, ` on node "${check.Node}"`);
  }
}

function failedInserting(what: string, error: unknown, where = ""): unknown {
  if (!(error instanceof RollcallError)) return error;
  return refuse(`failed inserting ${what}: ${error.message}${where}`);
}

function changesNode(request: RegisterRequest, known: Node): boolean {
  if (request.SkipNodeUpdate) return false;
  return !sameRecord(known, {
    ID: request.ID,
    Node: request.Node,
    Address: request.Address,
    Datacenter: request.Datacenter,
    TaggedAddresses: request.TaggedAddresses,
    Meta: request.NodeMeta,
  });
}

export function putNode(tx: WriteTx, node: Node): void {
  const known = settleIdentity(tx, node) ?? tx.tables.nodes.get(fold(node.Node));
  if (known !== undefined && sameRecord(known, node)) return;
  tx.put(tx.tables.nodes, {
    ...node,
    CreateIndex: known?.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  });
  tx.bump(row.nodes);
  tx.touch(cell.node(fold(node.Node)), cell.nodeServices(fold(node.Node)));
  bumpServicesOfNode(tx, node.Node);
}

/** The node that has this ID by now: under the same name, or renamed, which takes the old one away. */
function settleIdentity(tx: WriteTx, node: Node): Node | undefined {
  if (node.ID === "") return undefined;
  const known = nodeById(tx.tables, node.ID);
  if (known === undefined) {
    const owner = nameOwner(tx.tables, node, { mayLackId: true });
    if (owner !== undefined) {
      throw refuse(`Error while renaming Node ID: "${node.ID}": ${reserved(node, owner)}`);
    }
    return undefined;
  }
  if (fold(known.Node) === fold(node.Node)) return known;
  const owner = nameOwner(tx.tables, node, { mayLackId: false });
  if (owner !== undefined) {
    throw refuse(
      `Error while renaming Node ID: "${node.ID}" (${node.Address}): ${reserved(node, owner)}`,
    );
  }
  deleteNode(tx, known.Node);
  return known;
}

const reserved = (node: Node, owner: Node): string =>
  `Node name ${node.Node} is reserved by node ${owner.ID} with name ${owner.Node} (${owner.Address})`;

/** Another node that has the name and is not known to be dead. */
function nameOwner(
  tables: Tables,
  node: Node,
  { mayLackId }: { readonly mayLackId: boolean },
): Node | undefined {
  const owner = tables.nodes.get(fold(node.Node));
  if (owner === undefined || owner.ID === node.ID) return undefined;
  if (owner.ID === "" && mayLackId) return undefined;
  const health = tables.checks.get(join(fold(owner.Node), fold(SERF_HEALTH)));
  return health?.Status === "critical" ? undefined : owner;
}

export function nodeById(tables: Tables, id: string): Node | undefined {
  return tables.nodes.order("byId").get(fold(id));
}

export function putService(tx: WriteTx, node: string, service: NodeService): void {
  const owner = tx.tables.nodes.get(fold(node));
  if (owner === undefined) throw refuse("Missing node registration");
  const fault = validateMetadata(service.Meta, { allowConsulPrefix: false });
  if (fault !== undefined) {
    throw refuse(`Invalid Service Meta for node ${node} and serviceID ${service.ID}: ${fault}`);
  }
  const key = join(fold(node), fold(service.ID));
  const known = tx.tables.services.get(key);
  if (known !== undefined && sameRecord(known.Service, service)) return;
  if (known !== undefined && fold(known.Service.Service) !== fold(service.Service)) {
    unlinkService(tx, known);
  }
  const record: ServiceRecord = {
    Node: owner.Node,
    Service: {
      ...service,
      CreateIndex: known?.Service.CreateIndex ?? tx.index,
      ModifyIndex: tx.index,
    },
  };
  tx.put(tx.tables.services, record);
  tx.bump(row.services, row.service(service.Service), row.serviceKind(service.Kind));
  tx.touch(cell.nodeServices(fold(node)));
}

export function putCheck(tx: WriteTx, check: HealthCheck): void {
  const { tables } = tx;
  const node = tables.nodes.get(fold(check.Node));
  if (node === undefined) throw refuse("Missing node registration");
  const instance =
    check.ServiceID === ""
      ? undefined
      : tables.services.get(join(fold(check.Node), fold(check.ServiceID)));
  if (check.ServiceID !== "" && instance === undefined) {
    throw refuse("Missing service registration");
  }
  const record: HealthCheck = {
    ...check,
    Node: node.Node,
    Status: check.Status === "" ? "critical" : check.Status,
    ServiceName: instance?.Service.Service ?? check.ServiceName,
    ServiceTags: instance?.Service.Tags ?? check.ServiceTags,
  };
  const known = tables.checks.get(tables.checks.keyOf(record));
  const same = known !== undefined && sameRecord(known, record);
  if (record.Status === "critical") destroySessionsOfCheck(tx, record.Node, record.CheckID);
  if (same) {
    tx.bumpSilently(row.checks);
    return;
  }
  if (known !== undefined) touchCheck(tx, known);
  touchCheck(tx, record);
  tx.put(tables.checks, {
    ...record,
    CreateIndex: known?.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  });
  tx.bump(row.checks);
  if (instance !== undefined) {
    tx.bump(row.service(instance.Service.Service), row.serviceKind(instance.Service.Kind));
  } else {
    bumpServicesOfNode(tx, record.Node);
  }
}
