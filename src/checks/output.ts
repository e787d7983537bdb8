/**
 * A check's output is text of a bounded size: an endpoint may send gigabytes, an operator reads the end.
 * Bytes that are no UTF-8 become U+FFFD, as they would in any JSON.
 */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

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
