import { expect, test } from "vitest";
import { cidrContains, isAnyAddress, isIp, isPrivateIpv4, isPublicIpv6 } from "./ip.ts";

test.each([
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["fe80::/10", "fe80::1%eth0", true],
  ["x/8", "10.0.0.1", false],
  ["10.0.0.0/8", "x", false],
])("%s holds %s: %s", (cidr, address, held) => {
  expect(cidrContains(cidr, address)).toBe(held);
});

test("kinds of addresses", () => {
  expect(["0.0.0.0", "::", "[::]", "::1", "zz"].map(isAnyAddress)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(["100.64.0.1", "127.0.0.1", "fd00::1"].map(isPrivateIpv4)).toEqual([true, false, false]);
  expect(["2001:db8::1", "fe80::1", "fd00::1", "::1", "8.8.8.8"].map(isPublicIpv6)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(["fe80::1%eth0", "1.2.3", "[::1]"].map(isIp)).toEqual([true, false, false]);
});
