import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonNumber, parseJson, type JsonValue } from "./json-parse.ts";

/** Numbers as doubles and objects as plain ones, for comparison with JSON.parse. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** A first number that JSON.parse would bend keeps the whole text away from it. */
const slowly = (text: string): unknown => {
  const value = plain(parseJson(`[1.0,${text}]`)) as unknown[];
  return value[1];
};

test("both paths read what JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), (text) => {
      const expected: unknown = JSON.parse(text);
      expect(plain(parseJson(text))).toEqual(expected);
      expect(slowly(text)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("numbers keep their digits", () => {
  expect(parseJson("18446744073709551615")).toEqual(new JsonNumber("18446744073709551615"));
  expect(parseJson('{"a":[1.50]}')).toEqual({ a: [new JsonNumber("1.50")] });
  expect(parseJson("[1e3]")).toEqual([new JsonNumber("1e3")]);
  expect(parseJson("123456789012345")).toBe(123456789012345);
});

test("the last of equal keys wins, and any key is only a key", () => {
  expect(plain(parseJson('{"a":1,"a":2.5}'))).toEqual({ a: 2.5 });
  const value = parseJson('{"__proto__":{"x":1.5}}');
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
});

test.each([
  ["null x", null],
  ["true]", true],
  ['"a"b', "a"],
  ["{}{", {}],
  ["[1] trailing", [1]],
  ["01", 0],
  ["12x", 12],
  [" \t\r\n1", 1],
])("only the first value of %j counts", (text, expected) => {
  expect(parseJson(text)).toEqual(expected);
});

test.each([
  ["\\ud800x", "\ufffdx"],
  ["\\ud83d\\ude00", "😀"],
  ["\\udc80", "\ufffd"],
  ["\\u00e9\\n\\/", "é\n/"],
  ["\ud800", "\ufffd"],
  ["😀", "😀"],
])("the string %j", (inside, expected) => {
  expect(parseJson(`"${inside}"`)).toBe(expected);
});

// Texts as Consul 1.8.7 answered them, without its prefix.
describe("syntax errors read as Go's", () => {
  test.each([
    ["", "EOF"],
    [" \n", "EOF"],
    ["nul", "unexpected EOF"],
    ["{", "unexpected EOF"],
    ['{"', "unexpected EOF"],
    ['{"a"', "unexpected EOF"],
    ['{"a":', "unexpected EOF"],
    ['{"a":"b"', "unexpected EOF"],
    ['{"a":"b",', "unexpected EOF"],
    ["[1,2", "unexpected EOF"],
    ["-", "unexpected EOF"],
    ["1.", "unexpected EOF"],
    ["1e", "unexpected EOF"],
    ["1e-", "unexpected EOF"],
    ['"', "unexpected EOF"],
    ['"\\', "unexpected EOF"],
    ['"\\u12', "unexpected EOF"],
    ['{"a":"b",}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" "b"}', "invalid character '\"' after object key"],
    ["{bad", "invalid character 'b' looking for beginning of object key string"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ['{"a":"b"x}', "invalid character 'x' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["[1x]", "invalid character 'x' after array element"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ["trux", "invalid character 'x' in literal true (expecting 'e')"],
    ["falsx", "invalid character 'x' in literal false (expecting 'e')"],
    ["nulx", "invalid character 'x' in literal null (expecting 'l')"],
    ["-a", "invalid character 'a' in numeric literal"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["1ex", "invalid character 'x' in exponent of numeric literal"],
    ["1e+x", "invalid character 'x' in exponent of numeric literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12x4"', "invalid character 'x' in \\u hexadecimal character escape"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"a\u0001"', "invalid character '\\x01' in string literal"],
    ["é", "invalid character 'Ã' looking for beginning of value"],
    ["\\", "invalid character '\\\\' looking for beginning of value"],
  ])("%j: %s", (text, message) => {
    expect(() => parseJson(text)).toThrow(
      expect.objectContaining({ code: "request/bad", message }),
    );
  });
});

test("nesting is bounded, and does not use up the stack", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  let value = parseJson(nested(10_000));
  let depth = 0;
  for (; Array.isArray(value); depth++) value = (value as readonly JsonValue[])[0] ?? null;
  expect(depth).toBe(10_000);
  expect(() => parseJson(nested(10_001))).toThrow("invalid character '[' exceeded max depth");
  expect(() => parseJson("[".repeat(1_000_000))).toThrow("exceeded max depth");
});

test("a long string is one step", () => {
  const text = "x".repeat(5_000_000);
  expect(parseJson(`"${text}"`)).toBe(text);
});

test("any text is read or refused", () => {
  const fragments = fc.constantFrom(
    ...'{}[]:,"\\-+.eE01u 	\n'.split(""),
    "null",
    "true",
    "\ud800",
    "é",
  );
  const texts = fc
    .array(fc.oneof(fragments, fc.string({ maxLength: 3 })))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      let accepted = true;
      try {
        parseJson(text);
      } catch (error) {
        accepted = false;
        expect(error).toMatchObject({ code: "request/bad" });
      }
      if (!accepted) expect(() => void JSON.parse(text)).toThrow();
    }),
    { numRuns: 1000 },
  );
});
