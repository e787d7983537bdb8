/**
 * Keys of the key/value store are byte strings; here they are JavaScript strings.
 *
 * The bytes are read as UTF-8. A byte that is not part of valid UTF-8 is held as the lone surrogate
 * U+DC00 + byte (U+DC80 to U+DCFF), which valid UTF-8 never yields. So every key has exactly one text, and
 * texts turn back into the same bytes.
 */

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const ESCAPE_BASE = 0xdc00;
const REPLACEMENT_BYTES = [0xef, 0xbf, 0xbd] as const;

/** With the `u` flag a surrogate that is half of a pair does not match. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

export function decodeKeyText(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

export function encodeKeyText(text: string): Uint8Array {
  return LONE_SURROGATE.test(text) ? encodeWithEscapes(text) : encoder.encode(text);
}

function decodeWithEscapes(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const sizeBytes = sequenceLength(bytes, at);
    if (sizeBytes === 0) {
      parts.push(String.fromCharCode(ESCAPE_BASE + (bytes[at] ?? 0)));
      at++;
      continue;
    }
    let end = at + sizeBytes;
    for (let next = sequenceLength(bytes, end); next > 0; next = sequenceLength(bytes, end)) {
      end += next;
    }
    parts.push(strictDecoder.decode(bytes.subarray(at, end)));
    at = end;
  }
  return parts.join("");
}

/** How many bytes the valid UTF-8 sequence at `at` has (Unicode, table 3-7); 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead === undefined) return 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const sizeBytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let i = 2; i < sizeBytes; i++) {
    const continuation = bytes[at + i] ?? 0;
    if (continuation < 0x80 || continuation > 0xbf) return 0;
  }
  return sizeBytes;
}

/** A lone surrogate that stands for no byte is written as U+FFFD, as everywhere else. */
function encodeWithEscapes(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 3);
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) {
      out[at++] = code - ESCAPE_BASE;
    } else if (code >= 0xd800 && code <= 0xdfff) {
      out.set(REPLACEMENT_BYTES, at);
      at += REPLACEMENT_BYTES.length;
    } else {
      at += encoder.encodeInto(character, out.subarray(at)).written;
    }
  }
  return out.slice(0, at);
}

/**
 * The key in a URL path, as Node hands it over: one character a byte, `%XX` for any byte. `+` is itself.
 *
 * @returns undefined for a bad escape
 */
export function percentDecodeKey(path: string): string | undefined {
  if (/^[^%\u0080-\uffff]*$/.test(path)) return path;
  const bytes = new Uint8Array(path.length * 3);
  let at = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === 0x25) {
      const digits = path.slice(i + 1, i + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) return undefined;
      bytes[at++] = Number.parseInt(digits, 16);
      i += 2;
    } else if (code <= 0xff) {
      bytes[at++] = code;
    } else {
      const character = String.fromCodePoint(path.codePointAt(i) ?? code);
      i += character.length - 1;
      at += encoder.encodeInto(character, bytes.subarray(at)).written;
    }
  }
  return decodeKeyText(bytes.subarray(0, at));
}

/**
 * Order of the keys' bytes: negative, 0 or positive.
 *
 * It differs from the order of UTF-16 units only where a surrogate meets another unit: characters beyond
 * U+FFFF sort after U+FFFF, and raw bytes among the lead bytes of UTF-8.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === shorter) return a.length - b.length;
  const left = a.charCodeAt(at);
  const right = b.charCodeAt(at);
  if (!isSurrogate(left) && !isSurrogate(right)) return left - right;
  const start = at > 0 && isHighSurrogate(a.charCodeAt(at - 1)) ? at - 1 : at;
  return compareBytes(encodeKeyText(a.slice(start, at + 4)), encodeKeyText(b.slice(start, at + 4)));
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
