/** The Operator endpoint: the servers of the cluster, and how they are looked after. */
import { RollcallError } from "../errors/index.ts";
import {
  DEFAULT_AUTOPILOT,
  type AutopilotConfig,
  type RaftMembers,
  type ServerState,
} from "../model/index.ts";
import type { Methods } from "../rpc/index.ts";
import type { EndpointContext } from "./context.ts";
import { requireDatacenter } from "./query.ts";

type Of<M extends keyof Methods> = Methods[M]["args"];
const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

export function servers(
  context: EndpointContext,
  { Datacenter }: Of<"Operator.Servers">,
): readonly ServerState[] {
  requireDatacenter(context, Datacenter);
  return context.leadership.servers();
}

/** As this server knows them, which need not be the leader. */
export function raftConfiguration(
  context: EndpointContext,
  { Datacenter }: Of<"Operator.RaftGetConfiguration">,
): RaftMembers {
  requireDatacenter(context, Datacenter);
  return { Servers: context.leadership.servers(), Index: context.leadership.serversIndex() };
}

export async function transferLeader(
  context: EndpointContext,
  { Datacenter, ID }: Of<"Operator.RaftTransferLeader">,
): Promise<void> {
  requireDatacenter(context, Datacenter);
  if (ID !== "" && !context.leadership.servers().some((server) => server.ID === ID)) {
    throw refuse(`Could not find address for server id ${ID}`);
  }
  await context.leadership.transferTo(ID === "" ? undefined : ID);
}

/** By ID or by address, whichever is given. */
export async function removePeer(
  context: EndpointContext,
  { Datacenter, ID, Address }: Of<"Operator.RaftRemovePeer">,
): Promise<void> {
  requireDatacenter(context, Datacenter);
  const all = context.leadership.servers();
  const peer = all.find((server) => (ID === "" ? server.Address === Address : server.ID === ID));
  if (peer === undefined) {
    const what = ID === "" ? `address "${Address}"` : `id "${ID}"`;
    throw refuse(`${what} was not found in the Raft configuration`);
  }
  if (all.every((server) => server.ID === peer.ID || !server.Voter)) {
    throw refuse("Need at least one voter in configuration: {[]}");
  }
  await context.leadership.removePeer(peer.ID);
}

export function autopilotConfig(
  context: EndpointContext,
  { Datacenter }: Of<"Operator.AutopilotGetConfiguration">,
): AutopilotConfig {
  requireDatacenter(context, Datacenter);
  return context.store.view().autopilot() ?? DEFAULT_AUTOPILOT;
}

/** @returns false where the condition did not hold */
export async function setAutopilotConfig(
  context: EndpointContext,
  { Datacenter, Config, CAS }: Of<"Operator.AutopilotSetConfiguration">,
): Promise<boolean> {
  requireDatacenter(context, Datacenter);
  const body = { Datacenter: context.datacenter, Config, CAS };
  const result = await context.apply({ type: "Autopilot", body });
  if (result.kind === "refused") throw result.error;
  return result.value === true;
}
