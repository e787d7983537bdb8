/**
 * Writes an answer: status, headers and body in one go, with the headers that Go's server has and none of Node's
 * own. Nothing else in this room writes to a response.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { drainBody } from "./request-body.ts";
import { GZIP, PRETTY, type Encoded, type Reply, type Variant } from "./reply.ts";

export interface Manner {
  /** Headers of every answer, besides the reply's own. */
  readonly extraHeaders: readonly string[];
  readonly pretty: boolean;
  /** API endpoints vary their answers by encoding, and say so; the rest does not. */
  readonly negotiates: boolean;
}

/** Resolves once the answer is handed to the socket; no promise where it was at once. */
export function respond(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  manner: Manner,
): void | Promise<void> {
  const { body } = reply;
  if (body === undefined) {
    write(request, response, reply, manner, undefined, false);
    return;
  }
  const gzip = manner.negotiates && acceptsGzip(request.headers["accept-encoding"]);
  const encoded = body.encode(((manner.pretty ? PRETTY : 0) | (gzip ? GZIP : 0)) as Variant);
  if (encoded instanceof Promise) {
    return encoded.then((bytes) => write(request, response, reply, manner, bytes, gzip));
  }
  write(request, response, reply, manner, encoded, gzip);
}

function write(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  manner: Manner,
  encoded: Encoded | undefined,
  gzip: boolean,
): void {
  if (response.destroyed || response.headersSent) return;
  const headers = [...reply.headers, ...manner.extraHeaders];
  if (manner.negotiates) headers.push("Vary", "Accept-Encoding");
  if (encoded === undefined || reply.body === undefined) {
    headers.push("Content-Length", "0");
  } else {
    headers.push("Content-Type", reply.body.contentType);
    if (gzip) headers.push("Content-Encoding", "gzip");
    headers.push("Content-Length", String(encoded.sizeBytes));
  }
  // What follows a body that was not read whole cannot be told apart from it.
  if (reply.status === 413) response.shouldKeepAlive = false;
  // HTTP/1.1 connections persist without saying so; Node would add Connection and Keep-Alive.
  if (response.shouldKeepAlive && request.httpVersionMinor === 1) {
    response.removeHeader("connection");
  }
  response.writeHead(reply.status, headers);
  if (reply.status === 413 && encoded !== undefined) {
    // Closing with bytes unread resets the connection, and the client might lose the answer.
    response.write(encoded.data);
    drainBody(request, () => response.end());
    return;
  }
  if (encoded === undefined) response.end();
  else if (typeof encoded.data === "string") response.end(encoded.data, "latin1");
  else response.end(encoded.data);
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
