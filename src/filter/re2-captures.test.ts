import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { submatchFinder } from "./re2-captures.ts";

describe("captures as Go does", () => {
  test.each<readonly [pattern: string, text: string, captured: readonly string[] | undefined]>([
    ["^geo-(.*?)-([^\\-]+?)$", "geo-web-v1", ["geo-web-v1", "web", "v1"]],
    ["^geo-(.*?)-([^\\-]+?)$", "geo-a-b-c", ["geo-a-b-c", "a-b", "c"]],
    ["(a+)(b+)", "xxaabbb", ["aabbb", "aa", "bbb"]],
    ["(a+?)(a*)", "aaa", ["aaa", "a", "aa"]],
    ["(?U)(a+)(a*?)", "aaa", ["aaa", "a", "aa"]],
    ["(a|ab)(c|bcd)?", "abcd", ["abcd", "a", "bcd"]],
    ["(x)?(y)", "y", ["y", "", "y"]],
    ["(?P<name>b)(?:c)(d)", "abcd", ["bcd", "b", "d"]],
    ["((a)|b)*", "ab", ["ab", "b", "a"]],
    ["(a){2}", "aaa", ["aa", "a"]],
    ["(?i)(É)", "é", ["é", "é"]],
    ["(😀)(.)", "a😀b", ["😀b", "😀", "b"]],
    ["(\\b)", "a b", ["", ""]],
    ["", "abc", [""]],
    ["^$", "abc", undefined],
    ["zzz", "abc", undefined],
  ])("%s on %j", (pattern, text, captured) => {
    expect(submatchFinder(pattern)(text)).toEqual(captured);
  });
});

test("the whole match is where a backtracking matcher finds it first", () => {
  const part = fc.constantFrom("a", "b", ".", "[ab]", "(a|b)", "(ab|a)", "(?:b)", "(a(b)?)");
  const count = fc.constantFrom("", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}");
  const branch = fc.array(fc.tuple(part, count), { minLength: 1, maxLength: 4 });
  const pattern = fc
    .array(branch, { minLength: 1, maxLength: 2 })
    .map((branches) => branches.map((parts) => parts.flat().join("")).join("|"));
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (source, on) => {
      expect(submatchFinder(source)(on)?.[0]).toBe(new RegExp(source, "u").exec(on)?.[0]);
    }),
    { numRuns: 500 },
  );
});

test("what takes a backtracking matcher for ever takes linear time", () => {
  expect(submatchFinder("^((a+)+)$")("a".repeat(2000) + "!")).toBeUndefined();
  expect(submatchFinder("((x+)(x+))y")("x".repeat(400))).toBeUndefined();
});

test("bad patterns are refused in Go's words", () => {
  expect(() => submatchFinder("(")).toThrow("error parsing regexp: missing closing ): `(`");
});
