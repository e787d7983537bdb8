/**
 * The Txn endpoint: what is checked and filled in before a transaction is written to the log, or, where it only
 * reads, run on the state as it is. Every operation that cannot be is reported, and then none is tried.
 */
import {
  connectProxyFault,
  goQuote,
  uuidFault,
  type TxnError,
  type TxnOp,
  type TxnResponse,
} from "../model/index.ts";
import type { Answer, Methods } from "../rpc/index.ts";
import { ANY_ADDRESSES } from "./catalog-write.ts";
import type { EndpointContext } from "./context.ts";
import { metaOf, requireDatacenter } from "./query.ts";

export async function apply(
  context: EndpointContext,
  { Datacenter, Ops }: Methods["Txn.Apply"]["args"],
): Promise<TxnResponse> {
  requireDatacenter(context, Datacenter);
  const Errors = faultsOf(context, Ops);
  if (Errors.length > 0) return { Results: null, Errors };
  const body = { Datacenter: context.datacenter, Ops: Ops.map(completed) };
  const result = await context.apply({ type: "Txn", body });
  if (result.kind === "refused") throw result.error;
  const { value } = result;
  if (typeof value === "object" && value !== null) return value;
  throw new Error("a transaction's result is no response");
}

/** @param args operations of which none writes */
export function read(
  context: EndpointContext,
  { Datacenter, Ops }: Methods["Txn.Read"]["args"],
): Answer<TxnResponse> {
  requireDatacenter(context, Datacenter);
  const Errors = faultsOf(context, Ops);
  const value = Errors.length > 0 ? { Results: null, Errors } : context.store.readTxn(Ops);
  return { value, meta: metaOf(context, 1) };
}

function faultsOf(context: EndpointContext, ops: readonly TxnOp[]): TxnError[] {
  return ops.flatMap((op, OpIndex) => {
    const What = faultOf(context, op);
    return What === undefined ? [] : [{ OpIndex, What }];
  });
}

function faultOf(context: EndpointContext, op: TxnOp): string | undefined {
  if (op.KV !== null) return kvFault(context, op.KV);
  if (op.Node !== null) return nodeFault(op.Node);
  if (op.Service !== null) return serviceFault(op.Service);
  return undefined;
}

function kvFault(
  context: EndpointContext,
  { Verb, DirEnt }: NonNullable<TxnOp["KV"]>,
): string | undefined {
  if (DirEnt.Key === "" && Verb !== "delete-tree") return "Must provide key";
  // The delay runs on the leader's clock, and it alone decides.
  if (Verb === "lock" && context.lockDelayMs(DirEnt.Key) > 0) {
    return `failed to lock key ${goQuote(DirEnt.Key)} due to lock delay`;
  }
  return undefined;
}

function nodeFault({ Verb, Node }: NonNullable<TxnOp["Node"]>): string | undefined {
  if (Verb === "get") return undefined;
  if (Node.Node === "") return "Must provide node";
  const fault = Node.ID === "" ? undefined : uuidFault(Node.ID);
  return fault === undefined ? undefined : `Bad node ID: ${fault}`;
}

function serviceFault({ Verb, Service }: NonNullable<TxnOp["Service"]>): string | undefined {
  if (Verb === "get") return undefined;
  const fault = connectProxyFault(Service);
  if (fault !== undefined) return fault;
  if (Service.ID !== "" && Service.Service === "") return "Must provide service name with ID";
  return ANY_ADDRESSES.has(Service.Address) ? "Invalid service address" : undefined;
}

/** An instance without an ID has its service's name for one, a check its own name. */
function completed(op: TxnOp): TxnOp {
  if (op.Service !== null && op.Service.Verb !== "get" && op.Service.Service.ID === "") {
    const service = op.Service.Service;
    return { ...op, Service: { ...op.Service, Service: { ...service, ID: service.Service } } };
  }
  if (op.Check !== null && op.Check.Verb !== "get" && op.Check.Check.CheckID === "") {
    const check = op.Check.Check;
    return { ...op, Check: { ...op.Check, Check: { ...check, CheckID: check.Name } } };
  }
  return op;
}
