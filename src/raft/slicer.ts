/** Bytes that come in slices of any length, in slices of one length: few writes for many crumbs, no write too long. */
export const SLICE_BYTES = 64 * 1024;

export class Slicer {
  #slice = new Uint8Array(0);
  #used = 0;

  /** @returns the slices that are full now; nobody else writes to them any more. `bytes` may be used again. */
  take(bytes: Uint8Array): readonly Uint8Array[] {
    const full: Uint8Array[] = [];
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#used === this.#slice.byteLength) {
        this.#slice = new Uint8Array(SLICE_BYTES);
        this.#used = 0;
      }
      const part = bytes.subarray(at, at + this.#slice.byteLength - this.#used);
      this.#slice.set(part, this.#used);
      this.#used += part.byteLength;
      at += part.byteLength;
      if (this.#used === this.#slice.byteLength) full.push(this.#slice);
    }
    return full;
  }

  /** What is left at the end: one slice, or none. */
  rest(): readonly Uint8Array[] {
    const isFull = this.#used === this.#slice.byteLength;
    return isFull ? [] : [this.#slice.slice(0, this.#used)];
  }
}
