import { isIPv4, isIPv6 } from "node:net";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ipVersion, parseIp } from "./ip.ts";

test.each([
  ["10.0.0.1", "0a000001"],
  ["255.255.255.255", "ffffffff"],
  ["::", "00".repeat(16)],
  ["::1", `${"00".repeat(15)}01`],
  ["fe80::1", `fe80${"00".repeat(13)}01`],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["1::8", `0001${"00".repeat(13)}08`],
  ["::ffff:10.1.2.3", "0a010203"],
  ["64:ff9b::10.1.2.3", `0064ff9b${"00".repeat(8)}0a010203`],
  ["10.0.0", undefined],
  ["10.0.0.256", undefined],
  ["10.0.0.1.2", undefined],
  ["1:2:3:4:5:6:7", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["1::2::3", undefined],
  [":1", undefined],
  ["fe80::1%eth0", undefined],
  ["12345::", undefined],
  ["web.service.consul", undefined],
  ["", undefined],
])("%s is %s", (text, hex) => {
  const ip = parseIp(text);
  expect(ip && Buffer.from(ip).toString("hex")).toBe(hex);
});

test("agrees with Node on what an address is", () => {
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/));
  fc.assert(
    fc.property(text, (address) => {
      const wide = isIPv4(address) || isIPv6(address);
      expect(parseIp(address) !== undefined).toBe(wide);
    }),
    { numRuns: 2000 },
  );
});

test("versions", () => {
  expect(["1.2.3.4", "::ffff:1.2.3.4", "::1", "web"].map(ipVersion)).toEqual([4, 4, 6, 0]);
});
