/** How transactions travel. */
import {
  list,
  messageOf,
  TxnError,
  TxnOp,
  TxnRequest,
  TxnResponse,
  TxnResult,
} from "../model/index.ts";
import { inDatacenter, plain, read } from "./exchange.ts";
import { toQuery } from "./query-shapes.ts";

export const TXN = {
  "Txn.Apply": plain<"Txn.Apply", TxnRequest, TxnResponse>({
    name: "Txn.Apply",
    args: messageOf(TxnRequest),
    reply: messageOf(TxnResponse),
    fromArgs: (args, datacenter) => ({
      ...args,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    toReply: (wire) => wire,
    answer: (server, wire, signal) =>
      server.call("Txn.Apply", { ...wire, Ops: wire.Ops ?? [] }, { signal }),
  }),
  "Txn.Read": read({
    method: "Txn.Read",
    args: { Ops: list(TxnOp) },
    reply: { Results: list(TxnResult), Errors: list(TxnError) },
    index: "none",
    toArgs: (wire) => ({ ...toQuery(wire), Ops: wire.Ops ?? [] }),
    fromArgs: ({ Ops }) => ({ Ops }),
    toValue: (wire) => wire,
    fromValue: ({ Results, Errors }) => ({ Results, Errors }),
  }),
};
