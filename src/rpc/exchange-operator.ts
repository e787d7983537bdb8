/** How the Operator's methods travel that change the set of servers, or how it is looked after. */
import {
  AutopilotConfig,
  AutopilotRequest,
  messageOf,
  struct,
  text,
  type Static,
} from "../model/index.ts";
import { BOOL, inDatacenter, NOTHING, plain, served, type Served } from "./exchange.ts";
import { DC_REQUEST, dcRequest, type DcRequest } from "./query-shapes.ts";

const RemovePeerRequest = struct("RaftRemovePeerRequest", {
  Datacenter: text(),
  ID: text(),
  Address: text(),
  Token: text(),
});
type RemovePeerRequest = Static<typeof RemovePeerRequest>;
const removePeerRequest = messageOf(RemovePeerRequest);

const REMOVE_BY_ID = "Operator.RaftRemovePeerByID";
const REMOVE_BY_ADDRESS = "Operator.RaftRemovePeerByAddress";

/** @param by what the method is named after: it does not look at the other */
const removing = (by: "ID" | "Address"): Served =>
  served<RemovePeerRequest, object>({
    args: removePeerRequest,
    reply: NOTHING,
    answer: async (server, { Datacenter, ...given }, signal) => {
      const args = { Datacenter, ID: "", Address: "", [by]: given[by] };
      await server.call("Operator.RaftRemovePeer", args, { signal });
      return {};
    },
  });

const TransferRequest = struct("RaftTransferLeaderRequest", { Datacenter: text(), ID: text() });
type TransferRequest = Static<typeof TransferRequest>;

export const OPERATOR = {
  "Operator.RaftTransferLeader": plain<"Operator.RaftTransferLeader", TransferRequest, object>({
    name: "Operator.RaftTransferLeader",
    args: messageOf(TransferRequest),
    reply: NOTHING,
    fromArgs: ({ Datacenter, ID }, datacenter) => ({
      Datacenter: inDatacenter(Datacenter, datacenter),
      ID,
    }),
    toReply: () => undefined,
    answer: async (server, { Datacenter, ID }, signal) => {
      await server.call("Operator.RaftTransferLeader", { Datacenter, ID }, { signal });
      return {};
    },
  }),
  "Operator.RaftRemovePeer": plain<"Operator.RaftRemovePeer", RemovePeerRequest, object>({
    name: ({ ID }) => (ID === "" ? REMOVE_BY_ADDRESS : REMOVE_BY_ID),
    args: removePeerRequest,
    reply: NOTHING,
    fromArgs: ({ Datacenter, ID, Address }, datacenter) => ({
      Datacenter: inDatacenter(Datacenter, datacenter),
      ID,
      Address,
      Token: "",
    }),
    toReply: () => undefined,
    answer: async (server, { Datacenter, ID, Address }, signal) => {
      await server.call("Operator.RaftRemovePeer", { Datacenter, ID, Address }, { signal });
      return {};
    },
  }),
  "Operator.AutopilotGetConfiguration": plain<
    "Operator.AutopilotGetConfiguration",
    DcRequest,
    AutopilotConfig
  >({
    name: "Operator.AutopilotGetConfiguration",
    args: DC_REQUEST,
    reply: messageOf(AutopilotConfig),
    fromArgs: ({ Datacenter }, datacenter) => dcRequest(Datacenter, datacenter),
    toReply: (wire) => wire,
    answer: (server, { Datacenter }, signal) =>
      server.call("Operator.AutopilotGetConfiguration", { Datacenter }, { signal }),
  }),
  "Operator.AutopilotSetConfiguration": plain<
    "Operator.AutopilotSetConfiguration",
    AutopilotRequest,
    boolean
  >({
    name: "Operator.AutopilotSetConfiguration",
    args: messageOf(AutopilotRequest),
    reply: BOOL,
    fromArgs: (args, datacenter) => ({
      ...args,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    // Only a condition has a result; without one Consul's servers answer with false.
    toReply: (wire, { CAS }) => wire || !CAS,
    answer: async (server, wire, signal) => {
      const done = await server.call("Operator.AutopilotSetConfiguration", wire, { signal });
      return done && wire.CAS;
    },
  }),
};

export const OPERATOR_SERVED: Readonly<Record<string, Served>> = {
  [REMOVE_BY_ID]: removing("ID"),
  [REMOVE_BY_ADDRESS]: removing("Address"),
};
