import { describe, expect, test } from "vitest";
import { eventIndex, planWatch, type WatchParameter } from "./plan.ts";

const given = (text: string): ReadonlyMap<WatchParameter, readonly string[]> =>
  new Map(
    text
      .split(" ")
      .filter((pair) => pair !== "")
      .map((pair) => {
        const [name = "", values = ""] = pair.split("=");
        return [name as WatchParameter, values.split(",")];
      }),
  );

test.each([
  ["key", "key=a", "/v1/kv/a", []],
  ["keyprefix", "prefix=a/", "/v1/kv/a/", [["recurse", ""]]],
  ["services", "", "/v1/catalog/services", []],
  ["nodes", "", "/v1/catalog/nodes", []],
  [
    "service",
    "service=web tag=a,b passingonly=true",
    "/v1/health/service/web",
    [
      ["passing", "1"],
      ["tag", "a"],
      ["tag", "b"],
    ],
  ],
  ["service", "service=web passingonly=false", "/v1/health/service/web", []],
  ["checks", "", "/v1/health/state/any", []],
  ["checks", "state=critical", "/v1/health/state/critical", []],
  ["checks", "service=web", "/v1/health/checks/web", []],
  ["event", "", "/v1/event/list", []],
  ["event", "name=x", "/v1/event/list", [["name", "x"]]],
])("%s %s asks %s", (type, parameters, path, query) => {
  expect(planWatch(type, given(parameters))).toMatchObject({ path, query });
});

test.each([
  ["bogus", "", "Unsupported watch type: bogus"],
  ["toString", "", "Unsupported watch type: toString"],
  ["key", "", "Must specify a single key to watch"],
  ["keyprefix", "", "Must specify a single prefix to watch"],
  ["service", "", "Must specify a single service to watch"],
  ["checks", "service=a state=critical", "Cannot specify service and state"],
  ["key", "key=a state=critical", "Invalid parameters: [state]"],
])("%s %s is refused", (type, parameters, text) => {
  expect(() => planWatch(type, given(parameters))).toThrow(text);
});

describe("what the handler gets", () => {
  test("a key that is not there is null, as is a prefix", () => {
    expect(planWatch("key", given("key=a")).read(undefined, 0n)).toBe("null");
    expect(planWatch("keyprefix", given("prefix=a")).read(undefined, 0n)).toBe("null");
  });

  test("a key's entry stands alone, in the order of Go's client", () => {
    const body =
      '[{"LockIndex":1,"Key":"a","Flags":18446744073709551615,"Value":"PCY+","CreateIndex":2,"ModifyIndex":3}]';
    expect(planWatch("key", given("key=a")).read(body, 0n)).toBe(
      '{"Key":"a","CreateIndex":2,"ModifyIndex":3,"LockIndex":1,"Flags":18446744073709551615,"Value":"PCY+","Session":""}',
    );
  });

  test("of events, only those after the last one seen", () => {
    const ids = ["41136e9d-77e9-a3d4-30bd-13629a75b256", "00c06bfc-2751-16d7-cde3-2997bdb33cfe"];
    const body = JSON.stringify(ids.map((ID) => ({ ID, Name: "x", LTime: 1 })));
    const plan = planWatch("event", given(""));
    const seen = (since: bigint): unknown[] =>
      (JSON.parse(plan.read(body, since)) as { ID: string }[]).map(({ ID }) => ID);
    expect(seen(0n)).toEqual(ids);
    expect(seen(eventIndex(ids[0] ?? ""))).toEqual([ids[1]]);
    expect(seen(eventIndex(ids[1] ?? ""))).toEqual([]);
    expect(seen(7n)).toEqual(ids);
  });
});

// Seen in the environment of a handler that Consul ran.
test.each([
  ["ab4c677c-f74b-bfb1-9cdb-59324df1f550", 4005738901430487777n],
  ["8d04ed49-f31b-88a0-4c71-58baa1d0f1e9", 13940248278265985353n],
  ["no uuid", 0n],
])("the index of event %s", (id, index) => {
  expect(eventIndex(id)).toBe(index);
});
