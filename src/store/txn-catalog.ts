/**
 * What a transaction does to nodes, services and checks: the same five verbs for each. `cas` and `delete-cas` compare
 * ModifyIndex, where 0 means that there must be nothing yet.
 */
import { RollcallError } from "../errors/index.ts";
import {
  goQuote,
  type HealthCheck,
  type Node,
  type NodeService,
  type TxnOp,
  type Weights,
} from "../model/index.ts";
import { deleteCheck, deleteNode, deleteService } from "./deregister.ts";
import { nodeById, putCheck, putNode, putService } from "./register.ts";
import { fold, join } from "./keys.ts";
import type { WriteTx } from "./write-tx.ts";

type NodeOp = NonNullable<TxnOp["Node"]>;
type ServiceOp = NonNullable<TxnOp["Service"]>;
type CheckOp = NonNullable<TxnOp["Check"]>;

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

/** One record of the catalog, and what can be done to it. */
interface Subject<R extends { readonly ModifyIndex: number }> {
  /** node, service, check: as error texts name it. */
  readonly kind: string;
  /** `"web" on node "n1"`. */
  readonly name: string;
  readonly wantedIndex: number;
  /** As it is now. */
  get(): R | undefined;
  /** As the compare of `cas` and `delete-cas` finds it, which for a node is always by name. */
  compared(): R | undefined;
  set(): void;
  remove(): void;
}

export function applyNodeOp(tx: WriteTx, { Verb, Node: node }: NodeOp): readonly Node[] {
  const byName = (): Node | undefined => tx.tables.nodes.get(fold(node.Node));
  return applyVerb(Verb, "Node", {
    kind: "node",
    name: goQuote(node.Node),
    wantedIndex: node.ModifyIndex,
    get: () => (node.ID === "" ? byName() : nodeById(tx.tables, node.ID)),
    compared: byName,
    set: () => putNode(tx, node),
    remove: () => deleteNode(tx, node.Node),
  });
}

export function applyServiceOp(
  tx: WriteTx,
  { Verb, Node: node, Service: service }: ServiceOp,
): readonly NodeService[] {
  const get = (): NodeService | undefined =>
    tx.tables.services.get(join(fold(node), fold(service.ID)))?.Service;
  return applyVerb(Verb, "Service", {
    kind: "service",
    name: `${goQuote(service.ID)} on node ${goQuote(node)}`,
    wantedIndex: service.ModifyIndex,
    get,
    compared: get,
    set: () => {
      requireId(service.ID, "service");
      putService(tx, node, { ...service, Weights: usableWeights(service.Weights) });
    },
    remove: () => deleteService(tx, node, service.ID),
  });
}

export function applyCheckOp(tx: WriteTx, { Verb, Check: check }: CheckOp): readonly HealthCheck[] {
  const get = (): HealthCheck | undefined =>
    tx.tables.checks.get(join(fold(check.Node), fold(check.CheckID)));
  return applyVerb(Verb, "Check", {
    kind: "check",
    name: `${goQuote(check.CheckID)} on node ${goQuote(check.Node)}`,
    wantedIndex: check.ModifyIndex,
    get,
    compared: get,
    set: () => {
      requireId(check.CheckID, "check");
      putCheck(tx, check);
    },
    remove: () => deleteCheck(tx, check.Node, check.CheckID),
  });
}

function applyVerb<R extends { readonly ModifyIndex: number }>(
  verb: string,
  noun: string,
  subject: Subject<R>,
): readonly R[] {
  const { kind, name, wantedIndex } = subject;
  switch (verb) {
    case "get":
      return [requireRecord(subject)];
    case "set":
      subject.set();
      return [requireRecord(subject)];
    case "cas":
      if ((subject.compared()?.ModifyIndex ?? 0) !== wantedIndex) {
        throw refuse(`failed to set ${kind} ${name}, index is stale`);
      }
      subject.set();
      return [requireRecord(subject)];
    case "delete":
      subject.remove();
      return [];
    case "delete-cas":
      if (subject.compared()?.ModifyIndex !== wantedIndex) {
        throw refuse(`failed to delete ${kind} ${name}, index is stale`);
      }
      subject.remove();
      return [];
    default:
      throw refuse(`unknown ${noun} verb ${goQuote(verb)}`);
  }
}

function requireRecord<R extends { readonly ModifyIndex: number }>(subject: Subject<R>): R {
  const record = subject.get();
  if (record !== undefined) return record;
  throw refuse(`${subject.kind} ${subject.name} doesn't exist`);
}

function requireId(id: string, kind: string): void {
  if (id === "") throw refuse(`failed inserting ${kind}: object missing primary index`);
}

const DEFAULT_WEIGHTS: Weights = { Passing: 1, Warning: 1 };
const WEIGHT_MAX = 65_535;

/** Weights that could not be registered count as none given. */
function usableWeights(weights: Weights): Weights {
  const { Passing, Warning } = weights;
  const isUsable = Passing >= 1 && Passing <= WEIGHT_MAX && Warning >= 0 && Warning <= WEIGHT_MAX;
  return isUsable ? weights : DEFAULT_WEIGHTS;
}
