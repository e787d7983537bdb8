/**
 * What a request line asks for, read as Go's ServeMux reads it: the path is percent-decoded before it is matched, dot
 * segments and doubled slashes are answered with a redirect to the clean path, and a prefix endpoint that is called
 * without its slash is sent to the form with one.
 *
 * Keys may hold any bytes, so a byte that is not UTF-8 stays in the path as a lone surrogate (model/key-text.ts).
 */
import { encodeKeyText, percentDecodeKey } from "../model/index.ts";

/** Where a request is going, with the query string still unread. */
export interface Target {
  readonly kind: "target";
  readonly path: string;
  /** After the first "?", as sent. */
  readonly rawQuery: string;
}
export type Destination =
  | Target
  | Readonly<{ kind: "redirect"; location: string }>
  /** `*`, which only OPTIONS may ask for. */
  | Readonly<{ kind: "asterisk" }>
  /** A character that cannot be printed. */
  | Readonly<{ kind: "unprintable" }>
  /** Not a URL: the connection is closed, as its sender does not speak HTTP well. */
  | Readonly<{ kind: "malformed" }>;

export interface TargetRules {
  /** Paths of the prefix endpoints, each with its slash at the end. */
  readonly prefixes: ReadonlySet<string>;
  readonly allowUnprintable: boolean;
}

/** Paths that are clean as they are: nothing to decode, no dot segment, no empty segment. */
const PLAIN = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+\/?$/;
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \uDC80-\uDCFF]/u;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/;

/** @param url the request line's target, one character a byte */
export function readTarget(url: string, rules: TargetRules): Destination {
  if (url === "*") return { kind: "asterisk" };
  const origin = url.startsWith("/") ? "" : (ABSOLUTE.exec(url)?.[0] ?? "");
  const local = origin === "" ? url : url.slice(origin.length);
  const mark = local.indexOf("?");
  const rawPath = mark === -1 ? local : local.slice(0, mark);
  const rawQuery = mark === -1 ? "" : local.slice(mark + 1);
  const suffix = mark === -1 ? "" : `?${rawQuery}`;
  if (PLAIN.test(rawPath)) {
    if (rules.prefixes.has(`${rawPath}/`)) return redirect(`${rawPath}/`, suffix);
    return { kind: "target", path: rawPath, rawQuery };
  }
  if (!rawPath.startsWith("/") && origin === "") return { kind: "malformed" };
  const path = percentDecodeKey(rawPath);
  if (path === undefined) return { kind: "malformed" };
  if (!rules.allowUnprintable && UNPRINTABLE.test(path)) return { kind: "unprintable" };
  const clean = cleanPath(path);
  if (rules.prefixes.has(`${clean}/`)) return redirect(`${clean}/`, suffix);
  if (clean !== path) return redirect(clean, suffix);
  return { kind: "target", path, rawQuery };
}

function redirect(path: string, suffix: string): Destination {
  return { kind: "redirect", location: escapePath(path) + escapeNonAscii(suffix) };
}

/** Go's path.Clean, except that a slash at the end stays. */
export function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") kept.pop();
    else kept.push(segment);
  }
  const clean = `/${kept.join("/")}`;
  return clean !== "/" && path.endsWith("/") ? `${clean}/` : clean;
}

const PATH_SAFE = /[A-Za-z0-9\-_.~$&+,/:;=@]/;

/** As Go's url.URL writes a path: every byte that is not allowed there as `%XX`. */
function escapePath(path: string): string {
  let escaped = "";
  for (const byte of encodeKeyText(path)) {
    const character = String.fromCharCode(byte);
    escaped += PATH_SAFE.test(character) ? character : percent(byte);
  }
  return escaped;
}

/** Go escapes a Location's other bytes with lower-case digits. */
function escapeNonAscii(bytes: string): string {
  return bytes.replace(/[\x80-\xff]/g, (byte) => percent(byte.charCodeAt(0)).toLowerCase());
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
