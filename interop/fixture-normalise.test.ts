/** A comparison that forgives too much would hide what the replay is for. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparable, valueSpans, type Variation, type WireAnswer } from "./fixture-normalise.ts";

const JSON_TYPE = ["Content-Type", "application/json"] as const;
const answer = (body: string, ...headers: Array<readonly [string, string]>): WireAnswer => ({
  status: 200,
  headers: [JSON_TYPE, ...headers],
  body,
});
const bodyOf = (body: string, varies: readonly Variation[]): string =>
  comparable(answer(body), varies).body;
const index = (at: string): Variation => ({ at, kind: "index" });

describe("what varies is masked, the rest stays to the letter", () => {
  test.each<[body: string, varies: readonly Variation[], expected: string]>([
    ['{"a": 1,"b":"<"}', [], '{"a": 1,"b":"<"}'],
    ['{"a":7,"b":7}', [index("/a")], '{"a":<index #0>,"b":7}'],
    ['[{"I":9},{"I":3}]', [index("/0/I"), index("/1/I")], '[{"I":<index #1>},{"I":<index #0>}]'],
    ['{"a/b":{"c~":2}}', [index("/a~1b/c~0")], '{"a/b":{"c~":<index #0>}}'],
    ['{"a":"7"}', [index("/a")], '{"a":"7"}'],
    ['{"ID":"not-one"}', [{ at: "/ID", kind: "uuid" }], '{"ID":"not-one"}'],
    [
      '{"ID":"0b8d6ef4-1111-2222-3333-123456789abc"}',
      [{ at: "/ID", kind: "uuid" }],
      '{"ID":<uuid>}',
    ],
    ["[3,1,2]", [{ at: "", kind: "unordered-array" }], "[1,2,3]"],
    ['{"a":1,"b":2,"c":3}', [{ at: "/b", kind: "left-out" }], '{"a":1,"c":3}'],
    ['{"a":1,"b":2}', [{ at: "/b", kind: "left-out" }], '{"a":1}'],
    ["[[1],2]", [{ at: "/0", kind: "left-out" }], "[2]"],
    [
      '{"a":{"b":1}}',
      [{ at: "/a", kind: "agent-dependent" }, index("/a/b")],
      '{"a":<agent-dependent>}',
    ],
  ])("%s", (body, varies, expected) => {
    expect(bodyOf(body, varies)).toBe(expected);
  });
});

test("a header index older than an entry's is seen", () => {
  const varies = [index("header:X-Consul-Index"), index("/0/ModifyIndex")];
  const shown = (header: string, entry: number): unknown =>
    comparable(answer(`[{"ModifyIndex":${entry}}]`, ["X-Consul-Index", header]), varies);
  expect(shown("34", 34)).toEqual(shown("7", 7));
  expect(shown("34", 32)).toEqual(shown("9", 7));
  expect(shown("34", 32)).not.toEqual(shown("32", 34));
});

test("headers keep their spelling; only the framing and the date are left out", () => {
  const { headers } = comparable(
    answer("{}", ["x-consul-index", "1"], ["Date", "now"], ["Content-Length", "0"]),
    [],
  );
  expect(headers).toEqual(["Content-Type: application/json", "x-consul-index: 1"]);
});

test("every value of a JSON text is found where it stands", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const spans = valueSpans(json);
      const at = (pointer: string): unknown => {
        const span = spans.get(pointer);
        return span === undefined ? undefined : JSON.parse(json.slice(span.start, span.end));
      };
      const root = JSON.parse(json) as unknown;
      expect(at("")).toEqual(root);
      if (typeof root !== "object" || root === null) return;
      for (const [key, value] of Object.entries(root)) {
        expect(at(`/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`)).toEqual(value);
      }
    }),
  );
});
