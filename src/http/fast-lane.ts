/**
 * The fast lane: a connection on which every request comes whole and plain (plain-request.ts) is answered straight on
 * its stream, head and body in one write. The first bytes that are anything else go, with the connection, to Node's
 * HTTP server, which has a rule for everything. Answers are the same in both lanes; a test compares them.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { IpAddress } from "../platform/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { Connections } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import { PlainRequests, type PlainRequest } from "./plain-request.ts";
import type { Encoded, StreamSource } from "./reply.ts";
import type { BodyLimit } from "./request-body.ts";
import { headText } from "./response-head.ts";

/** Up to here it is cheaper to copy a body behind its head than to hand two pieces to the kernel. */
const ONE_WRITE_MAX_BYTES = 4096;

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** A piece of a body whose length is not known beforehand (RFC 9112 §7.1). */
function chunkOf(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export interface FastLaneNeeds {
  readonly connections: Connections;
  /** Text of the Date header. */
  readonly date: () => string;
  readonly serve: (exchange: Exchange) => void;
  /** Takes over a connection, whose unread bytes come first. */
  readonly handOver: (stream: Duplex) => void;
}

export class FastLane {
  readonly #needs: FastLaneNeeds;
  readonly #requests = new PlainRequests();

  constructor(needs: FastLaneNeeds) {
    this.#needs = needs;
  }

  accept(stream: Duplex, peer: IpAddress): void {
    new LaneConnection(this.#needs, this.#requests, stream, peer).open();
  }
}

class LaneConnection {
  readonly #needs: FastLaneNeeds;
  readonly #requests: PlainRequests;
  readonly #stream: Duplex;
  readonly #peer: IpAddress;
  #current: LaneExchange | undefined;
  /** The client will send no more. */
  #hasEnded = false;

  constructor(needs: FastLaneNeeds, requests: PlainRequests, stream: Duplex, peer: IpAddress) {
    this.#needs = needs;
    this.#requests = requests;
    this.#stream = stream;
    this.#peer = peer;
  }

  open(): void {
    const stream = this.#stream;
    stream.on("data", this.#onData);
    stream.on("end", this.#onEnd);
    stream.on("close", this.#onClose);
    stream.on("drain", this.#onDrain);
  }

  #onData = (bytes: Buffer): void => {
    const request = this.#current === undefined ? this.#requests.read(bytes) : undefined;
    if (request === undefined) {
      this.#stream.pause();
      this.#stream.unshift(bytes);
      // A request that comes before the last one is answered waits for it.
      if (this.#current === undefined) this.#handOver();
      return;
    }
    const exchange = new LaneExchange(this.#needs, this.#stream, this.#peer, request, this.#onDone);
    this.#current = exchange;
    this.#needs.connections.requestBegun(this.#stream);
    this.#needs.serve(exchange);
  };

  #onDone = (): void => {
    this.#current = undefined;
    this.#needs.connections.requestDone(this.#stream);
    if (this.#hasEnded) this.#stream.end();
    else if (this.#stream.isPaused()) this.#handOver();
    // Who does not read answers is asked for no more requests.
    else if (this.#stream.writableNeedDrain) this.#stream.pause();
  };

  #onDrain = (): void => {
    if (this.#current === undefined) this.#stream.resume();
  };

  #onEnd = (): void => {
    this.#hasEnded = true;
    if (this.#current === undefined) this.#stream.end();
  };

  #onClose = (): void => this.#current?.closed();

  #handOver(): void {
    const stream = this.#stream;
    stream.off("data", this.#onData);
    stream.off("end", this.#onEnd);
    stream.off("close", this.#onClose);
    stream.off("drain", this.#onDrain);
    this.#needs.handOver(stream);
    stream.resume();
  }
}

class LaneExchange implements Exchange {
  readonly method: string;
  readonly url: string;
  readonly httpVersionMinor = 1;
  readonly headers: IncomingHttpHeaders;
  readonly peer: IpAddress;
  readonly #needs: FastLaneNeeds;
  readonly #stream: Duplex;
  readonly #body: Uint8Array;
  readonly #onDone: () => void;
  #isDone = false;
  #closesAfter = false;
  #onAborted: (() => void) | undefined;

  constructor(
    needs: FastLaneNeeds,
    stream: Duplex,
    peer: IpAddress,
    request: PlainRequest,
    onDone: () => void,
  ) {
    this.method = request.method;
    this.url = request.url;
    this.headers = request.headers;
    this.peer = peer;
    this.#needs = needs;
    this.#stream = stream;
    this.#body = request.body;
    this.#onDone = onDone;
  }
  async readBody(limit: BodyLimit): Promise<Uint8Array> {
    if (this.#body.length > limit.maxBytes) {
      throw new RollcallError("request/too-large", limit.tooLarge());
    }
    return this.#body;
  }
  onAborted(listener: () => void): void {
    if (this.#stream.destroyed) listener();
    else this.#onAborted = listener;
  }
  hold(): void {
    this.#needs.connections.hold(this.#stream);
  }
  closeAfter(): void {
    this.#closesAfter = true;
  }
  send(status: number, headers: readonly string[], body: Encoded | undefined): void {
    if (this.#isDone || this.#stream.destroyed) return;
    const closes = this.#closesAfter;
    const head = headText(status, headers, this.#needs.date(), closes);
    const stream = this.#stream;
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
    this.#onDone();
  }
  async stream(status: number, headers: readonly string[], source: StreamSource): Promise<void> {
    const stream = this.#stream;
    if (this.#isDone || stream.destroyed) return;
    this.hold();
    const all = [...headers, "Transfer-Encoding", "chunked"];
    stream.write(headText(status, all, this.#needs.date(), false), "latin1");
    using _subscription = source({
      write: (text) => void stream.write(chunkOf(text)),
      get backlogBytes() {
        return stream.writableLength;
      },
    });
    await new Promise((resolve) => stream.once("close", resolve));
  }
  destroy(): void {
    this.#isDone = true;
    this.#stream.destroy();
  }
  closed(): void {
    if (!this.#isDone) this.#onAborted?.();
  }
}
