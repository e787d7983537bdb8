import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BLANK_CHECK,
  BLANK_SERVICE,
  type DirEntry,
  type HealthCheck,
  type Node,
  type NodeService,
  type Session,
  type TxnOp,
  type TxnResponse,
} from "../model/index.ts";
import { Store } from "./store.ts";

const NO_OP: TxnOp = { KV: null, Node: null, Service: null, Check: null };
const SESSION = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa";

function kv(Verb: string, Key: string, of: Partial<DirEntry> = {}): TxnOp {
  const DirEnt: DirEntry = {
    LockIndex: 0,
    Key,
    Flags: 0n,
    Value: null,
    Session: "",
    CreateIndex: 0,
    ModifyIndex: 0,
    ...of,
  };
  return { ...NO_OP, KV: { Verb, DirEnt } };
}
function node(Verb: string, of: Partial<Node>): TxnOp {
  const blank = { ID: "", Node: "", Address: "", Datacenter: "dc1" };
  const Node = { ...blank, TaggedAddresses: null, Meta: null, CreateIndex: 0, ModifyIndex: 0 };
  return { ...NO_OP, Node: { Verb, Node: { ...Node, ...of } } };
}
const service = (Verb: string, Node: string, of: Partial<NodeService>): TxnOp => ({
  ...NO_OP,
  Service: { Verb, Node, Service: { ...BLANK_SERVICE, ...of } },
});
const check = (Verb: string, of: Partial<HealthCheck>): TxnOp => ({
  ...NO_OP,
  Check: { Verb, Check: { ...BLANK_CHECK, ...of } },
});

