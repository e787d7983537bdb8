import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Expression } from "./expression.ts";
import { parseExpression } from "./parse-expression.ts";
import { anyMatch, expressions, printExpression } from "./testkit.ts";

/** Fully parenthesized, with the operators' names. */
function show(expression: Expression): string {
  switch (expression.kind) {
    case "match":
      return `${expression.selector.join("/")} ${expression.operator} ${JSON.stringify(expression.value)}`;
    case "not":
      return `not(${show(expression.operand)})`;
    case "and":
    case "or":
      return `${expression.kind}(${expression.operands.map(show).join(", ")})`;
  }
}

describe("reads", () => {
  test.each([
    ["a==b", 'a Equal "b"'],
    ['a.b["c d"]  !=\t"x y"', 'a/b/c d Not Equal "x y"'],
    ["a==b.c", 'a Equal "b.c"'],
    ['a==b["c"]', 'a Equal "b.c"'],
    ["a==-5", 'a Equal "-5"'],
    ["a==1.50", 'a Equal "1.50"'],
    ["x in a", 'a In "x"'],
    ["5 not in a", 'a Not In "5"'],
    ["a contains x", 'a In "x"'],
    ["a not contains x", 'a Not In "x"'],
    ["a is empty", 'a Is Empty ""'],
    ["a is  not\nempty", 'a Is Not Empty ""'],
    ["a matches `\\d`", 'a Matches "\\\\d"'],
    ["a not matches x", 'a Not Matches "x"'],
    ['a=="\\u00e9\\x41\\n\\101"', 'a Equal "éA\\nA"'],
    ['a=="\\xff"', 'a Equal "\\udcff"'],
    ["a==`x\r\ny`", 'a Equal "x\\ny"'],
    ["a==1 or b==2 and c==3", 'or(a Equal "1", and(b Equal "2", c Equal "3"))'],
    ["(a==1 or b==2) and c==3", 'and(or(a Equal "1", b Equal "2"), c Equal "3")'],
    ["not a==1 and b==2", 'and(not(a Equal "1"), b Equal "2")'],
    ["not not a==1", 'a Equal "1"'],
    ["not not not a==1", 'not(a Equal "1")'],
    ["not == 1", 'not Equal "1"'],
    ["in in in", 'in In "in"'],
    ["  ( ( a==1 ) )  ", 'a Equal "1"'],
    ["(a==1) or (b==2)", 'or(a Equal "1", b Equal "2")'],
  ])("%j", (text, expected) => {
    expect(show(parseExpression(text))).toBe(expected);
  });
});

const UNQUOTED_VALUE = '"-", "0", "\\"", "`", [ \\t\\r\\n], [1-9] or [a-zA-Z]';
const OPERAND = '"(", "-", "0", "\\"", "`", "not", [ \\t\\r\\n], [1-9] or [a-zA-Z]';
const AFTER_SELECTOR = '"!=", ".", "==", "[", [ \\t\\r\\n] or [a-zA-Z0-9_]';
const expected = (place: string, list: string) => `${place}: no match found, expected: ${list}`;

