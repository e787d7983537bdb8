import * as fc from "fast-check";
import { expect, test } from "vitest";
import { contains, parseCidr } from "./cidr.ts";

test.each([
  ["10.0.0.0/8", "10.1.2.3", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["10.0.0.0/9", "10.128.0.1", false],
  ["127.0.0.1/32", "127.0.0.1", true],
  ["127.0.0.1", "127.0.0.2", false],
  ["0.0.0.0/0", "1.2.3.4", true],
  ["0.0.0.0/0", "::1", false],
  ["10.0.0.0/8", "::ffff:10.0.0.1", true],
  ["fe80::/10", "febf::1", true],
  ["fe80::/10", "fec0::1", false],
  ["::1/128", "::1", true],
  ["10.0.0.0/8", "", false],
])("%s contains %s: %s", (network, host, expected) => {
  const cidr = parseCidr(network);
  expect(cidr && contains(cidr, host)).toBe(expected);
});

test.each(["", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/x", "10.0.0.0/"])(
  "%s is no network",
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
  },
);

test("an address is in each network made of its leading bits", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
      const cidr = parseCidr(`${address}/${bits}`);
      expect(cidr && contains(cidr, address)).toBe(true);
    }),
  );
});
