/** How the methods of the key/value store travel. */
import { DirEntry, KvsRequest, list, messageOf, text } from "../model/index.ts";
import { BOOL, inDatacenter, plain, read } from "./exchange.ts";
import { toQuery } from "./query-shapes.ts";

const ENTRIES = { Entries: list(DirEntry) };

export const KV = {
  "KVS.Apply": plain<"KVS.Apply", KvsRequest, boolean>({
    name: "KVS.Apply",
    args: messageOf(KvsRequest),
    reply: BOOL,
    fromArgs: (args, datacenter) => ({
      ...args,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    // A condition is what these say; the others have none, and Consul's servers answer them with false.
    toReply: (wire, { Op }) => wire || !CONDITIONAL.has(Op),
    answer: async (server, wire, signal) => {
      const done = await server.call("KVS.Apply", wire, { signal });
      return done && CONDITIONAL.has(wire.Op);
    },
  }),
  "KVS.Get": read({
    method: "KVS.Get",
    args: { Key: text() },
    reply: ENTRIES,
    toArgs: (wire) => ({ ...toQuery(wire), Key: wire.Key }),
    fromArgs: ({ Key }) => ({ Key }),
    toValue: ({ Entries }) => ({ Entries: Entries ?? [] }),
    fromValue: ({ Entries }) => ({ Entries }),
  }),
  "KVS.List": read({
    method: "KVS.List",
    args: { Key: text() },
    reply: ENTRIES,
    toArgs: (wire) => ({ ...toQuery(wire), Key: wire.Key }),
    fromArgs: ({ Key }) => ({ Key }),
    toValue: ({ Entries }) => ({ Entries: Entries ?? [] }),
    fromValue: ({ Entries }) => ({ Entries }),
  }),
  "KVS.ListKeys": read({
    method: "KVS.ListKeys",
    args: { Prefix: text(), Seperator: text() },
    reply: { Keys: list(text()) },
    toArgs: (wire) => ({ ...toQuery(wire), Prefix: wire.Prefix, Seperator: wire.Seperator }),
    fromArgs: ({ Prefix, Seperator }) => ({ Prefix, Seperator }),
    toValue: ({ Keys }) => ({ Keys: Keys ?? [] }),
    fromValue: ({ Keys }) => ({ Keys }),
  }),
};

const CONDITIONAL: ReadonlySet<string> = new Set(["cas", "delete-cas", "lock", "unlock"]);
