import * as fc from "fast-check";
import { expect, test } from "vitest";
import { holdsIp, parseCidr } from "./cidr.ts";
import { parseIp } from "./ip.ts";

test.each([
  ["10.0.0.0/8", "10.1.2.3", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["10.0.0.0/9", "10.128.0.1", false],
  ["127.0.0.1/32", "127.0.0.1", true],
  ["127.0.0.1/32", "127.0.0.2", false],
  ["0.0.0.0/0", "1.2.3.4", true],
  ["0.0.0.0/0", "::1", false],
  ["10.0.0.0/8", "::ffff:10.0.0.1", true],
  ["::ffff:10.0.0.0/104", "10.0.0.1", true],
  ["::ffff:10.0.0.0/104", "11.0.0.1", false],
  ["172.16.0.0/12", "172.31.255.255", true],
  ["172.16.0.0/12", "172.32.0.0", false],
  ["fe80::/10", "febf::1", true],
  ["fe80::/10", "fec0::1", false],
  ["::1/128", "::1", true],
])("%s holds %s: %s", (network, address, expected) => {
  const cidr = parseCidr(network);
  const ip = parseIp(address);
  expect(cidr && ip && holdsIp(cidr, ip)).toBe(expected);
});

test.each([
  "",
  "10.0.0.0",
  "10.0.0.0/33",
  "10.0.0.0/8/8",
  "10.0.0.0/-1",
  "10.0.0/8",
  "::/129",
  "::ffff:10.0.0.0/8",
  "a/8",
  "10.0.0.0/x",
  "10.0.0.0/",
  "fe80::%eth0/10",
])("%s is no network", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test("an address is in each network made of its leading bits", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.nat({ max: 128 }), (text, anyBits) => {
      const ip = parseIp(text);
      if (ip === undefined) throw new Error(`no address: ${text}`);
      // A mapped address counts its bits from those of IPv6.
      const isMapped = ip.length === 4 && text.includes(":");
      const bits = (anyBits % (ip.length * 8 + 1)) + (isMapped ? 96 : 0);
      const cidr = parseCidr(`${text}/${bits}`);
      expect(cidr && holdsIp(cidr, ip)).toBe(true);
    }),
  );
});
