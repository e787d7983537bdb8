/** Registration in the catalog, one test per rule (wire/fsm.md section 5). */
import { expect, test } from "vitest";
import { kvs, registration, session } from "../endpoints/testkit.ts";
import type { Command, RegisterRequest } from "../model/index.ts";
import { Store } from "./store.ts";

const ID_1 = "11111111-1111-4111-8111-111111111111";
const ID_2 = "22222222-2222-4222-8222-222222222222";
const SESSION = "a0000000-0000-4000-8000-000000000000";

function storeWith(...requests: readonly RegisterRequest[]): Store {
  const store = new Store();
  for (const body of requests) expect(apply(store, { type: "Register", body })).toBe(null);
  return store;
}
function apply(store: Store, command: Command): unknown {
  const result = store.apply(store.lastIndex + 1, command);
  return result.kind === "done" ? result.value : result.error.message;
}
const register = (store: Store, body: RegisterRequest): unknown =>
  apply(store, { type: "Register", body });
const dump = (store: Store): string => {
  const { nodes, services, checks, sessions, kv, tombstones, indexes } = store.snapshot();
  const tables = [nodes, services, checks, sessions, kv, tombstones];
  const rows = [...tables.map((table) => table.rows.values()), indexes.values()];
  return JSON.stringify(rows, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
};

test("an equal registration changes nothing but the checks row", () => {
  const request = registration("n", {
    id: ID_1,
    service: { ID: "w", Service: "web" },
    checks: [{ CheckID: "c", ServiceID: "w", Status: "passing" }],
  });
  const store = storeWith(request);
  const before = store.view();
  const checks = before.checksOfNode("n");
  register(store, request);
  expect(store.view().checksOfNode("n")).toEqual(checks);
  expect(store.indexes.index("nodes", "services", "service.web")).toBe(1);
  expect(store.indexes.index("checks")).toBe(2);
});

test("names of nodes and ids of services compare without regard to case", () => {
  const store = storeWith(
    registration("Web-1", { service: { ID: "W", Service: "web" } }),
    registration("WEB-1", { address: "10.0.0.2", service: { ID: "w", Service: "web" } }),
  );
  expect(store.view().nodes()).toHaveLength(1);
  expect(store.view().instances("WEB")).toHaveLength(1);
});

test("a name belongs to the node that has it, until that node fails", () => {
  const store = storeWith(
    registration("n", { id: ID_1, checks: [{ CheckID: "serfHealth", Status: "passing" }] }),
  );
  const claim = registration("n", { id: ID_2, address: "10.0.0.2" });
  const before = dump(store);
  expect(register(store, claim)).toBe(
    `failed inserting node: Error while renaming Node ID: "${ID_2}": ` +
      `Node name n is reserved by node ${ID_1} with name n (10.0.0.1)`,
  );
  expect(dump(store)).toBe(before);
  const failed = [{ CheckID: "serfHealth", Status: "critical" }];
  register(store, registration("n", { id: ID_1, checks: failed }));
  expect(register(store, claim)).toBe(null);
  expect(store.view().node("n")).toMatchObject({ ID: ID_2, Address: "10.0.0.2" });
});

test("a known ID with another name renames the node, and what was on it goes", () => {
  const store = storeWith(registration("old", { id: ID_1, service: { ID: "w", Service: "web" } }));
  expect(register(store, registration("new", { id: ID_1 }))).toBe(null);
  expect(
    store
      .view()
      .nodes()
      .map(({ Node }) => Node),
  ).toEqual(["new"]);
  expect(store.view().instances("web")).toEqual([]);
});

test("a node that had no ID takes one", () => {
  const store = storeWith(registration("n"));
  expect(register(store, registration("n", { id: ID_1 }))).toBe(null);
  expect(store.view().node("n")).toMatchObject({ ID: ID_1, CreateIndex: 1, ModifyIndex: 2 });
});

test("SkipNodeUpdate leaves a known node alone and still creates an unknown one", () => {
  const store = storeWith(registration("n"));
  register(store, { ...registration("n", { address: "10.9.9.9" }), SkipNodeUpdate: true });
  expect(store.view().node("n")?.Address).toBe("10.0.0.1");
  register(store, { ...registration("m", { address: "10.9.9.9" }), SkipNodeUpdate: true });
  expect(store.view().node("m")?.Address).toBe("10.9.9.9");
});

test.each([
  [
    "a check of another node",
    registration("n", { checks: [{ CheckID: "c", Node: "m" }] }),
    'check node "m" does not match node "n"',
  ],
  [
    "a check of an unknown service",
    registration("n", { checks: [{ CheckID: "c", ServiceID: "ghost" }] }),
    'failed inserting check: Missing service registration on node "n"',
  ],
  [
    "metadata that is reserved",
    registration("n", { service: { ID: "w", Service: "web", Meta: { "consul-x": "1" } } }),
    "failed inserting service: Invalid Service Meta for node n and serviceID w: Couldn't load " +
      "metadata pair ('consul-x', '1'): Key prefix 'consul-' is reserved for internal use",
  ],
])("%s is refused, and nothing of the request stays", (_, request, message) => {
  const store = storeWith(registration("other"));
  const before = dump(store);
  expect(register(store, request)).toBe(message);
  expect(dump(store)).toBe(before);
});

test("a check without a status is critical, and takes name and tags from its service", () => {
  const store = storeWith(
    registration("n", {
      service: { ID: "w", Service: "web", Tags: ["v1"] },
      checks: [{ CheckID: "c", ServiceID: "w" }],
    }),
  );
  expect(store.view().checksOfNode("n")).toMatchObject([
    { Status: "critical", ServiceName: "web", ServiceTags: ["v1"] },
  ]);
});

test("a service's row moves with its instances, their checks and their nodes, and no other's", () => {
  const store = storeWith(
    registration("n", { service: { ID: "w", Service: "web" } }),
    registration("m", { service: { ID: "d", Service: "db" } }),
  );
  const rowsAfter = (body: RegisterRequest): number[] => {
    register(store, body);
    return [store.indexes.index("service.web"), store.indexes.index("service.db")];
  };
  expect(rowsAfter(registration("n", { checks: [{ CheckID: "node check" }] }))).toEqual([3, 2]);
  expect(rowsAfter(registration("n", { checks: [{ CheckID: "c", ServiceID: "w" }] }))).toEqual([
    4, 2,
  ]);
  expect(rowsAfter(registration("n", { address: "10.0.0.9" }))).toEqual([5, 2]);
  expect(rowsAfter(registration("x"))).toEqual([5, 2]);
});

test("the last instance takes the service's row along and leaves the extinction row", () => {
  const store = storeWith(registration("n", { service: { ID: "w", Service: "web" } }));
  apply(store, {
    type: "Deregister",
    body: { Datacenter: "dc1", Node: "n", ServiceID: "w", CheckID: "" },
  });
  expect(store.indexes.index("service.web")).toBe(0);
  expect(store.indexes.serviceIndex("web", [])).toBe(2);
});

test("a service id that changes its service leaves the old one", () => {
  const store = storeWith(
    registration("n", { service: { ID: "w", Service: "web" } }),
    registration("n", { service: { ID: "w", Service: "api" } }),
  );
  expect(store.view().instances("web")).toEqual([]);
  expect(store.view().instances("api")).toHaveLength(1);
  expect(store.indexes.serviceIndex("web", [])).toBe(2);
});

test("a check that turns critical or goes ends the sessions that stand on it", () => {
  for (const end of [
    registration("n", { checks: [{ CheckID: "c", Status: "critical" }] }),
    { Datacenter: "dc1", Node: "n", ServiceID: "", CheckID: "c" },
    { Datacenter: "dc1", Node: "n", ServiceID: "", CheckID: "" },
  ]) {
    const store = storeWith(registration("n", { checks: [{ CheckID: "c", Status: "passing" }] }));
    apply(store, session("create", { ID: SESSION, Node: "n", NodeChecks: ["c"] }));
    apply(store, kvs("lock", "k", { Session: SESSION }));
    apply(
      store,
      "CheckID" in end ? { type: "Deregister", body: end } : { type: "Register", body: end },
    );
    expect(store.view().sessions()).toEqual([]);
    expect(store.view().key("k")?.Session).toBe("");
  }
});

test("a snapshot stays as it was, whatever is written afterwards", () => {
  const store = storeWith(registration("n", { service: { ID: "w", Service: "web" } }));
  apply(store, kvs("set", "k"));
  const snapshot = new Store(store.snapshot());
  const before = dump(snapshot);
  apply(store, kvs("set", "k", { Flags: 9n }));
  apply(store, {
    type: "Deregister",
    body: { Datacenter: "dc1", Node: "n", ServiceID: "", CheckID: "" },
  });
  expect(dump(snapshot)).toBe(before);
  expect(dump(store)).not.toBe(before);
});

test("a node is found by a prefix of its ID that only it has", () => {
  const store = storeWith(registration("n", { id: ID_1 }), registration("m", { id: ID_2 }));
  expect(store.view().nodeByNameOrId("11")?.Node).toBe("n");
  expect(store.view().nodeByNameOrId("2222-")).toBeUndefined();
  expect(store.view().nodeByNameOrId("1")).toBeUndefined();
});
