/**
 * Fast draws for the order of answers. Each query may need hundreds of them, so they come from a small
 * generator of its own, seeded once from the platform: as reproducible in simulation as the platform is.
 */
import type { Random } from "../platform/index.ts";

/** A whole number from 0 to `bound - 1`, each equally likely. `bound` is 1 to 2^31. */
export type Draw = (bound: number) => number;

const TWO_POW_32 = 4294967296;

/** xorshift128 (Marsaglia, "Xorshift RNGs", 2003, §3.1), scaled to the bound by multiplication. */
export function createDraw(random: Random): Draw {
  const seed = random.bytes(16);
  const view = new DataView(seed.buffer, seed.byteOffset, 16);
  let [x, y, z, w] = [view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12)];
  if ((x | y | z | w) === 0) w = 1; // The one state that the generator cannot leave.
  return (bound) => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return Math.floor(((w >>> 0) / TWO_POW_32) * bound);
  };
}

/**
 * One step of Fisher and Yates: position `i` of `order` gets one of the values that stand at `i` or later.
 * Doing it for 0 to k-1 puts k distinct values in front, every sequence of them equally likely, whatever the
 * order was before. So an order can be kept and drawn from again.
 */
export function drawAt(order: Uint32Array, i: number, draw: Draw): number {
  const j = i + draw(order.length - i);
  const drawn = order[j] ?? 0;
  order[j] = order[i] ?? 0;
  order[i] = drawn;
  return drawn;
}
