/** The last bytes of a program's output, kept within a bound while the output streams past. */
export class OutputTail {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #keptBytes = 0;
  #totalBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that came by, kept or not. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  push(chunk: Uint8Array): void {
    this.#totalBytes += chunk.byteLength;
    const surplus = chunk.byteLength - this.#maxBytes;
    this.#chunks.push(surplus > 0 ? chunk.slice(surplus) : chunk);
    this.#keptBytes += Math.min(chunk.byteLength, this.#maxBytes);
    this.#dropOldest();
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#keptBytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.byteLength;
    }
    return all.subarray(Math.max(0, all.byteLength - this.#maxBytes));
  }

  /** Only whole chunks go, so up to one chunk more than the bound is held. */
  #dropOldest(): void {
    let dropped = 0;
    for (const chunk of this.#chunks) {
      if (this.#keptBytes - chunk.byteLength < this.#maxBytes) break;
      this.#keptBytes -= chunk.byteLength;
      dropped += 1;
    }
    if (dropped > 0) this.#chunks.splice(0, dropped);
  }
}
