/** How the methods travel by which servers look at each other. */
import { int, messageOf, struct, text, type Static } from "../model/index.ts";
import { NOTHING, plain, TEXT, TEXTS } from "./exchange.ts";
import { DC_REQUEST, dcRequest, type DcRequest } from "./query-shapes.ts";

const ServerStats = struct("ServerStats", {
  LastContact: text(),
  LastTerm: int(),
  LastIndex: int(),
});
type ServerStats = Static<typeof ServerStats>;

export const STATUS = {
  "Status.Leader": plain<"Status.Leader", DcRequest, string>({
    name: "Status.Leader",
    args: DC_REQUEST,
    reply: TEXT,
    fromArgs: ({ Datacenter }, datacenter) => dcRequest(Datacenter, datacenter),
    toReply: (wire) => wire,
    answer: (server, { Datacenter }, signal) =>
      server.call("Status.Leader", { Datacenter }, { signal }),
  }),
  "Status.Peers": plain<"Status.Peers", DcRequest, readonly string[] | null>({
    name: "Status.Peers",
    args: DC_REQUEST,
    reply: TEXTS,
    fromArgs: ({ Datacenter }, datacenter) => dcRequest(Datacenter, datacenter),
    toReply: (wire) => wire ?? [],
    answer: (server, { Datacenter }, signal) =>
      server.call("Status.Peers", { Datacenter }, { signal }),
  }),
  "Status.Ping": plain<"Status.Ping", object, object>({
    name: "Status.Ping",
    args: NOTHING,
    reply: NOTHING,
    fromArgs: () => ({}),
    toReply: () => undefined,
    answer: () => ({}),
  }),
  "Status.RaftStats": plain<"Status.RaftStats", object, ServerStats>({
    name: "Status.RaftStats",
    args: NOTHING,
    reply: messageOf(ServerStats),
    fromArgs: () => ({}),
    toReply: (wire) => wire,
    answer: ({ hooks }) => hooks.raftStats(),
  }),
};
