import * as fc from "fast-check";
import { expect, test } from "vitest";
import { escapeHost, escapePath, escapeQuery } from "./go-url.ts";

test.each([
  ["/v1/kv/a b/c?d&e%41#é", "/v1/kv/a%20b/c%3Fd&e%2541%23%C3%A9"],
  ["!()*+,;=:@[]~$^`{}|\"<>\\'", "%21%28%29%2A+,;=:@%5B%5D~$%5E%60%7B%7D%7C%22%3C%3E%5C%27"],
  ["\u0000\n", "%00%0A"],
])("path %j", (path, escaped) => {
  expect(escapePath(path)).toBe(escaped);
});

test("queries are sorted by key; values of one key keep their order", () => {
  const query = [
    ["wan", "1"],
    ["node-meta", "b:2 &"],
    ["node-meta", "a:/~"],
    ["keys", ""],
  ] as const;
  expect(escapeQuery(query)).toBe("keys=&node-meta=b%3A2+%26&node-meta=a%3A%2F~&wan=1");
});

test("a socket's path as a host", () => {
  expect(escapeHost("/run/a b.sock")).toBe("%2Frun%2Fa%20b.sock");
});

test("what is escaped can be read back", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(text, text, (path, value) => {
      expect(decodeURIComponent(escapePath(path))).toBe(path);
      expect([...new URLSearchParams(escapeQuery([[path, value]]))]).toEqual([[path, value]]);
    }),
  );
});
