/** Catalog.Register and Catalog.Deregister: what is checked and filled in before the log is written. */
import { RollcallError } from "../errors/index.ts";
import {
  checkTypeOfCatalog,
  connectProxyFault,
  uuidFault,
  type DeregisterRequest,
  type HealthCheck,
  type NodeService,
  type RegisterRequest,
  type Weights,
} from "../model/index.ts";
import type { EndpointContext } from "./context.ts";
import { requireDatacenter } from "./query.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);
export const ANY_ADDRESSES = new Set(["0.0.0.0", "::", "[::]"]);
const DEFAULT_WEIGHTS: Weights = { Passing: 1, Warning: 1 };

export async function register(context: EndpointContext, request: RegisterRequest): Promise<void> {
  requireDatacenter(context, request.Datacenter);
  if (request.Node === "") throw refuse("Must provide node");
  if (request.Address === "" && !request.SkipNodeUpdate) {
    throw refuse("Must provide address if SkipNodeUpdate is not set");
  }
  if (request.ID !== "") {
    const fault = uuidFault(request.ID);
    if (fault !== undefined) throw refuse(`Bad node ID: ${fault}`);
  }
  const result = await context.apply({
    type: "Register",
    body: {
      Datacenter: context.datacenter,
      ID: request.ID,
      Node: request.Node,
      Address: request.Address,
      TaggedAddresses: request.TaggedAddresses,
      NodeMeta: request.NodeMeta,
      Service: request.Service === null ? null : completeService(request.Service),
      Check: null,
      Checks: completeChecks(request),
      SkipNodeUpdate: request.SkipNodeUpdate,
    },
  });
  if (result.kind === "refused") throw result.error;
}

function completeService(service: NodeService): NodeService {
  const fault = connectProxyFault(service);
  if (fault !== undefined) throw refuse(fault);
  const ID = service.ID === "" ? service.Service : service.ID;
  if (ID !== "" && service.Service === "") throw refuse("Must provide service name with ID");
  if (ANY_ADDRESSES.has(service.Address)) throw refuse("Invalid service address");
  if (ID === service.ID && service.Weights.Passing >= 1) return service;
  const Weights = service.Weights.Passing < 1 ? DEFAULT_WEIGHTS : service.Weights;
  return { ...service, ID, Weights };
}

function completeChecks({ Node, Check, Checks }: RegisterRequest): readonly HealthCheck[] {
  const checks = (Checks ?? NO_CHECKS).map((check) => completeCheck(check, Node));
  if (Check !== null) checks.push(completeCheck(Check, Node));
  return checks;
}
const NO_CHECKS: readonly HealthCheck[] = [];

function completeCheck(check: HealthCheck, node: string): HealthCheck {
  return {
    ...check,
    Node: check.Node === "" ? node : check.Node,
    CheckID: check.CheckID === "" ? check.Name : check.CheckID,
    Type: check.Type === "" ? checkTypeOfCatalog(check.Definition) : check.Type,
  };
}

export async function deregister(
  context: EndpointContext,
  request: DeregisterRequest,
): Promise<void> {
  requireDatacenter(context, request.Datacenter);
  if (request.Node === "") throw refuse("Must provide node");
  const { Node, ServiceID, CheckID } = request;
  const body = { Datacenter: context.datacenter, Node, ServiceID, CheckID };
  const result = await context.apply({ type: "Deregister", body });
  if (result.kind === "refused") throw result.error;
}
