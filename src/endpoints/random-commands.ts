/**
 * Random histories of log commands for property tests, over names so few that commands meet each other: spelled in
 * several cases, some the beginning of others.
 */
import * as fc from "fast-check";
import {
  BLANK_CHECK,
  BLANK_QUERY,
  BLANK_SERVICE,
  type Command,
  type NodeService,
  type TxnOp,
} from "../model/index.ts";
import { kvs, registration, session } from "./testkit.ts";

export const NODES = ["n1", "N1", "n2", "n10"] as const;
export const NODE_IDS = ["", "aa000000-0000-4000-8000-000000000000", "ab".padEnd(36, "0")] as const;
export const SERVICES = ["web", "Web", "web2", "db"] as const;
export const KEYS = ["a", "a/b", "a/b/c", "ab", "z"] as const;
export const SESSIONS = [1, 2].map((n) => `${n}0000000-0000-4000-8000-000000000000`);
export const QUERIES = [3, 4].map((n) => `${n}0000000-0000-4000-8000-000000000000`);
export const STATUSES = ["passing", "warning", "critical"] as const;
const INSTANCE_IDS = ["one", "two", "One"] as const;
const CHECKS = ["c1", "c2", "serfHealth", "_node_maintenance"] as const;

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const orNull = <T>(...values: readonly T[]): fc.Arbitrary<T | null> => oneOf(null, ...values);

const register = fc
  .record({
    node: oneOf(...NODES),
    id: oneOf(...NODE_IDS),
    address: oneOf("10.0.0.1", "10.0.0.2"),
    meta: orNull({ rack: "r1" }),
    service: orNull(...SERVICES),
    kind: oneOf("", "", "connect-proxy"),
    destination: oneOf(...SERVICES),
    instance: oneOf(...INSTANCE_IDS),
    tags: orNull([], ["v1"], ["V1", "v2"]),
    check: orNull(...CHECKS),
    onService: fc.boolean(),
    status: oneOf(...STATUSES),
  })
  .map((drawn): Command => {
    const { node, id, address, meta, instance, kind } = drawn;
    const service =
      drawn.service === null
        ? null
        : {
            ID: instance,
            Service: drawn.service,
            Kind: kind,
            Tags: drawn.tags,
            Proxy: kind === "" ? BLANK_SERVICE.Proxy : proxyTo(drawn.destination),
          };
    const ServiceID = drawn.onService ? instance : "";
    const checks =
      drawn.check === null ? null : [{ CheckID: drawn.check, Status: drawn.status, ServiceID }];
    return { type: "Register", body: registration(node, { id, address, meta, service, checks }) };
  });

const proxyTo = (DestinationServiceName: string): NodeService["Proxy"] => ({
  ...BLANK_SERVICE.Proxy,
  DestinationServiceName,
});

const deregister = fc
  .record({
    Node: oneOf(...NODES),
    ServiceID: oneOf("", "", ...INSTANCE_IDS),
    CheckID: oneOf("", ...CHECKS),
  })
  .map((body): Command => ({ type: "Deregister", body: { Datacenter: "dc1", ...body } }));

const keyCommand = fc
  .record({
    op: oneOf("set", "set", "delete", "delete-tree", "cas", "lock", "unlock", "delete-cas"),
    key: oneOf(...KEYS),
    prefix: oneOf("", ...KEYS, "a/"),
    // The large one fills a small store of readings by itself.
    Value: orNull(new Uint8Array([1]), new Uint8Array([0xff, 0]), new Uint8Array(9000).fill(60)),
    Session: oneOf(...SESSIONS),
    ModifyIndex: fc.nat(20),
  })
  .map(({ op, key, prefix, ...entry }) =>
    kvs(op as "set", op === "delete-tree" ? prefix : key, entry),
  );

const sessionCommand = fc
  .record({
    op: oneOf<"create" | "destroy">("create", "create", "destroy"),
    ID: oneOf(...SESSIONS),
    Node: oneOf(...NODES),
    NodeChecks: orNull(["c1"]),
    Behavior: oneOf("release", "delete"),
  })
  .map(({ op, ...of }) => session(op, of));

const NO_OP: TxnOp = { KV: null, Node: null, Service: null, Check: null };
const txnOp = fc.oneof(
  keyCommand.map((command): TxnOp => {
    if (command.type !== "KVS") throw new Error("not a key's command");
    return { ...NO_OP, KV: { Verb: command.body.Op, DirEnt: command.body.DirEnt } };
  }),
  fc
    .record({ Verb: oneOf("set", "delete"), Node: oneOf(...NODES), CheckID: oneOf(...CHECKS) })
    .map(({ Verb, Node, CheckID }): TxnOp => ({
      ...NO_OP,
      Check: { Verb, Check: { ...BLANK_CHECK, Node, CheckID } },
    })),
);
const txn = fc
  .array(txnOp, { minLength: 1, maxLength: 3 })
  .map((Ops): Command => ({ type: "Txn", body: { Datacenter: "dc1", Ops } }));

const coordinates = fc
  .record({ Node: oneOf(...NODES), x: oneOf(0, 0.1, 0.5) })
  .map(({ Node, x }): Command => ({
    type: "CoordinateBatchUpdate",
    body: [
      {
        Node,
        Segment: "",
        Coord: { Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 0 },
      },
    ],
  }));

const preparedQuery = fc
  .record({
    Op: oneOf<"create" | "update" | "delete">("create", "update", "delete"),
    ID: oneOf(...QUERIES),
    Name: oneOf("find", "find-web", "other"),
    Session: oneOf("", ...SESSIONS),
    isTemplate: fc.boolean(),
    Service: oneOf(...SERVICES),
  })
  .map(({ Op, isTemplate, Service, ...of }): Command => {
    const Template = { ...BLANK_QUERY.Template, Type: isTemplate ? "name_prefix_match" : "" };
    const Query = {
      ...BLANK_QUERY,
      ...of,
      Template,
      Service: { ...BLANK_QUERY.Service, Service },
    };
    return { type: "PreparedQuery", body: { Datacenter: "dc1", Op, Query } };
  });

const reap = fc.nat(40).map((ReapIndex): Command => ({
  type: "Tombstone",
  body: { Datacenter: "dc1", Op: "reap", ReapIndex },
}));

export const randomCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: register },
  { weight: 4, arbitrary: deregister },
  { weight: 5, arbitrary: keyCommand },
  { weight: 4, arbitrary: sessionCommand },
  { weight: 2, arbitrary: txn },
  { weight: 2, arbitrary: coordinates },
  { weight: 2, arbitrary: preparedQuery },
  { weight: 1, arbitrary: reap },
);
