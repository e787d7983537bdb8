/**
 * Writes an answer: status, headers and body in one go, with the headers that Go's server has and none of Node's
 * own. Nothing else in this room writes to a response.
 */
import type { Exchange } from "./exchange.ts";
import { GZIP, PRETTY, type Encoded, type Reply, type Variant } from "./reply.ts";

export interface Manner {
  /** Headers of every answer, besides the reply's own. */
  readonly extraHeaders: readonly string[];
  readonly pretty: boolean;
  /** API endpoints vary their answers by encoding, and say so; the rest does not. */
  readonly negotiates: boolean;
}

/** Resolves once the answer is handed to the socket; no promise where it was at once. */
export function respond(exchange: Exchange, reply: Reply, manner: Manner): void | Promise<void> {
  const { body, stream, chunks } = reply;
  if (stream !== undefined) {
    const headers = [...reply.headers, ...manner.extraHeaders, "Vary", "Accept-Encoding"];
    return exchange.stream(reply.status, headers, stream);
  }
  if (chunks !== undefined) {
    const headers = [...reply.headers, ...manner.extraHeaders, "Vary", "Accept-Encoding"];
    return exchange.sendChunks(reply.status, headers, chunks);
  }
  if (body === undefined) {
    write(exchange, reply, manner, undefined, false);
    return;
  }
  const gzip = manner.negotiates && acceptsGzip(exchange.headers["accept-encoding"]);
  const encoded = body.encode(((manner.pretty ? PRETTY : 0) | (gzip ? GZIP : 0)) as Variant);
  if (encoded instanceof Promise) {
    return encoded.then((bytes) => write(exchange, reply, manner, bytes, gzip));
  }
  write(exchange, reply, manner, encoded, gzip);
}

function write(
  exchange: Exchange,
  reply: Reply,
  manner: Manner,
  encoded: Encoded | undefined,
  gzip: boolean,
): void {
  const headers = [...reply.headers, ...manner.extraHeaders];
  if (manner.negotiates) headers.push("Vary", "Accept-Encoding");
  if (encoded === undefined || reply.body === undefined) {
    headers.push("Content-Length", "0");
  } else {
    headers.push("Content-Type", reply.body.contentType);
    if (gzip) headers.push("Content-Encoding", "gzip");
    headers.push("Content-Length", String(encoded.sizeBytes));
  }
  exchange.send(reply.status, headers, encoded);
}

/** Go's gzip handler: the coding must be named, with a quality above 0. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  if (typeof header !== "string" || header === "") return false;
  return header.split(",").some((part) => {
    const [coding = "", ...parameters] = part.split(";").map((word) => word.trim().toLowerCase());
    const quality = parameters.find((word) => word.startsWith("q="));
    return coding === "gzip" && (quality === undefined || Number(quality.slice(2)) > 0);
  });
}
