/** Where a redirect leads and what the next request still carries, as Go's client decides it. */
import type { HttpAnswer } from "./http-round-trip.ts";
import { referer, resolveUrl, type HttpUrl } from "./http-url.ts";

/** Lower-case names, each with its values in order. */
export type HeaderLists = Readonly<Record<string, readonly string[]>>;

/** One request in a chain of redirects. */
export interface Hop {
  readonly url: HttpUrl;
  readonly method: string;
  readonly headers: HeaderLists;
  /** The `Host` header, if it is not the URL's. */
  readonly host: string | undefined;
  readonly body: string;
}

export type NextHop =
  | Readonly<{ kind: "hop"; hop: Hop; location: string }>
  | Readonly<{ kind: "problem"; problem: string }>;

/** Not to be told to another site. */
const SENSITIVE = new Set(["authorization", "www-authenticate", "cookie", "cookie2"]);

export function nextHop(hop: Hop, { statusCode, location }: HttpAnswer): NextHop {
  if (location === undefined || location === "") {
    return { kind: "problem", problem: `${statusCode} response missing Location header` };
  }
  const resolved = resolveUrl(hop.url, location);
  if (resolved.kind === "invalid") {
    const problem = `failed to parse Location header ${JSON.stringify(location)}: ${resolved.problem}`;
    return { kind: "problem", problem };
  }
  const { url } = resolved;
  const sameSite = isWithin(hostName(url), hostName(hop.url));
  const keepsBody = statusCode === 307 || statusCode === 308;
  const keepsMethod = keepsBody || hop.method === "HEAD";
  return {
    kind: "hop",
    location,
    hop: {
      url,
      method: keepsMethod ? hop.method : "GET",
      headers: {
        ...Object.fromEntries(
          Object.entries(hop.headers).filter(([name]) => sameSite || !SENSITIVE.has(name)),
        ),
        ...(hop.url.scheme === "https" && url.scheme === "http"
          ? {}
          : { referer: [referer(hop.url)] }),
      },
      host: url.authority === hop.url.authority ? hop.host : undefined,
      body: keepsBody ? hop.body : "",
    },
  };
}

function hostName({ authority }: HttpUrl): string {
  return authority.replace(/:\d*$/, "").toLowerCase();
}

function isWithin(host: string, site: string): boolean {
  return host === site || host.endsWith(`.${site}`);
}
