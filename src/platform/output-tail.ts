/** The last bytes of an output, kept within a bound while it streams past. */
export class OutputTail {
  readonly #kept: Uint8Array;
  #keptBytes = 0;
  #totalBytes = 0;

  constructor(maxBytes: number) {
    this.#kept = new Uint8Array(maxBytes);
  }

  push(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    const room = this.#kept.length;
    if (bytes.length >= room) {
      this.#kept.set(bytes.subarray(bytes.length - room));
      this.#keptBytes = room;
      return;
    }
    const overflow = Math.max(0, this.#keptBytes + bytes.length - room);
    this.#kept.copyWithin(0, overflow, this.#keptBytes);
    this.#kept.set(bytes, this.#keptBytes - overflow);
    this.#keptBytes += bytes.length - overflow;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }
  bytes(): Uint8Array {
    return this.#kept.subarray(0, this.#keptBytes);
  }
}
