import { expect, test } from "vitest";
import { bytesOfHost, hostOf, isWildcard } from "./ip-bytes.ts";

test.each([
  ["127.0.0.1", "7f000001"],
  ["::1", "00000000000000000000000000000001"],
  ["::", "00000000000000000000000000000000"],
  ["2001:db8::ff00:42:8329", "20010db8000000000000ff0000428329"],
  ["fe80::1:0:0:1", "fe800000000000000001000000000001"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
])("%s is %s, and back", (host, hex) => {
  const bytes = bytesOfHost(host);
  expect(Buffer.from(bytes ?? []).toString("hex")).toBe(hex);
  expect(hostOf(bytes!)).toBe(host);
});

test("an IPv4 address in sixteen bytes is written as IPv4", () => {
  expect(hostOf(bytesOfHost("::ffff:10.1.2.3")!)).toBe("10.1.2.3");
});

test.each([
  "",
  "1.2.3",
  "1.2.3.256",
  "a.b.c.d",
  "1:2",
  "1::2::3",
  "::12345",
  "1:2:3:4:5:6:7:8:9",
  "x::",
])("%j is no address", (host) => {
  expect(bytesOfHost(host)).toBeUndefined();
});

test("wildcards", () => {
  expect(["0.0.0.0", "::", "127.0.0.1", "x"].map(isWildcard)).toEqual([true, true, false, false]);
});
