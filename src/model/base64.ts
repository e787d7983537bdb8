/**
 * Standard base64 (RFC 4648 §4), with the tolerances and the error offsets of Go's decoder: line breaks are
 * skipped, padding is required, the bits after the last byte are not looked at.
 *
 * Buffer, which every runtime of ours has as a global, does the work where it cannot be told apart from Go.
 */
import { RollcallError } from "../errors/index.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 0x3d;
const INVALID = 0xff;
const DECODE = new Uint8Array(256).fill(INVALID);
for (let sextet = 0; sextet < ALPHABET.length; sextet++)
  DECODE[ALPHABET.charCodeAt(sextet)] = sextet;

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

const PLAIN = /^[A-Za-z0-9+/]*={0,2}$/;

/** @returns undefined for a text that has line breaks or may be wrong: see `decodeBase64` */
export function base64Bytes(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !PLAIN.test(text)) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  // Not from Buffer's pool: what is stored would keep it alive.
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  Buffer.from(bytes.buffer).write(text, "base64");
  return bytes;
}

/** @throws {RollcallError} `request/bad`: `illegal base64 data at input byte 4` */
export function decodeBase64(text: string): Uint8Array {
  const plain = base64Bytes(text);
  if (plain !== undefined) return plain;
  const compact = text.includes("\n") || text.includes("\r") ? text.replace(/[\r\n]/g, "") : text;
  const padding = compact.endsWith("==") ? 2 : compact.endsWith("=") ? 1 : 0;
  const sextets = compact.length - padding;
  if (compact.length % 4 !== 0) throw illegal(text);
  const out = new Uint8Array((compact.length / 4) * 3 - padding);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < sextets; i++) {
    const code = compact.charCodeAt(i);
    const sextet = code < 256 ? byte(DECODE, code) : INVALID;
    if (sextet === INVALID) throw illegal(text);
    bits = (bits << 6) | sextet;
    switch (i & 3) {
      case 1:
        out[at++] = bits >> 4;
        break;
      case 2:
        if (at < out.length) out[at++] = bits >> 2;
        break;
      case 3:
        out[at++] = bits;
        bits = 0;
        break;
      default:
    }
  }
  return out;
}

function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function illegal(text: string): RollcallError {
  return new RollcallError("request/bad", `illegal base64 data at input byte ${offence(text)}`);
}

/** Where Go's decoder stops in a text that is known to be refused. Text before the offence is ASCII. */
function offence(text: string): number {
  const isBreak = (index: number): boolean => text[index] === "\n" || text[index] === "\r";
  const pastBreaks = (index: number): number => {
    let at = index;
    while (isBreak(at)) at++;
    return at;
  };
  let inQuantum = 0;
  for (let i = 0; i < text.length; i++) {
    if (isBreak(i)) continue;
    const code = text.charCodeAt(i);
    if (code === PADDING) {
      if (inQuantum < 2) return i;
      let after = i + 1;
      if (inQuantum === 2) {
        after = pastBreaks(after);
        if (after >= text.length) return text.length;
        if (text.charCodeAt(after) !== PADDING) return after - 1;
        after++;
      }
      return pastBreaks(after);
    }
    if (code > 255 || DECODE[code] === INVALID) return i;
    inQuantum = (inQuantum + 1) % 4;
  }
  return text.length - inQuantum;
}
