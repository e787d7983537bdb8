/** An exchange over Node's own HTTP server: whatever the fast lane leaves to it. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { IpAddress } from "../platform/index.ts";
import type { Connections } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import type { Encoded, StreamSource } from "./reply.ts";
import { drainBody, readBody, type BodyLimit } from "./request-body.ts";
import { roomIn } from "./stream-room.ts";

const NO_PEER: IpAddress = { host: "", port: 0 };

export class NodeExchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #connections: Connections;
  /** Not all of the body was read, perhaps. */
  #mayHaveMore = false;

  constructor(request: IncomingMessage, response: ServerResponse, connections: Connections) {
    this.#request = request;
    this.#response = response;
    this.#connections = connections;
  }
  get method(): string {
    return this.#request.method ?? "";
  }
  get url(): string {
    return this.#request.url ?? "";
  }
  get httpVersionMinor(): number {
    return this.#request.httpVersionMinor;
  }
  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }
  get peer(): IpAddress {
    return this.#connections.peerOf(this.#request.socket) ?? NO_PEER;
  }
  readBody(limit: BodyLimit): Promise<Uint8Array> {
    return readBody(this.#request, limit);
  }
  bodyChunks(): AsyncIterable<Uint8Array> {
    this.#mayHaveMore = true;
    // The connection is still needed for the answer when no more of the body is.
    return this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  }
  onAborted(listener: () => void): void {
    const response = this.#response;
    response.once("close", () => {
      if (!response.writableFinished) listener();
    });
  }
  hold(): void {
    this.#connections.hold(this.#request.socket);
  }
  closeAfter(): void {
    this.#response.shouldKeepAlive = false;
  }
  send(status: number, headers: readonly string[], body: Encoded | undefined): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    if (this.#mayHaveMore && !this.#request.complete) response.shouldKeepAlive = false;
    // Who has ended their side asks for nothing more. Node knows, but forgets once the header is taken out of its hands.
    if (this.#request.socket.readableEnded) response.shouldKeepAlive = false;
    // HTTP/1.1 connections persist without saying so; Node would add Connection and Keep-Alive.
    if (response.shouldKeepAlive && this.#request.httpVersionMinor === 1) {
      response.removeHeader("connection");
    }
    response.writeHead(status, [...headers]);
    if (body === undefined) {
      response.end();
    } else if (status === 413 || this.#mayHaveMore) {
      // Closing with bytes unread resets the connection, and the client might lose the answer.
      response.write(body.data);
      drainBody(this.#request, () => response.end());
    } else if (typeof body.data === "string") {
      response.end(body.data, "latin1");
    } else {
      response.end(body.data);
    }
  }
  async stream(status: number, headers: readonly string[], source: StreamSource): Promise<void> {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    this.hold();
    response.writeHead(status, [...headers]);
    response.flushHeaders();
    using _subscription = source({
      write: (text) => void response.write(text),
      get backlogBytes() {
        return response.writableLength;
      },
    });
    await new Promise((resolve) => response.once("close", resolve));
  }
  async sendChunks(
    status: number,
    headers: readonly string[],
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    if (this.#request.socket.readableEnded) response.shouldKeepAlive = false;
    if (response.shouldKeepAlive && this.#request.httpVersionMinor === 1) {
      response.removeHeader("connection");
    }
    response.writeHead(status, [...headers]);
    for await (const bytes of chunks) {
      if (!response.write(bytes)) await roomIn(response);
      if (response.destroyed) return;
    }
    response.end();
  }
  destroy(): void {
    this.#response.destroy();
  }
}
