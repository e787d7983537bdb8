/** How the methods travel that the web interface asks, and those that act on a whole pool. */
import { RollcallError } from "../errors/index.ts";
import {
  bool,
  bytes,
  CheckServiceNode,
  int,
  list,
  map,
  messageOf,
  NodeInfo,
  struct,
  text,
  type Static,
} from "../model/index.ts";
import { answerCodec, plain, read, type Values } from "./exchange.ts";
import {
  fromMeta,
  fromNear,
  fromQuery,
  NODE_QUERY,
  noNodeFields,
  QUERY_OPTIONS,
  QUERY_SOURCE,
  toNear,
  toQuery,
} from "./query-shapes.ts";
import { KEYRING_OPERATIONS, type KeyringRequest, type KeyringResponse } from "./remote-methods.ts";

const DUMP = { Dump: list(NodeInfo) };
const toDump = (wire: Values<typeof DUMP>): { readonly Dump: readonly NodeInfo[] } => ({
  Dump: wire.Dump ?? [],
});

const SERVICE_DUMP = { ServiceKind: text(), Source: QUERY_SOURCE, UseServiceKind: bool() };

const EventFireRequest = struct("EventFireRequest", {
  ...QUERY_OPTIONS,
  Name: text(),
  Payload: bytes(),
});
type EventFireRequest = Static<typeof EventFireRequest>;
const eventFireResponse = answerCodec("EventFireResponse", {});
/** Nothing that was read: there is no index, and whether there is a leader does not matter. */
const NO_READ = fromMeta({ Index: 0, KnownLeader: true, LastContactMs: 0 });

const KEYRING = {
  Operation: text<KeyringRequest["Operation"]>(),
  Key: text(),
  Forwarded: bool(),
  LocalOnly: bool(),
  RelayFactor: int(),
};
const KeyringRequestStruct = struct("KeyringRequest", { ...QUERY_OPTIONS, ...KEYRING });
type WireKeyringRequest = Static<typeof KeyringRequestStruct>;
const keyringAnswer = answerCodec("KeyringResponses", {
  Responses: list(
    struct("KeyringResponse", {
      WAN: bool(),
      Datacenter: text(),
      Segment: text(),
      Messages: map(text()),
      Keys: map(int()),
      PrimaryKeys: map(int()),
      NumNodes: int(),
      Error: text(),
    }),
  ),
});

export const INTERNAL = {
  "Internal.NodeDump": read({
    method: "Internal.NodeDump",
    args: NODE_QUERY,
    reply: DUMP,
    toArgs: toQuery,
    fromArgs: noNodeFields,
    toValue: toDump,
    fromValue: ({ Dump }) => ({ Dump }),
  }),
  "Internal.NodeInfo": read({
    method: "Internal.NodeInfo",
    args: { Node: text() },
    reply: DUMP,
    toArgs: (wire) => ({ ...toQuery(wire), Node: wire.Node }),
    fromArgs: ({ Node }) => ({ Node }),
    toValue: toDump,
    fromValue: ({ Dump }) => ({ Dump }),
  }),
  "Internal.ServiceDump": read({
    method: "Internal.ServiceDump",
    args: SERVICE_DUMP,
    reply: { Nodes: list(CheckServiceNode) },
    toArgs: (wire) => ({ ...toQuery(wire), ...toNear(wire) }),
    fromArgs: (args, datacenter) => ({
      ServiceKind: "",
      Source: fromNear(args, datacenter),
      UseServiceKind: false,
    }),
    toValue: ({ Nodes }) => ({ Nodes: Nodes ?? [] }),
    fromValue: ({ Nodes }, { UseServiceKind, ServiceKind }) => ({
      Nodes: UseServiceKind ? Nodes.filter(({ Service }) => Service.Kind === ServiceKind) : Nodes,
    }),
  }),
  "Internal.EventFire": plain<"Internal.EventFire", EventFireRequest, typeof NO_READ>({
    name: "Internal.EventFire",
    args: messageOf(EventFireRequest),
    reply: eventFireResponse,
    fromArgs: (args, datacenter) => ({
      ...fromQuery(args, datacenter),
      Name: args.Name,
      Payload: args.Payload,
    }),
    toReply: () => undefined,
    answer: async ({ hooks }, wire, signal) => {
      await hooks.fireEvent({ ...toQuery(wire), Name: wire.Name, Payload: wire.Payload }, signal);
      return NO_READ;
    },
  }),
  "Internal.KeyringOperation": plain<
    "Internal.KeyringOperation",
    WireKeyringRequest,
    typeof keyringAnswer.zero
  >({
    name: "Internal.KeyringOperation",
    args: messageOf(KeyringRequestStruct),
    reply: keyringAnswer,
    fromArgs: (args, datacenter) => ({
      ...fromQuery(args, datacenter),
      ...keyringFields(args),
    }),
    toReply: ({ Responses }) => Responses ?? [],
    answer: async ({ hooks }, wire, signal) => {
      checkKeyringRequest(wire);
      const request = { ...toQuery(wire), ...keyringFields(wire) };
      const Responses: readonly KeyringResponse[] = await hooks.keyring(request, signal);
      return { ...keyringAnswer.zero, Responses };
    },
  }),
};

const keyringFields = (of: Values<typeof KEYRING>): Values<typeof KEYRING> => {
  const { Operation, Key, Forwarded, LocalOnly, RelayFactor } = of;
  return { Operation, Key, Forwarded, LocalOnly, RelayFactor };
};

function checkKeyringRequest({ Operation, LocalOnly }: WireKeyringRequest): void {
  if (!KEYRING_OPERATIONS.includes(Operation)) {
    throw new RollcallError("request/refused", `unknown keyring operation "${Operation}"`);
  }
  if (LocalOnly && Operation !== "list") {
    const text = "argument error: LocalOnly can only be used for List operations";
    throw new RollcallError("request/refused", text);
  }
}
