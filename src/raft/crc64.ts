/**
 * CRC-64 (ECMA-182, reflected), which hashicorp/raft puts beside a snapshot. Kept in two halves, since numbers
 * hold 53 bits and big integers are slow.
 */
const POLYNOMIAL_HIGH = 0xc96c5795;
const POLYNOMIAL_LOW = 0xd7870f42;

const HIGH = new Int32Array(256);
const LOW = new Int32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    const isOdd = (low & 1) === 1;
    low = (low >>> 1) | ((high & 1) << 31);
    high >>>= 1;
    if (isOdd) {
      high ^= POLYNOMIAL_HIGH;
      low ^= POLYNOMIAL_LOW;
    }
  }
  HIGH[byte] = high;
  LOW[byte] = low;
}

export class Crc64 {
  #high = -1;
  #low = -1;

  update(bytes: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let at = 0; at < bytes.length; at += 1) {
      const place = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[place] as number);
      high = (high >>> 8) ^ (HIGH[place] as number);
    }
    this.#high = high;
    this.#low = low;
  }

  /** Eight bytes, big endian. */
  digest(): Uint8Array {
    const digest = new Uint8Array(8);
    const view = new DataView(digest.buffer);
    view.setInt32(0, ~this.#high);
    view.setInt32(4, ~this.#low);
    return digest;
  }
}
