/** The lines that Consul logs of requests. Tokens never appear in them. */
import type { Logger } from "../platform/index.ts";
import { formatDuration, MILLISECOND } from "../model/index.ts";
import type { Query } from "./query-string.ts";
import { parseQuery } from "./query-string.ts";

export interface RequestLine {
  readonly method: string;
  /** As sent. */
  readonly url: string;
  readonly query: Query;
  /** `host:port` of the client. */
  readonly from: string;
}

export function logFinished(logger: Logger, line: RequestLine, latencyMs: number): void {
  logger.debug("Request finished", {
    method: line.method,
    url: withoutTokens(line),
    from: line.from,
    latency: formatDuration(Math.round(latencyMs * MILLISECOND)),
  });
}

/** A failure of ours, and not the caller's, brings its stack. */
export function logFailed(logger: Logger, line: RequestLine, error: string, stack?: string): void {
  logger.error("Request error", {
    method: line.method,
    url: withoutTokens(line),
    from: line.from,
    error,
    ...(stack === undefined ? {} : { stack }),
  });
}

function withoutTokens({ url, query }: RequestLine): string {
  if (!query.has("token")) return url;
  const mark = url.indexOf("?");
  const parts = url.slice(mark + 1).split(/([&;])/);
  const hidden = parts.map((part) => {
    const equals = part.indexOf("=");
    const named = parseQuery(part)?.has("token") === true;
    return named ? `${equals === -1 ? part : part.slice(0, equals)}=<hidden>` : part;
  });
  return url.slice(0, mark + 1) + hidden.join("");
}
