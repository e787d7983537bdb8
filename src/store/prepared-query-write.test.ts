import { beforeEach, describe, expect, test } from "vitest";
import { BLANK_QUERY, type PreparedQuery } from "../model/index.ts";
import { Store } from "./store.ts";

const id = (digit: number): string => `${digit}`.repeat(8) + "-1111-4111-8111-111111111111";
const SESSION = id(9);

let store: Store;

function put(
  Op: "create" | "update" | "delete",
  of: Partial<PreparedQuery> & { readonly type?: string },
): string {
  const { type = "", ...fields } = of;
  const Query = {
    ...BLANK_QUERY,
    Template: { ...BLANK_QUERY.Template, Type: type },
    Service: { ...BLANK_QUERY.Service, Service: "web-${name.suffix}" },
    ...fields,
  };
  const result = store.apply(store.lastIndex + 1, {
    type: "PreparedQuery",
    body: { Datacenter: "dc1", Op, Query },
  });
  return result.kind === "refused" ? result.error.message : "done";
}
const resolved = (name: string): string | undefined => store.view().resolveQuery(name)?.ID;
const TEMPLATE = "name_prefix_match";

beforeEach(() => {
  store = new Store();
  const node = { Node: "n1", Address: "10.0.0.1", ID: "", TaggedAddresses: null, NodeMeta: null };
  const none = { Service: null, Check: null, Checks: null, SkipNodeUpdate: false };
  store.apply(1, { type: "Register", body: { Datacenter: "dc1", ...node, ...none } });
  const session = {
    ID: SESSION,
    Name: "",
    Node: "n1",
    LockDelay: 0,
    Behavior: "",
    TTL: "",
    NodeChecks: null,
    ServiceChecks: null,
    Checks: null,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  store.apply(2, { type: "Session", body: { Datacenter: "dc1", Op: "create", Session: session } });
});

test("a query is found by its ID, in any case, then by its name", () => {
  put("create", { ID: id(1), Name: "Web" });
  put("create", { ID: id(2), Name: "we", type: TEMPLATE });
  expect(resolved(id(1))).toBe(id(1));
  expect(resolved("web")).toBe(id(1));
  expect(resolved("WEB")).toBe(id(1));
  expect(resolved("web2")).toBe(id(2));
  expect(resolved("w")).toBeUndefined();
  expect(resolved("")).toBeUndefined();
  const byId = () => resolved(id(2));
  expect(byId).toThrow("prepared query templates can only be resolved up by name, not by ID");
});

test("of the templates the one with the longest matching name answers", () => {
  put("create", { ID: id(1), Name: "", type: TEMPLATE });
  put("create", { ID: id(2), Name: "geo-", type: TEMPLATE });
  put("create", { ID: id(3), Name: "GEO-west-", type: TEMPLATE });
  expect(["x", "geo", "geo-a", "geo-west-a"].map(resolved)).toEqual([id(1), id(1), id(2), id(3)]);
  expect(store.view().resolveQuery("geo-a")?.Service.Service).toBe("web-a");
  put("delete", { ID: id(3) });
  expect(resolved("geo-west-a")).toBe(id(2));
});

describe("names are unique", () => {
  test.each<readonly [Partial<PreparedQuery> & { type?: string }, string]>([
    [{ ID: id(5), Name: "WEB" }, "name 'WEB' aliases an existing query name"],
    [{ ID: id(5), Name: id(1) }, `name '${id(1)}' aliases an existing query ID`],
    [{ ID: id(5), type: TEMPLATE }, "a query template with an empty name already exists"],
    [
      { ID: id(5), Name: "x", Session: "s" },
      "invalid session: index error: UUID must be 36 characters",
    ],
    [{ ID: id(5), Name: "x", Session: id(8) }, `invalid session "${id(8)}"`],
    [{ ID: id(5), Name: "x", type: "zz" }, "failed compiling template: Bad Template.Type 'zz'"],
    [{ ID: id(5) }, "done"],
  ])("%j", (query, outcome) => {
    put("create", { ID: id(1), Name: "web" });
    put("create", { ID: id(2), type: TEMPLATE });
    expect(put("create", query)).toBe(outcome);
    expect(store.view().preparedQueries()).toHaveLength(outcome === "done" ? 3 : 2);
  });
});

test("an update keeps the CreateIndex and may keep the name", () => {
  put("create", { ID: id(1), Name: "web" });
  const created = store.lastIndex;
  expect(put("update", { ID: id(1), Name: "web" })).toBe("done");
  const query = store.view().preparedQuery(id(1));
  expect(query).toMatchObject({ CreateIndex: created, ModifyIndex: created + 1 });
});

test("a query goes with its session, and who waits for it is told", () => {
  put("create", { ID: id(1), Name: "bound", Session: SESSION });
  put("create", { ID: id(2), Name: "free" });
  const reading = store.read(
    "q",
    (view) => ({ query: view.preparedQuery(id(1)) }),
    () => 1,
  );
  const other = store.read(
    "o",
    (view) => ({ query: view.preparedQuery(id(2)) }),
    () => 1,
  );
  store.apply(store.lastIndex + 1, {
    type: "Deregister",
    body: { Datacenter: "dc1", Node: "n1", ServiceID: "", CheckID: "" },
  });
  expect(reading.isStale).toBe(true);
  expect(other.isStale).toBe(false);
  expect(
    store
      .view()
      .preparedQueries()
      .map(({ Name }) => Name),
  ).toEqual(["free"]);
  expect(store.indexes.index("prepared-queries")).toBe(store.lastIndex);
});
