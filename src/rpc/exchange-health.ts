/**
 * How Health.ServiceNodes travels. Which instances the status is to keep, and which were not kept and why, is beyond
 * Consul's own: its servers list all, and the caller drops what it does not want.
 */
import { CheckServiceNode, int, list, struct, text, type Static } from "../model/index.ts";
import { fromServiceQuery, SERVICE_QUERY, toServiceQuery } from "./exchange-catalog.ts";
import { read, type ArgsOf, type Exchange, type Values } from "./exchange.ts";
import type { HealthServiceQuery, ExcludedInstance, Reason } from "./methods.ts";
import { extra, type WireQuery } from "./query-shapes.ts";

const QUERY = { ...SERVICE_QUERY, Status: extra(text<HealthServiceQuery["Status"] | "">()) };
type WireHealthQuery = WireQuery & Values<typeof QUERY>;

const REASON = struct("Reason", {
  Kind: text(),
  CheckID: text(),
  Status: text(),
  Output: text(),
  Notes: text(),
  Filter: text(),
  Tag: text(),
  Key: text(),
  Value: text(),
  Limit: text(),
});
const INSTANCES = {
  Nodes: list(CheckServiceNode),
  /** 1 where `Status` was looked at. */
  StatusKept: extra(int()),
  Excluded: extra(
    list(struct("ExcludedInstance", { Node: text(), ServiceID: text(), Reasons: list(REASON) })),
  ),
};
type WireInstances = Values<typeof INSTANCES>;
type Instances = {
  readonly Nodes: readonly CheckServiceNode[];
  readonly Excluded: readonly ExcludedInstance[];
};
const NO_REASON: Static<typeof REASON> = {
  Kind: "",
  CheckID: "",
  Status: "",
  Output: "",
  Notes: "",
  Filter: "",
  Tag: "",
  Key: "",
  Value: "",
  Limit: "",
};

const toArgs = (wire: WireHealthQuery): HealthServiceQuery => ({
  ...toServiceQuery(wire),
  Status: wire.Status === "" ? "any" : wire.Status,
});
const fromValue = ({ Nodes, Excluded }: Instances): WireInstances => ({
  Nodes,
  StatusKept: 1,
  Excluded: Excluded.map((instance) => ({
    ...instance,
    Reasons: instance.Reasons.map((reason) => ({ ...NO_REASON, ...reason })),
  })),
});

function toValue(wire: WireInstances, { Status }: HealthServiceQuery): Instances {
  const Nodes = wire.Nodes ?? [];
  const Excluded = (wire.Excluded ?? []).map(({ Node, ServiceID, Reasons }) => ({
    Node,
    ServiceID,
    Reasons: (Reasons ?? []) as unknown as readonly Reason[],
  }));
  return wire.StatusKept === 1 ? { Nodes, Excluded } : keep(Nodes, Status);
}

/** What a server did not do that does not know `Status`. */
function keep(nodes: readonly CheckServiceNode[], status: HealthServiceQuery["Status"]): Instances {
  if (status === "any") return { Nodes: nodes, Excluded: [] };
  const Nodes: CheckServiceNode[] = [];
  const Excluded: ExcludedInstance[] = [];
  for (const instance of nodes) {
    const failing = (instance.Checks ?? []).filter(({ Status }) =>
      status === "passing" ? Status !== "passing" : Status === "critical",
    );
    if (failing.length === 0) {
      Nodes.push(instance);
      continue;
    }
    Excluded.push({
      Node: instance.Node.Node,
      ServiceID: instance.Service.ID,
      Reasons: failing.map(({ CheckID, Status, Output }) => ({
        Kind: "check",
        CheckID,
        Status,
        Output,
      })),
    });
  }
  return { Nodes, Excluded };
}

const queryOf = (
  args: ArgsOf<"Health.ServiceNodes">,
  datacenter: string,
  Connect: boolean,
): Values<typeof QUERY> => ({
  ...fromServiceQuery(args, datacenter),
  Connect,
  Status: args.Status === "any" ? "" : args.Status,
});

export const HEALTH: {
  readonly "Health.ServiceNodes": Exchange<"Health.ServiceNodes">;
  readonly "Health.ConnectNodes": Exchange<"Health.ConnectNodes">;
} = {
  "Health.ServiceNodes": read({
    method: "Health.ServiceNodes",
    meant: ({ Connect }) => (Connect ? "Health.ConnectNodes" : "Health.ServiceNodes"),
    args: QUERY,
    reply: INSTANCES,
    toArgs,
    fromArgs: (args, datacenter) => queryOf(args, datacenter, false),
    toValue,
    fromValue,
  }),
  "Health.ConnectNodes": read({
    method: "Health.ConnectNodes",
    name: "Health.ServiceNodes",
    args: QUERY,
    reply: INSTANCES,
    toArgs,
    fromArgs: (args, datacenter) => queryOf(args, datacenter, true),
    toValue,
    fromValue,
  }),
};
