/**
 * Go strings as JavaScript strings, and back, without loss.
 *
 * A Go string is any bytes, and a node name or a tag that is not UTF-8 has to come out again as it went in:
 * were it changed, the changed name would spread as that of a node which does not exist. So a byte `b` that
 * is no part of valid UTF-8 becomes the lone surrogate U+DC00 + b, which valid UTF-8 never yields, and which
 * JSON and terminals show as U+FFFD, as Go shows the byte itself.
 */
const REPLACEMENT = "\ufffd";
const ESCAPE = 0xdc00;
const LONE_ESCAPES = /[\udc80-\udcff]/u;

/** Below this many bytes a loop is faster than a call into the engine. */
const SHORT_BYTES = 24;

export function decodeGoText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_BYTES) {
    let text = "";
    let at = start;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  const text = whole.toString("utf8");
  return text.includes(REPLACEMENT) ? decodeWithEscapes(whole) : text;
}

export function encodeGoText(text: string): Uint8Array {
  if (!LONE_ESCAPES.test(text)) return Buffer.from(text, "utf8");
  const parts: Uint8Array[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isEscape = code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff;
    parts.push(isEscape ? Uint8Array.of(code - ESCAPE) : Buffer.from(character, "utf8"));
  }
  return Buffer.concat(parts);
}

function decodeWithEscapes(bytes: Buffer): string {
  let text = "";
  let goodFrom = 0;
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += bytes.toString("utf8", goodFrom, at);
    text += String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
    at += 1;
    goodFrom = at;
  }
  return text + bytes.toString("utf8", goodFrom);
}

/** Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), or 0 if there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1] ?? 0;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let next = at + 2; next < at + length; next += 1) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}
