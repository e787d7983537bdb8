/** Bytes that come in parts of any size, taken in parts of a wanted one. */
import { unusable } from "./archive-meta.ts";

export class ByteSource {
  readonly #parts: AsyncIterator<Uint8Array>;
  #part: Uint8Array = new Uint8Array();

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** What comes next, at least one byte. @returns undefined at the end */
  next(): Promise<Uint8Array | undefined> {
    return this.atMost(Number.MAX_SAFE_INTEGER);
  }

  async atMost(length: number): Promise<Uint8Array | undefined> {
    while (this.#part.length === 0) {
      const { done, value } = await this.#parts.next();
      if (done === true) return undefined;
      this.#part = value;
    }
    const taken = this.#part.subarray(0, length);
    this.#part = this.#part.subarray(taken.length);
    return taken;
  }

  /** As many, or fewer when there are no more. */
  async upTo(length: number): Promise<Uint8Array> {
    const whole = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const part = await this.atMost(length - at);
      if (part === undefined) break;
      whole.set(part, at);
      at += part.length;
    }
    return whole.subarray(0, at);
  }

  /** @param text of the error when there are not so many */
  async exactly(length: number, text: string): Promise<Uint8Array> {
    const whole = await this.upTo(length);
    if (whole.length < length) throw unusable(text);
    return whole;
  }

  /** All that is left, with what was taken before it in front. */
  async *rest(taken: Uint8Array): AsyncGenerator<Uint8Array, void> {
    try {
      if (taken.length > 0) yield taken;
      for (let part = await this.next(); part !== undefined; part = await this.next()) yield part;
    } finally {
      await this.close();
    }
  }

  async skip(length: number, text: string): Promise<void> {
    if (length > 0) await this.exactly(length, text);
  }

  /** Nothing more is wanted. */
  async close(): Promise<void> {
    await this.#parts.return?.();
  }
}
