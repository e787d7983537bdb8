/** An exchange of the fast lane (fast-lane.ts): the answer goes straight onto the stream, head and body in one write. */
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { RollcallError } from "../errors/index.ts";
import type { IpAddress } from "../platform/index.ts";
import type { Exchange } from "./exchange.ts";
import type { PlainRequest } from "./plain-request.ts";
import type { Encoded, StreamSource } from "./reply.ts";
import type { BodyLimit } from "./request-body.ts";
import { roomIn } from "./stream-room.ts";
import { headText } from "./response-head.ts";

/** Up to here it is cheaper to copy a body behind its head than to hand two pieces to the kernel. */
const ONE_WRITE_MAX_BYTES = 4096;

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** A piece of a body whose length is not known beforehand (RFC 9112 §7.1). */
function chunkOf(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export interface LaneExchangeNeeds {
  readonly stream: Duplex;
  readonly peer: IpAddress;
  /** Text of the Date header. */
  readonly date: () => string;
  readonly onHold: () => void;
  /** The answer is handed to the stream. */
  readonly onDone: () => void;
}

export class LaneExchange implements Exchange {
  readonly method: string;
  readonly url: string;
  readonly httpVersionMinor = 1;
  readonly headers: IncomingHttpHeaders;
  readonly peer: IpAddress;
  readonly #needs: LaneExchangeNeeds;
  readonly #body: Uint8Array;
  #isDone = false;
  #closesAfter = false;
  #onAborted: (() => void) | undefined;

  constructor(needs: LaneExchangeNeeds, request: PlainRequest) {
    this.method = request.method;
    this.url = request.url;
    this.headers = request.headers;
    this.peer = needs.peer;
    this.#needs = needs;
    this.#body = request.body;
  }
  readBody(limit: BodyLimit): Uint8Array {
    if (this.#body.length > limit.maxBytes) {
      throw new RollcallError("request/too-large", limit.tooLarge());
    }
    return this.#body;
  }
  async *bodyChunks(): AsyncGenerator<Uint8Array, void> {
    if (this.#body.length > 0) yield this.#body;
  }
  onAborted(listener: () => void): void {
    if (this.#needs.stream.destroyed) listener();
    else this.#onAborted = listener;
  }
  hold(): void {
    this.#needs.onHold();
  }
  closeAfter(): void {
    this.#closesAfter = true;
  }
  send(status: number, headers: readonly string[], body: Encoded | undefined): void {
    const { stream, date, onDone } = this.#needs;
    if (this.#isDone || stream.destroyed) return;
    const closes = this.#closesAfter;
    const head = headText(status, headers, date(), closes);
    if (body === undefined) {
      stream.write(head, "latin1");
    } else if (typeof body.data === "string") {
      stream.write(head + body.data, "latin1");
    } else if (body.sizeBytes <= ONE_WRITE_MAX_BYTES) {
      stream.write(head + latin1(body.data), "latin1");
    } else {
      stream.cork();
      stream.write(head, "latin1");
      stream.write(body.data);
      stream.uncork();
    }
    this.#isDone = true;
    if (closes) stream.end();
    onDone();
  }
  async stream(status: number, headers: readonly string[], source: StreamSource): Promise<void> {
    const { stream, date } = this.#needs;
    if (this.#isDone || stream.destroyed) return;
    this.hold();
    const all = [...headers, "Transfer-Encoding", "chunked"];
    stream.write(headText(status, all, date(), false), "latin1");
    using _subscription = source({
      write: (text) => void stream.write(chunkOf(text)),
      get backlogBytes() {
        return stream.writableLength;
      },
    });
    await new Promise((resolve) => stream.once("close", resolve));
  }
  async sendChunks(
    status: number,
    headers: readonly string[],
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const { stream, date, onDone } = this.#needs;
    if (this.#isDone || stream.destroyed) return;
    const closes = this.#closesAfter;
    const all = [...headers, "Transfer-Encoding", "chunked"];
    stream.write(headText(status, all, date(), closes), "latin1");
    for await (const bytes of chunks) {
      stream.cork();
      stream.write(`${bytes.byteLength.toString(16)}\r\n`, "latin1");
      stream.write(bytes);
      const hasRoom = stream.write("\r\n", "latin1");
      stream.uncork();
      if (!hasRoom) await roomIn(stream);
      if (stream.destroyed) return;
    }
    stream.write("0\r\n\r\n", "latin1");
    this.#isDone = true;
    if (closes) stream.end();
    onDone();
  }
  destroy(): void {
    this.#isDone = true;
    this.#needs.stream.destroy();
  }
  closed(): void {
    if (!this.#isDone) this.#onAborted?.();
  }
}
