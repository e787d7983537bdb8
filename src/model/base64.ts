/**
 * Standard base64 (RFC 4648 §4), with the tolerances and the error offsets of Go's decoder: line breaks are
 * skipped, padding is required, the bits after the last byte are not looked at.
 *
 * Own code, because this room knows neither Node nor a browser.
 */
import { RollcallError } from "../errors/index.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 0x3d;
const ENCODE = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const INVALID = 0xff;
const DECODE = new Uint8Array(256).fill(INVALID);
for (const [sextet, code] of ENCODE.entries()) DECODE[code] = sextet;

const ascii = new TextDecoder();

export function encodeBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  const whole = bytes.length - (bytes.length % 3);
  let at = 0;
  for (let i = 0; i < whole; i += 3) {
    const group = (byte(bytes, i) << 16) | (byte(bytes, i + 1) << 8) | byte(bytes, i + 2);
    out[at++] = byte(ENCODE, group >> 18);
    out[at++] = byte(ENCODE, (group >> 12) & 63);
    out[at++] = byte(ENCODE, (group >> 6) & 63);
    out[at++] = byte(ENCODE, group & 63);
  }
  if (whole < bytes.length) {
    const group = (byte(bytes, whole) << 16) | (byte(bytes, whole + 1) << 8);
    out[at++] = byte(ENCODE, group >> 18);
    out[at++] = byte(ENCODE, (group >> 12) & 63);
    out[at++] = whole + 2 === bytes.length ? byte(ENCODE, (group >> 6) & 63) : PADDING;
    out[at++] = PADDING;
  }
  return ascii.decode(out);
}

/** @throws {RollcallError} `request/bad`: `illegal base64 data at input byte 4` */
export function decodeBase64(text: string): Uint8Array {
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
