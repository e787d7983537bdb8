/** A plain Uint8Array over part of `bytes`, whatever kind of byte array that is: `subarray` would keep the kind. */
export function viewOf(bytes: Uint8Array, start: number, end = bytes.length): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
