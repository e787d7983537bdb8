import * as fc from "fast-check";
import { expect, test } from "vitest";
import { registration } from "../endpoints/testkit.ts";
import { questionOf } from "../endpoints/query.ts";
import { Store } from "./store.ts";
import { join } from "./keys.ts";

const part = fc
  .array(fc.constantFrom("\0", "\x01", "\x02", "a"), { maxLength: 5 })
  .map((all) => all.join(""));

test("parts that differ give keys that differ, and no key stands under another's first part", () => {
  fc.assert(
    fc.property(part, part, part, part, (a, b, c, d) => {
      expect(join(a, b) === join(c, d)).toBe(a === c && b === d);
      expect(questionOf(a, b) === questionOf(c, d)).toBe(a === c && b === d);
      expect(join(a, b).startsWith(join(c, ""))).toBe(a === c);
    }),
    { numRuns: 3000 },
  );
});

function storeWith(...requests: ReadonlyArray<ReturnType<typeof registration>>): Store {
  const store = new Store();
  for (const body of requests) store.apply(store.lastIndex + 1, { type: "Register", body });
  return store;
}

test("NUL in a name does not put it among those of another", () => {
  const store = storeWith(
    registration("n1", { service: { ID: "s1", Service: "web" } }),
    registration("n2", { service: { ID: "s2", Service: "web\0x" } }),
    registration("n1\0y", {
      service: { ID: "s3", Service: "other" },
      checks: [{ CheckID: "c", ServiceID: "s3", Status: "passing" }],
    }),
  );
  const names = (service: string): readonly string[] =>
    store
      .view()
      .instances(service)
      .map(({ Service }) => Service.ID);
  expect(names("web")).toEqual(["s1"]);
  expect(names("web\0x")).toEqual(["s2"]);
  expect(store.view().checksOfNode("n1")).toEqual([]);
  const body = { Datacenter: "", Node: "n1", ServiceID: "", CheckID: "", Token: "" };
  store.apply(store.lastIndex + 1, { type: "Deregister", body });
  expect(names("other")).toEqual(["s3"]);
  expect(store.view().checksOfNode("n1\0y")).toHaveLength(1);
});
