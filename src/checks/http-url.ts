/**
 * URLs as Go's net/url and net/http read them, with their words for what they refuse. The WHATWG parser that
 * Node has is more lenient and rewrites more, so an operator would see other errors than Consul's.
 */
import { parsePort } from "./dial-address.ts";

export interface HttpUrl {
  readonly scheme: string;
  /** As written before the "@", or undefined. */
  readonly userInfo: string | undefined;
  /** `host:port` as written: brackets kept, an empty port dropped. */
  readonly authority: string;
  /** Escaped; empty when the URL has none. */
  readonly path: string;
  /** With its "?", or empty. */
  readonly query: string;
  /** With its "#", or empty. */
  readonly fragment: string;
}

export type ParsedUrl =
  | Readonly<{ kind: "url"; url: HttpUrl }>
  | Readonly<{ kind: "invalid"; problem: string }>;

const CONTROL = /[\u0000-\u001f\u007f]/;
const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]*):/;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2}).{0,2}/;
/** What a host may not hold, escapes aside. */
const BAD_HOST_CHARACTER = /[^\w.~!$&'()*+,;=:[\]<>"%\u0080-\uffff-]/;
const UNSAFE_IN_PATH = /[^\w.~!$&'()*+,;=:@/%[\]-]/gu;
const UNSAFE_IN_QUERY = /[^\u0021-\u007e]/gu;

/** `problem` is the whole message, as `parse "…": missing ']' in host`. */
export function parseUrl(given: string): ParsedUrl {
  const text = Buffer.from(given).toString(); // Half a surrogate pair cannot be escaped.
  const invalid = (problem: string): ParsedUrl => ({
    kind: "invalid",
    problem: `parse ${JSON.stringify(text)}: ${problem}`,
  });
  if (CONTROL.test(text)) return invalid("net/url: invalid control character in URL");
  const [beforeFragment, fragment] = cut(text, "#");
  if (beforeFragment.startsWith(":")) return invalid("missing protocol scheme");
  const scheme = SCHEME.exec(beforeFragment)?.[1] ?? "";
  const afterScheme = scheme === "" ? beforeFragment : beforeFragment.slice(scheme.length + 1);
  const [beforeQuery, query] = cut(afterScheme, "?");
  if (scheme === "" && /^[^/]*:/.test(beforeQuery)) {
    return invalid("first path segment in URL cannot contain colon");
  }
  const hasAuthority = beforeQuery.startsWith("//");
  const slash = hasAuthority ? beforeQuery.indexOf("/", 2) : 0;
  const authorityText = hasAuthority ? beforeQuery.slice(2, slash < 0 ? undefined : slash) : "";
  const rawPath = slash < 0 ? "" : beforeQuery.slice(slash);
  const at = authorityText.lastIndexOf("@");
  const authority = authorityText.slice(at + 1);
  const problem = problemOfHost(authority) ?? problemOfEscapes(rawPath);
  if (problem !== undefined) return invalid(problem);
  return {
    kind: "url",
    url: {
      scheme: scheme.toLowerCase(),
      userInfo: at < 0 ? undefined : authorityText.slice(0, at),
      authority: authority.replace(/:$/, ""),
      path: rawPath.replace(UNSAFE_IN_PATH, encodeURIComponent),
      query: query.replace(UNSAFE_IN_QUERY, encodeURIComponent),
      fragment,
    },
  };
}

/** `rest` starts with the separator, or is empty. */
function cut(text: string, separator: string): readonly [before: string, rest: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

function problemOfHost(authority: string): string | undefined {
  let port = /:[^:]*$/.exec(authority)?.[0] ?? "";
  if (authority.startsWith("[")) {
    const end = authority.indexOf("]");
    if (end < 0) return "missing ']' in host";
    port = authority.slice(end + 1);
  }
  if (!/^(:\d*)?$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
  const character = BAD_HOST_CHARACTER.exec(authority)?.[0];
  if (character !== undefined) return `invalid character ${JSON.stringify(character)} in host name`;
  return problemOfEscapes(authority);
}

function problemOfEscapes(text: string): string | undefined {
  const escape = BAD_ESCAPE.exec(text)?.[0];
  return escape === undefined ? undefined : `invalid URL escape ${JSON.stringify(escape)}`;
}

/** As errors quote it: a password does not belong in a log. */
export function showUrl(url: HttpUrl): string {
  const [user = "", password] = url.userInfo?.split(/:(.*)/s) ?? [];
  const mask = password === undefined ? "" : ":***";
  const userInfo = url.userInfo === undefined ? "" : `${user}${mask}@`;
  return `${origin(url, userInfo)}${url.path}${url.query}${url.fragment}`;
}

/** The `Referer` header that a redirect from `url` sends along: nobody's name, no fragment. */
export function referer(url: HttpUrl): string {
  return `${origin(url, "")}${url.path}${url.query}`;
}

function origin({ scheme, authority, path }: HttpUrl, userInfo: string): string {
  const hasSlashes = authority !== "" || userInfo !== "" || (scheme !== "" && path.startsWith("/"));
  return `${scheme === "" ? "" : `${scheme}:`}${hasSlashes ? `//${userInfo}${authority}` : ""}`;
}

/** Where to connect, or the dialer's words for why that cannot be. */
export function endpointOf(
  url: HttpUrl,
): { readonly host: string; readonly port: number } | string {
  const [, inBrackets, plain = "", port = ""] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(url.authority) ?? [];
  const host = inBrackets ?? plain;
  const number = parsePort(port === "" ? (url.scheme === "https" ? "443" : "80") : port);
  return typeof number === "string"
    ? `dial tcp: ${number}`
    : { host: host || "127.0.0.1", port: number };
}

/** The `Location` of a redirect, relative to `base`. */
export function resolveUrl(base: HttpUrl, location: string): ParsedUrl {
  const parsed = parseUrl(location);
  if (parsed.kind === "invalid") return parsed;
  const { url } = parsed;
  if (url.scheme !== "") return parsed;
  if (url.authority !== "") return { kind: "url", url: { ...url, scheme: base.scheme } };
  const { scheme, userInfo, authority } = base;
  const fragment = url.fragment === "" ? base.fragment : url.fragment;
  const path = url.path === "" ? base.path : url.path;
  const query = url.path === "" && url.query === "" ? base.query : url.query;
  const from = path.startsWith("/")
    ? "/"
    : base.path.slice(0, base.path.lastIndexOf("/") + 1) || "/";
  const absolute = path.startsWith("/") ? path : from + path;
  const resolved = { scheme, userInfo, authority, path: withoutDots(absolute), query, fragment };
  return { kind: "url", url: resolved };
}

/** RFC 3986 §5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
    if (last && (segment === ".." || segment === ".")) kept.push("");
  }
  return `/${kept.join("/")}`;
}