/** Index 1: node n1. Index 2: a session on it. Index 3: the keys a (held by the session) and b. */
function storeUnderTest() {
  const store = new Store();
  const txn = (...Ops: TxnOp[]): TxnResponse => {
    const body = { Datacenter: "dc1", Ops };
    const result = store.apply(store.lastIndex + 1, { type: "Txn", body });
    if (result.kind === "refused") throw result.error;
    return result.value as TxnResponse;
  };
  txn(node("set", { Node: "n1", Address: "10.0.0.1" }));
  const session: Session = {
    ID: SESSION,
    Name: "",
    Node: "n1",
    LockDelay: 0,
    Behavior: "release",
    TTL: "",
    NodeChecks: null,
    ServiceChecks: null,
    Checks: null,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  store.apply(2, {
    type: "Session",
    body: { Datacenter: "dc1", Op: "create", Session: session },
  });
  txn(kv("lock", "a", { Session: SESSION, Value: Uint8Array.of(1) }), kv("set", "b"));
  return { store, txn };
}

const whatOf = ({ Errors }: TxnResponse): readonly string[] =>
  (Errors ?? []).map(({ What }) => What);

describe("an operation that cannot be says why", () => {
  test.each<readonly [TxnOp, string]>([
    [kv("get", "z"), `key "z" doesn't exist`],
    [kv("cas", "a", { ModifyIndex: 9 }), `failed to set key "a", index is stale`],
    [kv("cas", "z", { ModifyIndex: 9 }), `failed to set key "z", index is stale`],
    [kv("delete-cas", "a", { ModifyIndex: 9 }), `failed to delete key "a", index is stale`],
    [kv("lock", "z"), "missing session"],
    [
      kv("lock", "z", { Session: "nope" }),
      "failed session lookup: index error: UUID must be 36 characters",
    ],
    [
      kv("lock", "z", { Session: "bbbbbbbb-1111-4111-8111-aaaaaaaaaaaa" }),
      `invalid session "bbbbbbbb-1111-4111-8111-aaaaaaaaaaaa"`,
    ],
    [
      kv("unlock", "b", { Session: SESSION }),
      `failed to unlock key "b", lock isn't held, or is held by another session`,
    ],
    [kv("check-index", "z"), `failed to check index, key "z" doesn't exist`],
    [
      kv("check-index", "a", { ModifyIndex: 1 }),
      `failed index check for key "a", current modify index 3 != 1`,
    ],
    [kv("check-session", "z"), `failed to check session, key "z" doesn't exist`],
    [
      kv("check-session", "b", { Session: "s" }),
      `failed session check for key "b", current session "" != "s"`,
    ],
    [kv("check-not-exists", "a"), `key "a" exists`],
    [kv("constructor", "a"), `unknown KV verb "constructor"`],
    [node("get", { Node: "ghost" }), `node "ghost" doesn't exist`],
    [node("cas", { Node: "n1", ModifyIndex: 7 }), `failed to set node "n1", index is stale`],
    [node("delete-cas", { Node: "ghost" }), `failed to delete node "ghost", index is stale`],
    [node("bad", { Node: "n1" }), `unknown Node verb "bad"`],
    [service("get", "n1", { ID: "s" }), `service "s" on node "n1" doesn't exist`],
    [service("set", "ghost", { ID: "s", Service: "s" }), "Missing node registration"],
    [
      service("cas", "n1", { ID: "s", Service: "s", ModifyIndex: 3 }),
      `failed to set service "s" on node "n1", index is stale`,
    ],
    [
      service("delete-cas", "n1", { ID: "s" }),
      `failed to delete service "s" on node "n1", index is stale`,
    ],
    [check("get", { Node: "n1", CheckID: "c" }), `check "c" on node "n1" doesn't exist`],
    [
      check("set", { Node: "n1", CheckID: "c", ServiceID: "ghost" }),
      "Missing service registration",
    ],
    [check("set", { Node: "n1" }), "failed inserting check: object missing primary index"],
    [
      check("delete-cas", { Node: "n1", CheckID: "c" }),
      `failed to delete check "c" on node "n1", index is stale`,
    ],
  ])("%#", (op, what) => {
    expect(whatOf(storeUnderTest().txn(op))).toEqual([what]);
  });
});

test("operations see what those before them did, and show entries without values but for get", () => {
  const { txn } = storeUnderTest();
  const Value = Uint8Array.of(7);
  const response = txn(
    kv("set", "k", { Value, Flags: 5n }),
    kv("get", "k"),
    kv("check-index", "k", { ModifyIndex: 4 }),
    kv("delete-tree", "k"),
    kv("check-not-exists", "k"),
    kv("get-tree", "k"),
    node("delete", { Node: "ghost" }),
  );
  expect(response.Errors).toBeNull();
  const entry = { LockIndex: 0, Key: "k", Flags: 5n, Session: "", CreateIndex: 4, ModifyIndex: 4 };
  expect(response.Results?.map(({ KV }) => KV)).toEqual([
    { ...entry, Value: null },
    { ...entry, Value },
    { ...entry, Value: null },
  ]);
});

test("a node, its service and its check in one go; weights that cannot be are the default ones", () => {
  const { txn } = storeUnderTest();
  const response = txn(
    node("set", { Node: "n2", Address: "10.0.0.2" }),
    service("cas", "n2", { ID: "w1", Service: "web", Weights: { Passing: 0, Warning: 0 } }),
    check("set", { Node: "n2", CheckID: "c1", Status: "passing", ServiceID: "w1" }),
    check("get", { Node: "N2", CheckID: "C1" }),
  );
  const [, second, third, fourth] = response.Results ?? [];
  expect(second?.Service).toMatchObject({ ModifyIndex: 4, Weights: { Passing: 1, Warning: 1 } });
  expect(third?.Check).toMatchObject({ ServiceName: "web", ModifyIndex: 4 });
  expect(fourth).toEqual(third);
});

test("all failures are listed, and then nothing has happened: no record, no index, no reader told", () => {
  const { store, txn } = storeUnderTest();
  const before = store.snapshot();
  const reading = store.read(
    "keys",
    (view) => view.keysUnder(""),
    () => 1,
  );
  const response = txn(
    kv("set", "new"),
    kv("get", "none"),
    kv("delete", "a"),
    node("delete", { Node: "n1" }),
    service("set", "ghost", { ID: "s", Service: "s" }),
  );
  expect(response).toEqual({
    Results: null,
    Errors: [
      { OpIndex: 1, What: `key "none" doesn't exist` },
      { OpIndex: 4, What: "Missing node registration" },
    ],
  });
  expect(reading.isStale).toBe(false);
  const after = store.snapshot();
  expect(after.kv.rows.values()).toEqual(before.kv.rows.values());
  expect(after.nodes.rows.values()).toEqual(before.nodes.rows.values());
  expect(after.sessions.rows.values()).toEqual(before.sessions.rows.values());
  expect(after.tombstones.size).toBe(0);
  expect(store.indexes.index("kvs")).toBe(3);
});

test("reading operations run without a command", () => {
  const { store } = storeUnderTest();
  const response = store.readTxn([kv("get", "a"), kv("get-tree", "")]);
  expect(response.Results?.map(({ KV }) => KV?.Key)).toEqual(["a", "a", "b"]);
  expect(store.lastIndex).toBe(3);
  expect(whatOf(store.readTxn([kv("get", "z")]))).toEqual([`key "z" doesn't exist`]);
});

/** Whatever the operations: the state is either as after each of them alone, or as it was. */
test("a transaction of KV operations is all of them or none", () => {
  const key = fc.constantFrom("a", "b", "a/x", "");
  const op = fc
    .record({
      verb: fc.constantFrom(
        "set",
        "cas",
        "delete",
        "delete-cas",
        "delete-tree",
        "get",
        "lock",
        "x",
      ),
      key,
      index: fc.constantFrom(0, 3, 9),
      byte: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ verb, key: Key, index: ModifyIndex, byte }) =>
      kv(verb, Key, { ModifyIndex, Value: Uint8Array.of(byte), Session: SESSION }),
    );
  fc.assert(
    fc.property(fc.array(op, { maxLength: 8 }), (ops) => {
      const together = storeUnderTest();
      const before = together.store.snapshot().kv.rows.values();
      const response = together.txn(...ops);
      const after = together.store.snapshot().kv.rows.values();
      if (response.Errors !== null) {
        expect(after).toEqual(before);
        return;
      }
      const oneByOne = storeUnderTest();
      for (const each of ops) oneByOne.txn(each);
      const bare = (entries: readonly DirEntry[]) =>
        entries.map(({ Key, Value, Session, LockIndex }) => [Key, Value, Session, LockIndex]);
      const cas = ops.some(({ KV }) => KV?.Verb.endsWith("cas"));
      if (!cas) expect(bare(after)).toEqual(bare(oneByOne.store.snapshot().kv.rows.values()));
    }),
  );
});
