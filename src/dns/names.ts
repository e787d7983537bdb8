/**
 * Domain names on the wire (RFC 1035 §3.1, §4.1.4): labels with a length byte each, ended by the empty label.
 *
 * Inside this room a name is its uncompressed wire form, spelled as it came; only comparing ignores case.
 * Text appears in two places: names made from the catalog, and labels handed to the grammar in question.ts.
 */
import { RollcallError } from "../errors/index.ts";

/** Uncompressed, with the closing zero byte; at most 255 bytes, labels at most 63 (RFC 1035 §2.3.4). */
export type Name = Uint8Array;

export const NAME_MAX_BYTES = 255;
const LABEL_MAX_BYTES = 63;
const POINTER_BITS = 0xc0;

export interface ReadName {
  readonly name: Name;
  /** Where the bytes after the name begin. */
  readonly next: number;
}

/**
 * Reads a name, following compression pointers. A pointer must lead to before the place where the current
 * run of labels began, so the walk always ends, and the name's own limit bounds the work.
 * @throws {RollcallError} `wire/malformed`
 */
export function readName(message: Uint8Array, offset: number): ReadName {
  const name = new Uint8Array(NAME_MAX_BYTES);
  let length = 0;
  let at = offset;
  let runStart = offset;
  let next: number | undefined;
  for (;;) {
    const size = message[at];
    if (size === undefined) throw malformed("name runs past the end of the message");
    if ((size & POINTER_BITS) === POINTER_BITS) {
      const low = message[at + 1];
      if (low === undefined) throw malformed("pointer runs past the end of the message");
      const to = ((size & ~POINTER_BITS) << 8) | low;
      next ??= at + 2;
      if (to >= runStart) throw malformed("pointer does not lead backwards");
      at = to;
      runStart = to;
      continue;
    }
    if (size > LABEL_MAX_BYTES) throw malformed("unknown kind of label");
    if (at + 1 + size > message.length) throw malformed("label runs past the end of the message");
    if (length + 1 + size > NAME_MAX_BYTES) throw malformed("name is longer than 255 bytes");
    name.set(message.subarray(at, at + 1 + size), length);
    length += 1 + size;
    at += 1 + size;
    if (size === 0) return { name: name.slice(0, length), next: next ?? at };
  }
}

/**
 * Wire form of a dotted name; a closing dot makes no difference.
 * @returns undefined when it cannot be one: an empty or overlong label, or more than 255 bytes
 */
export function encodeName(text: string): Name | undefined {
  if (text === "" || text === ".") return Uint8Array.of(0);
  const labels = (text.endsWith(".") ? text.slice(0, -1) : text).split(".");
  const bytes: number[] = [];
  for (const label of labels) {
    const encoded = new TextEncoder().encode(label);
    if (encoded.length === 0 || encoded.length > LABEL_MAX_BYTES) return undefined;
    bytes.push(encoded.length, ...encoded);
    if (bytes.length >= NAME_MAX_BYTES) return undefined;
  }
  bytes.push(0);
  return Uint8Array.from(bytes);
}

/**
 * Labels as lower-case text, for the grammar. Dots, backslashes and bytes outside printable ASCII are escaped
 * as in a zone file (RFC 1035 §5.1), so that a label with a dot in it never looks like two.
 */
export function labelsOf(name: Name): string[] {
  const labels: string[] = [];
  for (let at = 0; ;) {
    const size = name[at] ?? 0;
    if (size === 0) return labels;
    let label = "";
    for (let i = at + 1; i <= at + size; i++) label += characterOf(name[i] ?? 0);
    labels.push(label);
    at += 1 + size;
  }
}

function characterOf(byte: number): string {
  if (byte === 0x2e || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  if (byte < 0x21 || byte > 0x7e) return `\\${String(byte).padStart(3, "0")}`;
  return String.fromCharCode(lowered(byte));
}

/** The name as text, lower-case: a key for maps and a word for logs. */
export function textOf(name: Name): string {
  return `${labelsOf(name).join(".")}.`;
}

export function sameName(a: Name, b: Name): boolean {
  return a.length === b.length && endsWithBytes(a, b, 0);
}

/** Is `name` the zone's apex or below it? */
export function isWithin(name: Name, zone: Name): boolean {
  for (let at = 0; at < name.length; at += 1 + (name[at] ?? 0)) {
    if (name.length - at === zone.length) return endsWithBytes(name, zone, at);
    if (name[at] === 0) break;
  }
  return false;
}

export interface SharedSuffix {
  /** How many bytes of the name come before what it shares. */
  readonly keep: number;
  /** Where in the other name the shared labels begin. */
  readonly at: number;
}

/** The longest suffix, of at least one label, that `name` has in common with `other`. */
export function sharedSuffix(name: Name, other: Name): SharedSuffix | undefined {
  for (let keep = 0; (name[keep] ?? 0) !== 0; keep += 1 + (name[keep] ?? 0)) {
    const at = other.length - (name.length - keep);
    if (at >= 0 && isLabelStart(other, at) && endsWithBytes(name, other.subarray(at), keep)) {
      return { keep, at };
    }
  }
  return undefined;
}

function isLabelStart(name: Name, offset: number): boolean {
  let at = 0;
  while (at < offset) at += 1 + (name[at] ?? 0);
  return at === offset;
}

/** Length bytes are below any letter, so lowering them along with the text changes nothing. */
function endsWithBytes(name: Name, suffix: Name, from: number): boolean {
  for (let i = 0; i < suffix.length; i++) {
    if (lowered(name[from + i] ?? 0) !== lowered(suffix[i] ?? 0)) return false;
  }
  return true;
}

function lowered(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

function malformed(detail: string): RollcallError {
  return new RollcallError("wire/malformed", `dns: ${detail}`);
}
