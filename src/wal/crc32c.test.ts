import * as fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";

/** The definition: one bit at a time. */
function slowly(bytes: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f6_3b78 : 0);
  }
  return ~sum >>> 0;
}

// RFC 3720, B.4, and the check value that every catalogue gives.
test.each([
  ["123456789", Buffer.from("123456789"), 0xe306_9283],
  ["32 zeros", Buffer.alloc(32), 0x8a91_36aa],
  ["32 ones", Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ["32 rising", Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd_794e],
  ["32 falling", Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), 0x113f_db5c],
  ["nothing", Buffer.alloc(0), 0],
])("%s", (_name, bytes, sum) => {
  expect(crc32c(bytes)).toBe(sum);
});

test("any bytes, any stretch of them, and in two parts", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
      const [start = 0, end = 0] = [a, b]
        .map((at) => Math.min(at, bytes.length))
        .sort((x, y) => x - y);
      expect(crc32c(bytes, start, end)).toBe(slowly(bytes.subarray(start, end)));
      const first = crc32c(bytes, 0, start);
      expect(crc32c(bytes, start, bytes.length, first)).toBe(slowly(bytes));
    }),
  );
});
