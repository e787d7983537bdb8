import { expect, test } from "vitest";
import {
  cidrContains,
  isAnyAddress,
  isForwarded,
  isIp,
  isPrivateIpv4,
  isPublicIpv6,
  isSpecial,
} from "./ip.ts";

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
  expect(["fe80::1%eth0", "1.2.3", "[::1]"].map(isIp)).toEqual([true, false, false]);
});

// Each as the only address of a machine, taken by `consul validate` 1.8.7 or refused.
test.each([
  ["10.1.1.1", true],
  ["100.63.0.1", false],
  ["100.64.0.1", true],
  ["100.127.0.1", true],
  ["100.128.0.1", false],
  ["127.5.5.5", true],
  ["169.253.0.1", false],
  ["169.254.3.3", true],
  ["172.15.0.1", false],
  ["172.16.1.1", true],
  ["172.31.255.1", true],
  ["172.32.1.1", false],
  ["192.0.0.5", true],
  ["192.0.1.1", false],
  ["192.0.2.2", true],
  ["192.0.3.1", false],
  ["192.88.99.1", false],
  ["192.168.1.1", true],
  ["198.18.0.1", false],
  ["198.51.100.1", false],
  ["203.0.113.5", false],
  ["240.0.0.1", false],
  ["8.8.8.8", false],
  ["0.1.2.3", false],
  ["fd00::1", false],
])("%s is private for Consul: %s", (address, expected) => {
  expect(isPrivateIpv4(address)).toBe(expected);
});

test.each([
  ["fe80::1", false],
  ["fd00::2", false],
  ["fc00::5", false],
  ["fec0::1", false],
  ["2001:db8::1", false],
  ["::1", false],
  ["8.8.8.8", false],
  ["2600::1", true],
  ["2001::1", true],
  ["2002:a::1", true],
  ["64:ff9b::1", true],
  ["100::1", true],
])("%s is public for Consul: %s", (address, expected) => {
  expect(isPublicIpv6(address)).toBe(expected);
});

// What go-sockaddr's filters `rfc 6890` and `flags forwardable` say in consul 1.8.7.
test.each([
  ["10.1.1.1", "special", "forwarded"],
  ["198.18.0.1", "special", "forwarded"],
  ["192.88.99.1", "special", "forwarded"],
  ["192.0.2.2", "special", "kept"],
  ["198.51.100.1", "special", "kept"],
  ["203.0.113.5", "special", "kept"],
  ["240.0.0.1", "special", "kept"],
  ["0.1.2.3", "special", "kept"],
  ["224.0.0.5", "common", "forwarded"],
  ["8.8.8.8", "common", "forwarded"],
  ["fd00::2", "special", "forwarded"],
  ["2001::1", "special", "forwarded"],
  ["2001:db8::1", "special", "kept"],
  ["fe80::1", "special", "kept"],
  ["fec0::1", "common", "forwarded"],
  ["2600::1", "common", "forwarded"],
])("%s is %s and %s", (address, kind, fate) => {
  expect([isSpecial(address), isForwarded(address)]).toEqual([
    kind === "special",
    fate === "forwarded",
  ]);
});
