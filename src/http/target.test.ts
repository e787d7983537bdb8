import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cleanPath, readTarget, type TargetRules } from "./target.ts";

const RULES: TargetRules = { prefixes: new Set(["/v1/kv/"]), allowUnprintable: false };

// Answers of Consul 1.8.7 to these request targets.
test.each([
  ["/v1/kv/a", "/v1/kv/a"],
  ["/v1/kv/a?x=1", "/v1/kv/a"],
  ["/v1%2Fkv%2Fx?raw", "/v1/kv/x"],
  ["/v1/kv/%C3%28", "/v1/kv/\udcc3("],
  ["/v1/kv/\xc3\xa9", "/v1/kv/é"],
  ["/v1/kv/%EF%BF%BD", "/v1/kv/\ufffd"],
  ["/v1/kv/a+b", "/v1/kv/a+b"],
  ["/v1/kv/a%3Fb", "/v1/kv/a?b"],
  ["http://foo/v1/status/leader?pretty", "/v1/status/leader"],
  ["/v1/kv/ch?a=1#frag", "/v1/kv/ch"],
])("%s goes to %s", (url, path) => {
  expect(readTarget(url, RULES)).toMatchObject({ kind: "target", path });
});

test.each([
  ['/v1/kv//a<b>?x="&y', '/v1/kv/a%3Cb%3E?x="&y'],
  ["/v1/kv//a%2Fb%3Cc%20%22'?x", "/v1/kv/a/b%3Cc%20%22%27?x"],
  ["/v1/kv/../agent/self", "/v1/agent/self"],
  ["/v1/kv/%2e%2e/agent/./self", "/v1/agent/self"],
  ["/v1/kv", "/v1/kv/"],
  ["/v1/kv?keys", "/v1/kv/?keys"],
  ["//v1/kv", "/v1/kv/"],
  ["/v1/kv//\xc3\xa9", "/v1/kv/%C3%A9"],
  ["/v1//kv/?a=\xe9", "/v1/kv/?a=%e9"],
])("%s is sent to %s", (url, location) => {
  expect(readTarget(url, RULES)).toEqual({ kind: "redirect", location });
});

test.each([
  ["*", "asterisk"],
  ["/v1/kv/%zz", "malformed"],
  ["/v1/kv/%4", "malformed"],
  ["v1/kv", "malformed"],
  ["?a=1", "malformed"],
  ["", "malformed"],
  ["/v1/kv/%7F", "unprintable"],
  ["/v1/kv/%01", "unprintable"],
  ["/v1/kv/%C2%A0", "unprintable"],
  ["/v1/kv/%E2%80%A8", "unprintable"],
])("%s is %s", (url, kind) => {
  expect(readTarget(url, RULES).kind).toBe(kind);
});

test("unprintable keys are let through where the filter is off", () => {
  const rules = { ...RULES, allowUnprintable: true };
  expect(readTarget("/v1/kv/%01", rules)).toMatchObject({ path: "/v1/kv/\u0001" });
});

test("a clean path is clean", () => {
  const path = fc
    .array(fc.constantFrom("a", ".", "..", "", "é", "%"))
    .map((s) => `/${s.join("/")}`);
  fc.assert(
    fc.property(path, (text) => {
      const clean = cleanPath(text);
      expect(cleanPath(clean)).toBe(clean);
      expect(clean).not.toMatch(/\/\/|\/\.{1,2}(\/|$)/);
    }),
  );
});

test("a redirect leads somewhere in one step", () => {
  const url = fc.string({
    unit: fc.constantFrom("/", ".", "v1", "kv", "%2F", "%C3", "?", "a", " "),
  });
  fc.assert(
    fc.property(url, (text) => {
      const first = readTarget(`/${text}`, RULES);
      if (first.kind !== "redirect") return;
      expect(readTarget(first.location, RULES).kind).toBe("target");
    }),
  );
});
