/**
 * The fast lane: a connection on which every request is plain (plain-request.ts) is answered straight on its stream.
 * The first bytes that are anything else go, with the connection, to Node's HTTP server, which has a rule for
 * everything. Answers are the same in both lanes; a test compares them.
 *
 * A client may send many requests at once. They are answered one after the other, each in a turn of its own
 * (turns.ts), and none as long as the client does not read: it gets no more of the agent than one that asks politely.
 * Meanwhile its stream is paused, so that only so much waits here as a stream holds.
 */
import type { Duplex } from "node:stream";
import type { IpAddress } from "../platform/index.ts";
import type { Connections } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import { malformedRequestAnswer } from "./front.ts";
import { LaneExchange, type LaneExchangeNeeds } from "./lane-exchange.ts";
import { PlainRequests } from "./plain-request.ts";
import type { Turns } from "./turns.ts";

export interface FastLaneNeeds {
  readonly connections: Connections;
  readonly turns: Turns;
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
  readonly #answering: LaneExchangeNeeds;
  /** The beginning of a request whose rest has not come; bounded, as longer ones are not plain. */
  #half: Buffer | undefined;
  /** Its head has come. */
  #hasHead = false;
  #current: LaneExchange | undefined;
  /** The client will send no more. */
  #hasEnded = false;

  constructor(needs: FastLaneNeeds, requests: PlainRequests, stream: Duplex, peer: IpAddress) {
    this.#needs = needs;
    this.#requests = requests;
    this.#stream = stream;
    this.#answering = {
      stream,
      peer,
      date: needs.date,
      onHold: () => needs.connections.hold(stream),
      onDone: this.#onDone,
    };
  }

  open(): void {
    const stream = this.#stream;
    stream.on("data", this.#onData);
    stream.on("end", this.#onEnd);
    stream.on("close", this.#onClose);
    stream.on("drain", this.#goOn);
  }

  #onData = (bytes: Buffer): void => {
    // Behind an answer that ends the connection nothing is asked any more.
    if (this.#stream.writableEnded) return;
    if (this.#current !== undefined) {
      this.#putBack(bytes);
      return;
    }
    const unread = this.#half === undefined ? bytes : Buffer.concat([this.#half, bytes]);
    this.#half = undefined;
    const request = this.#requests.read(unread);
    if (request === "other") {
      this.#putBack(unread);
      this.#handOver();
    } else if (typeof request === "string") {
      this.#half = unread;
      if (request === "half a body") this.#begin();
    } else {
      if (unread.length > request.sizeBytes) this.#putBack(unread.subarray(request.sizeBytes));
      this.#begin();
      this.#hasHead = false;
      const exchange = new LaneExchange(this.#answering, request);
      this.#current = exchange;
      this.#needs.serve(exchange);
    }
  };

  #putBack(bytes: Buffer): void {
    this.#stream.pause();
    this.#stream.unshift(bytes);
  }

  /** From its head on a request is under way: nobody is hurried for the body. */
  #begin(): void {
    if (!this.#hasHead) this.#needs.connections.requestBegun(this.#stream);
    this.#hasHead = true;
  }

  #onDone = (): void => {
    this.#current = undefined;
    this.#needs.connections.requestDone(this.#stream);
    // Who does not read answers is asked for no more requests.
    if (this.#stream.writableNeedDrain) this.#stream.pause();
    else this.#goOn();
  };

  #goOn = (): void => {
    if (this.#current !== undefined) return;
    if (this.#hasEnded) this.#stream.end();
    else if (this.#stream.isPaused()) this.#needs.turns.take(this.#resume);
  };
  #resume = (): void => void this.#stream.resume();

  #onEnd = (): void => {
    this.#hasEnded = true;
    if (this.#half !== undefined) this.#stream.end(this.#hasHead ? "" : malformedRequestAnswer());
    else if (this.#current === undefined) this.#stream.end();
  };

  #onClose = (): void => this.#current?.closed();

  #handOver(): void {
    const stream = this.#stream;
    stream.off("data", this.#onData);
    stream.off("end", this.#onEnd);
    stream.off("close", this.#onClose);
    stream.off("drain", this.#goOn);
    this.#needs.handOver(stream);
    stream.resume();
  }
}
