import * as fc from "fast-check";
import { expect, test } from "vitest";
import { atoi, goQuote, parseBool, parseInt64, parseUint } from "./go-strconv.ts";

const syntax = (parser: string, text: string) => ({
  error: `strconv.${parser}: parsing ${goQuote(text)}: invalid syntax`,
});
const range = (parser: string, text: string) => ({
  error: `strconv.${parser}: parsing ${goQuote(text)}: value out of range`,
});

test.each([
  ["1", { value: true }],
  ["T", { value: true }],
  ["True", { value: true }],
  ["f", { value: false }],
  ["FALSE", { value: false }],
  ["tRUE", syntax("ParseBool", "tRUE")],
  ["yes", { error: 'strconv.ParseBool: parsing "yes": invalid syntax' }],
  ["", syntax("ParseBool", "")],
])("parseBool(%j)", (text, expected) => {
  expect(parseBool(text)).toEqual(expected);
});

test.each([
  ["0", { value: 0n }],
  ["007", { value: 7n }],
  ["18446744073709551615", { value: 2n ** 64n - 1n }],
  ["18446744073709551616", range("ParseUint", "18446744073709551616")],
  ["9".repeat(5000), range("ParseUint", "9".repeat(5000))],
  [`${"0".repeat(5000)}1`, { value: 1n }],
  ["-1", { error: 'strconv.ParseUint: parsing "-1": invalid syntax' }],
  ["+1", syntax("ParseUint", "+1")],
  ["1_0", syntax("ParseUint", "1_0")],
  ["1\n", syntax("ParseUint", "1\n")],
  ["", syntax("ParseUint", "")],
])("parseUint(%j)", (text, expected) => {
  expect(parseUint(text)).toEqual(expected);
});

test.each([
  ["12", { value: 12 }],
  ["+12", { value: 12 }],
  ["-12", { value: -12 }],
  ["-0", { value: 0 }],
  ["x", { error: 'strconv.Atoi: parsing "x": invalid syntax' }],
  ["1.5", syntax("Atoi", "1.5")],
  ["99999999999999999999", range("Atoi", "99999999999999999999")],
])("atoi(%j)", (text, expected) => {
  expect(atoi(text)).toEqual(expected);
});

test.each([
  ["80", { value: 80n }],
  ["+80", { value: 80n }],
  ["-0x50", { value: -80n }],
  ["0b1010000", { value: 80n }],
  ["0o120", { value: 80n }],
  ["0120", { value: 80n }],
  ["8_0", { value: 80n }],
  ["-9223372036854775808", { value: -(2n ** 63n) }],
  ["9223372036854775808", range("ParseInt", "9223372036854775808")],
  [`0x${"f".repeat(1000)}`, range("ParseInt", `0x${"f".repeat(1000)}`)],
  [`0x${"0".repeat(1000)}1`, { value: 1n }],
  ["080", syntax("ParseInt", "080")],
  ["8__0", syntax("ParseInt", "8__0")],
  ["_8", syntax("ParseInt", "_8")],
  ["80.0", syntax("ParseInt", "80.0")],
  ["--1", syntax("ParseInt", "--1")],
  ["", syntax("ParseInt", "")],
])("parseInt64(%j)", (text, expected) => {
  expect(parseInt64(text)).toEqual(expected);
});

test.each([
  ["plain", '"plain"'],
  ['say "hi" \\', '"say \\"hi\\" \\\\"'],
  ["\u0001\u0007\b\f\n\r\t\v\u007f", '"\\x01\\a\\b\\f\\n\\r\\t\\v\\x7f"'],
  ["é 漢 😀", '"é 漢 😀"'],
  ["\u00a0\u2028\u{e0001}", '"\\u00a0\\u2028\\U000e0001"'],
  ["\udcff", '"\\xff"'],
])("goQuote(%j)", (text, expected) => {
  expect(goQuote(text)).toBe(expected);
});

test("every 64-bit number comes back from its text", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      expect(parseInt64(value.toString())).toEqual({ value });
    }),
  );
});

test("any text is parsed or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const parse of [parseBool, parseUint, atoi, parseInt64]) {
        const { value, error } = parse(text);
        expect(value === undefined).toBe(typeof error === "string");
      }
      expect(goQuote(text)).toMatch(/^".*"$/s);
    }),
  );
});
