/**
 * A check's output is text of a bounded size: an endpoint may send gigabytes, an operator reads the end.
 * Bytes that are no UTF-8 become U+FFFD, as they would in any JSON.
 */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The last `maxBytes` of all that was pushed. */
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

export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** A command's output: says so when its beginning was cut off. */
export function capturedTail(tail: Uint8Array, totalBytes: number): string {
  const text = textOf(tail);
  if (totalBytes <= tail.length) return text;
  return `Captured ${tail.length} of ${totalBytes} bytes\n...\n${text}`;
}

/** A note given through the API: says so when its end was cut off. */
export function capturedHead(note: string, maxBytes: number): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= maxBytes) return note;
  const head = textOf(bytes.subarray(0, maxBytes));
  return `${head} ... (captured ${maxBytes} of ${bytes.length} bytes)`;
}