// Texts as Consul 1.8.7 answered them, without its prefix.
describe("refuses", () => {
  test.each([
    ["Node", expected("1:5 (4)", AFTER_SELECTOR)],
    ["any-none", expected("1:4 (3)", AFTER_SELECTOR)],
    [
      "Node =",
      expected("1:6 (5)", '"!=", "==", "contains", "in", "is", "matches", "not" or [ \\t\\r\\n]'),
    ],
    ["Node==", expected("1:7 (6)", UNQUOTED_VALUE)],
    ["Node==é", expected("1:7 (6)", UNQUOTED_VALUE)],
    ["Node==a-b", expected("1:8 (7)", '".", "[", [ \\t\\r\\n], [a-zA-Z0-9_] or EOF')],
    ["Node==--5", expected("1:8 (7)", '"0" or [1-9]')],
    ["Node==a.", expected("1:9 (8)", "[a-zA-Z]")],
    ["()", expected("1:2 (1)", OPERAND)],
    [" ", expected("1:2 (1)", OPERAND)],
    ["not", expected("1:4 (3)", AFTER_SELECTOR)],
    [
      "not ",
      expected(
        "1:5 (4)",
        '"!=", "(", "-", "0", "==", "\\"", "`", "contains", "in", "is", "matches", "not", [ \\t\\r\\n], [1-9] or [a-zA-Z]',
      ),
    ],
    ["Node not x", expected("1:10 (9)", '"contains", "in", "matches" or [ \\t\\r\\n]')],
    ["Node==a and", expected("1:12 (11)", "[ \\t\\r\\n]")],
    ["Node==a AND Node==b", expected("1:9 (8)", '"and", "or", [ \\t\\r\\n] or EOF')],
    ["(Node==n1)or Node==x", expected("1:11 (10)", "[ \\t\\r\\n] or EOF")],
    ['"é"==5', expected("1:4 (4)", "[ \\t\\r\\n]")],
    ["a==b\n #", expected("2:2 (6)", '"and", "or", [ \\t\\r\\n] or EOF')],
    ["(Node==a", '1:9 (8): rule "grouping": Unmatched parentheses'],
    ["Node==05", '1:8 (7): rule "number": Invalid number literal'],
    ["5==5", '1:2 (1): rule "number": Invalid number literal'],
    ['Node=="abc', '1:11 (10): rule "string": Unterminated string literal'],
    ['Node=="a\\qb"', '1:7 (6): rule "string": invalid syntax'],
    ['Node=="a\nb"', '1:7 (6): rule "string": invalid syntax'],
    ['Node=="\\400"', '1:7 (6): rule "string": invalid syntax'],
    ["Meta[", '1:6 (5): rule "index": Invalid index'],
    ["Meta[rack]==x", '1:6 (5): rule "index": Invalid index'],
    ['Meta["rack"', '1:12 (11): rule "index": Unclosed index expression'],
    ["rack in 5", '1:9 (8): rule "match": Invalid selector'],
    [
      'Meta["rack]==x',
      '1:15 (14): rule "string": Unterminated string literal\n1:6 (5): rule "index": Invalid index',
    ],
  ])("%j", (text, message) => {
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({ code: "request/refused", message }),
    );
  });
});

test("length and nesting are bounded", () => {
  const nested = (depth: number) => `${"(".repeat(depth)}a==b${")".repeat(depth)}`;
  expect(show(parseExpression(nested(190)))).toBe('a Equal "b"');
  expect(() => parseExpression(nested(100_000))).toThrow("longer than 65536 characters");
  expect(() => parseExpression(nested(20_000))).toThrow("nested too deeply");
  expect(() => parseExpression("not ".repeat(10_000))).toThrow("nested too deeply");
  const long = Array.from({ length: 5_000 }, () => "a == b").join(" or ");
  expect(parseExpression(long)).toMatchObject({ kind: "or" });
});

test("an expression comes back from its text", () => {
  fc.assert(
    fc.property(expressions(anyMatch), (expression) => {
      expect(parseExpression(printExpression(expression))).toEqual(expression);
    }),
    { numRuns: 300 },
  );
});

test("any text is read or refused", () => {
  const words = fc.constantFrom(
    ...'Meta . == != ( ) [ ] " ` - 5 0 x not in is empty contains matches and or \\ é'.split(" "),
    " ",
    "\n",
  );
  const texts = fc
    .array(fc.oneof({ weight: 9, arbitrary: words }, fc.string({ maxLength: 3 })), {
      maxLength: 12,
    })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      try {
        expect(parseExpression(text).kind).toMatch(/^(?:match|not|and|or)$/);
      } catch (error) {
        expect(error).toMatchObject({ code: "request/refused" });
        expect((error as Error).message).toMatch(/^\d+:\d+ \(\d+\): /);
      }
    }),
    { numRuns: 1000 },
  );
});
