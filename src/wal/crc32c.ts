/**
 * CRC-32C (Castagnoli: reflected polynomial 82F63B78, as in iSCSI, RFC 3720 §12.1): eight bytes a step, each by a
 * table of its own ("slicing by 8"; Kounavis and Berry, 2005). It finds every error of up to three bits in the
 * records of this log, and every burst of up to 32.
 *
 *     "123456789"  ▶  e3069283
 */
const POLYNOMIAL = 0x82f6_3b78;
const SLICES = 8;

/** Slice k holds at [256 k + byte] what a byte does to the sum when k further bytes follow it. */
const TABLE = makeTable();

/**
 * @param seed what stands before `start`: the sum of it, or a number that these bytes are to be bound to
 * @returns unsigned, 32 bits
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  let sum = ~seed;
  let at = start;
  for (const last = end - SLICES; at <= last; at += SLICES) {
    const low = sum ^ word(bytes, at);
    const high = word(bytes, at + 4);
    sum =
      entry(1792 + (low & 0xff)) ^
      entry(1536 + ((low >>> 8) & 0xff)) ^
      entry(1280 + ((low >>> 16) & 0xff)) ^
      entry(1024 + (low >>> 24)) ^
      entry(768 + (high & 0xff)) ^
      entry(512 + ((high >>> 8) & 0xff)) ^
      entry(256 + ((high >>> 16) & 0xff)) ^
      entry(high >>> 24);
  }
  for (; at < end; at += 1) sum = (sum >>> 8) ^ entry((sum ^ (bytes[at] ?? 0)) & 0xff);
  return ~sum >>> 0;
}

function entry(at: number): number {
  return TABLE[at] ?? 0;
}

/** Little-endian. */
function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function makeTable(): Int32Array {
  const table = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? POLYNOMIAL : 0);
    table[byte] = sum;
  }
  for (let at = 256; at < table.length; at += 1) {
    const before = table[at - 256] ?? 0;
    table[at] = (before >>> 8) ^ (table[before & 0xff] ?? 0);
  }
  return table;
}
