import { expect, test } from "vitest";
import { GENERATION_MAX, QueryCache } from "./query-cache.ts";

const packet = (id: number, n: number): Uint8Array =>
  Uint8Array.from([id >> 8, id & 0xff, n & 0xff, (n >> 8) & 0xff, (n >> 16) & 0xff]);

test("the id makes no difference, any other byte does", () => {
  const cache = new QueryCache<string>();
  cache.set(packet(1, 7), "seven");
  expect(cache.get(packet(2, 7))).toBe("seven");
  expect(cache.get(packet(1, 8))).toBeUndefined();
  expect(cache.get(packet(1, 7).subarray(0, 4))).toBeUndefined();
  cache.clear();
  expect(cache.get(packet(1, 7))).toBeUndefined();
});

test("a flood is bounded, and what is asked for in between survives it", () => {
  const cache = new QueryCache<number>();
  cache.set(packet(1, 0), 0);
  for (let n = 1; n <= 10 * GENERATION_MAX; n++) {
    cache.set(packet(1, n), n);
    if (n % 1000 === 0) expect(cache.get(packet(1, 0))).toBe(0);
  }
  expect(cache.size).toBeLessThanOrEqual(2 * GENERATION_MAX);
  expect(cache.get(packet(1, 1))).toBeUndefined();
});

test("the caller may reuse the packet, and large ones are not kept", () => {
  const cache = new QueryCache<string>();
  const bytes = packet(1, 7);
  cache.set(bytes, "seven");
  bytes.fill(0);
  expect(cache.get(packet(9, 7))).toBe("seven");
  cache.set(new Uint8Array(2000), "large");
  expect(cache.size).toBe(1);
});
