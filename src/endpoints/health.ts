/** What the Health endpoint lists, and why it leaves out what it leaves out. */
import {
  CheckServiceNode as CheckServiceNodeSchema,
  HealthCheck as HealthCheckSchema,
  NODE_MAINTENANCE,
  SERVICE_MAINTENANCE_PREFIX,
  type CheckServiceNode,
  type HealthCheck,
} from "../model/index.ts";
import type {
  ExcludedInstance,
  HealthServiceQuery,
  NodeMetaQuery,
  NodeQuery,
  Reason,
  ServiceQuery,
} from "../rpc/index.ts";
import { row, type IndexView, type ReadView, type ServiceRecord } from "../store/index.ts";
import { Filters, metaQuestion, missingMeta, missingTag } from "./filtering.ts";
import { nearQuestion, sortedByDistance } from "./near.ts";
import { questionOf, type Query } from "./query.ts";
import { shownCheck, shownService } from "./shown.ts";

const instanceFilters = new Filters(CheckServiceNodeSchema);
const checkFilters = new Filters(HealthCheckSchema);

type Instances = {
  readonly Nodes: readonly CheckServiceNode[];
  readonly Excluded: readonly ExcludedInstance[];
};
type Checks = { readonly HealthChecks: readonly HealthCheck[] };

export function serviceNodes(args: HealthServiceQuery): Query<Instances> {
  const { ServiceName } = args;
  return {
    ...instancesQuery("Health.ServiceNodes", args, (view) => view.instances(ServiceName)),
    index: (indexes) => indexes.serviceIndex(ServiceName, [row.nodes, row.services, row.checks]),
  };
}

/** Over the mesh. Which services that makes it depend on is not known beforehand. */
export function connectNodes(args: HealthServiceQuery): Query<Instances> {
  return {
    ...instancesQuery("Health.ConnectNodes", args, (view) => view.meshInstances(args.ServiceName)),
    index: (indexes) => indexes.index(row.nodes, row.services, row.checks),
  };
}

function instancesQuery(
  name: string,
  args: HealthServiceQuery,
  instances: (view: ReadView) => ServiceRecord[],
): Omit<Query<Instances>, "index"> {
  const judge = judgeOf(args);
  return {
    question: questionOf(
      name,
      args.ServiceName,
      args.Status,
      JSON.stringify(args.ServiceTags),
      metaQuestion(args.NodeMetaFilters),
      args.Filter,
      nearQuestion(args),
    ),
    evaluate: (view) => {
      const Nodes: CheckServiceNode[] = [];
      const Excluded: ExcludedInstance[] = [];
      for (const record of instances(view)) {
        const Node = view.nodeOf(record);
        if (Node === undefined) continue;
        const Checks = view.checksOf(record).map(shownCheck);
        const instance = { Node, Service: shownService(record.Service), Checks };
        const Reasons = judge(instance);
        if (Reasons.length === 0) Nodes.push(instance);
        else Excluded.push({ Node: Node.Node, ServiceID: record.Service.ID, Reasons });
      }
      return {
        Nodes: sortedByDistance(view, nearQuestion(args), Nodes, ({ Node }) => Node.Node),
        Excluded,
      };
    },
    weight: ({ Nodes, Excluded }) => 2 * Nodes.length + Excluded.length,
  };
}

/** Everything that speaks against an instance; an empty list keeps it. */
function judgeOf(args: HealthServiceQuery): (instance: CheckServiceNode) => Reason[] {
  const keeps = instanceFilters.of(args.Filter);
  return (instance) => {
    const reasons: Reason[] = [];
    const Tag = missingTag(instance.Service.Tags, args.ServiceTags);
    if (Tag !== undefined) reasons.push({ Kind: "tag", Tag });
    const meta = missingMeta(instance.Node.Meta, args.NodeMetaFilters);
    if (meta !== undefined) reasons.push({ Kind: "node-meta", Key: meta[0], Value: meta[1] });
    if (!keeps(instance)) reasons.push({ Kind: "filter", Filter: args.Filter });
    for (const check of instance.Checks ?? []) {
      if (failsFor(args.Status, check.Status)) reasons.push(reasonOf(check));
    }
    return reasons;
  };
}

function failsFor(wanted: HealthServiceQuery["Status"], status: string): boolean {
  switch (wanted) {
    case "any":
      return false;
    case "not-critical":
      return status === "critical";
    case "passing":
      return status !== "passing";
  }
}

function reasonOf({ CheckID, Status, Output, Notes }: HealthCheck): Reason {
  const isMaintenance =
    CheckID === NODE_MAINTENANCE || CheckID.startsWith(SERVICE_MAINTENANCE_PREFIX);
  return isMaintenance
    ? { Kind: "maintenance", CheckID, Notes }
    : { Kind: "check", CheckID, Status, Output };
}

export function nodeChecks(args: NodeQuery): Query<Checks> {
  const keeps = checkFilters.of(args.Filter);
  return {
    question: questionOf("Health.NodeChecks", args.Node, args.Filter),
    evaluate: (view) => ({
      HealthChecks: view.checksOfNode(args.Node).map(shownCheck).filter(keeps),
    }),
    ...checksAnswer([row.checks]),
  };
}

export function serviceChecks(args: ServiceQuery): Query<Checks> {
  const keeps = checkFilters.of(args.Filter);
  return {
    question: questionOf(
      "Health.ServiceChecks",
      args.ServiceName,
      metaQuestion(args.NodeMetaFilters),
      args.Filter,
      nearQuestion(args),
    ),
    evaluate: (view) => ({
      HealthChecks: chosenChecks(view, view.checksOfService(args.ServiceName), args, keeps),
    }),
    ...checksAnswer(rowsOf(args.NodeMetaFilters)),
  };
}

export function checksInState(args: NodeMetaQuery & { readonly State: string }): Query<Checks> {
  const keeps = checkFilters.of(args.Filter);
  return {
    question: questionOf(
      "Health.ChecksInState",
      args.State,
      metaQuestion(args.NodeMetaFilters),
      args.Filter,
      nearQuestion(args),
    ),
    evaluate: (view) => ({
      HealthChecks: chosenChecks(view, view.checksInState(args.State), args, keeps),
    }),
    ...checksAnswer(rowsOf(args.NodeMetaFilters)),
  };
}

function chosenChecks(
  view: ReadView,
  checks: HealthCheck[],
  args: NodeMetaQuery,
  keeps: (check: HealthCheck) => boolean,
): readonly HealthCheck[] {
  const chosen = onNodes(view, checks, args.NodeMetaFilters).map(shownCheck).filter(keeps);
  return sortedByDistance(view, nearQuestion(args), chosen, ({ Node }) => Node);
}

const checksAnswer = (rows: readonly string[]) => ({
  index: (indexes: IndexView): number => indexes.index(...rows),
  weight: ({ HealthChecks }: Checks): number => HealthChecks.length,
});

/** A filter on node metadata makes the nodes part of what the result depends on. */
const rowsOf = (wanted: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(wanted).length === 0 ? [row.checks] : [row.checks, row.nodes];

function onNodes(
  view: ReadView,
  checks: HealthCheck[],
  wanted: Readonly<Record<string, string>>,
): HealthCheck[] {
  if (Object.keys(wanted).length === 0) return checks;
  return checks.filter((check) => {
    const node = view.node(check.Node);
    return node !== undefined && missingMeta(node.Meta, wanted) === undefined;
  });
}
