/** The headers of a check's request: those of its definition, Consul's defaults, and what may not be set. */
import type { HeaderLists, Hop } from "./http-redirect.ts";

const DEFAULTS: HeaderLists = {
  "user-agent": ["Consul Health Check"],
  accept: ["text/plain, text/*, */*"],
};
/** The request decides these itself. */
const OURS = new Set(["host", "connection", "content-length", "transfer-encoding", "trailer"]);

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const BAD_IN_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Names become lower case; a name without values counts as not given. A `Host` header is taken out. */
export function headersOf(given: Readonly<Record<string, readonly string[] | null>>): {
  readonly headers: HeaderLists;
  readonly host: string | undefined;
} {
  const headers: Record<string, readonly string[]> = Object.create(null);
  let host: string | undefined;
  for (const [name, values] of Object.entries(given)) {
    const lowerName = name.toLowerCase();
    if (values === null || values.length === 0) continue;
    if (lowerName === "host") host = values[0] || undefined;
    if (!OURS.has(lowerName)) headers[lowerName] = [...(headers[lowerName] ?? []), ...values];
  }
  return { headers: { ...DEFAULTS, ...headers }, host };
}

/** Why Go's client would not even send it. */
export function problemOfRequest({ url, headers }: Hop): string | undefined {
  if (url.scheme !== "http" && url.scheme !== "https") {
    return `unsupported protocol scheme ${JSON.stringify(url.scheme)}`;
  }
  for (const [name, values] of Object.entries(headers)) {
    if (!TOKEN.test(name)) return `net/http: invalid header field name ${JSON.stringify(name)}`;
    for (const value of values) {
      if (BAD_IN_VALUE.test(value)) {
        const shown = JSON.stringify(value);
        return `net/http: invalid header field value ${shown} for key ${canonicalName(name)}`;
      }
    }
  }
  return url.authority === "" ? "http: no Host in request URL" : undefined;
}

/** `content-type` as `Content-Type`. */
function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
