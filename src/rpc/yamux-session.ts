/**
 * A yamux session over a connection: opens streams, hands over those that the peer opens, and keeps both sides to
 * their windows (hashicorp/yamux, spec.md and session.go).
 *
 * Bounds: a stream holds nothing of what it receives (`ByteStream`), and what one may send is what its peer allows.
 * Where frames pile up because the peer does not read (yamux-output.ts), it is not read either. Streams are taken on as
 * they come, so that no backlog of them arises: beyond `STREAMS_MAX` they are refused.
 */
import type { Duplex } from "node:stream";
import { RollcallError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import {
  YAMUX_FLAG,
  YAMUX_GO_AWAY,
  YAMUX_TYPE,
  YamuxDecoder,
  type YamuxHeader,
} from "../wire/index.ts";
import type { ByteStream, StreamEvents } from "./byte-stream.ts";
import { YamuxOutput } from "./yamux-output.ts";
import { YamuxStream, type FrameSender } from "./yamux-stream.ts";

const STREAMS_MAX = 65_536;
/** Opened by us and not taken on by the peer yet; more wait their turn. */
const UNACKNOWLEDGED_MAX = 256;
const OPENING_MAX = 16_384;
const KEEPALIVE_EVERY_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const WINDOW_MAX_BYTES = 0xffff_ffff;

export interface YamuxOptions {
  readonly clock: Clock;
  /** Who dialed has the odd stream ids. */
  readonly role: "dialer" | "acceptor";
  /** Stands before the first frame. */
  readonly preface?: Uint8Array;
  /** Asked about each stream that the peer opens: who listens to it. Without, they are refused. */
  readonly accept?: (stream: ByteStream) => StreamEvents;
  /** The session is over, undefined: by our own will. All its streams have been told. */
  readonly closed?: (error: Error | undefined) => void;
}

export class YamuxSession implements Disposable {
  readonly #connection: Duplex;
  readonly #options: YamuxOptions;
  readonly #streams = new Map<number, YamuxStream>();
  /** To be opened once the peer has taken on others. */
  #opening: YamuxStream[] = [];
  #unacknowledged = 0;
  #nextId: number;
  readonly #output: YamuxOutput;
  readonly #sender: FrameSender;

  readonly #decoder = new YamuxDecoder();
  /** Whose payload is being read, and how much of it is to come. */
  #reading: YamuxStream | undefined;
  #readingLeft = 0;
  #readingEnds = false;

  #keepalive: Disposable;
  #pingId = 0;
  #isPingOpen = false;
  #peerGoesAway = false;
  #weGoAway = false;
  #isClosed = false;

  constructor(connection: Duplex, options: YamuxOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#nextId = options.role === "dialer" ? 1 : 2;
    const { clock, preface } = options;
    this.#output = new YamuxOutput(connection, {
      clock,
      preface,
      idle: () => {
        if (connection.isPaused()) connection.resume();
      },
      failed: (error) => this.#close(error),
    });
    this.#sender = {
      send: (type, flags, streamId, length, payload) =>
        this.#output.send({ type, flags, streamId, length }, payload),
      hasRoom: () => this.#output.hasRoom,
      waitForRoom: (stream) => this.#output.waitForRoom(stream),
      forget: (stream) => this.#forget(stream),
    };
    this.#keepalive = this.#keepaliveSoon();
    connection.on("data", (chunk: Uint8Array) => this.#read(chunk));
    connection.on("end", () => this.#close(new RollcallError("net/dial", "EOF")));
    connection.on("close", () =>
      this.#close(connection.errored ?? new RollcallError("net/dial", "EOF")),
    );
  }

  /** Neither over nor about to be. */
  get canOpen(): boolean {
    return !this.#isClosed && !this.#peerGoesAway && !this.#weGoAway;
  }

  get streamCount(): number {
    return this.#streams.size + this.#opening.length;
  }

  /** @throws {RollcallError} `net/dial` when no stream can be opened any more */
  open(events: StreamEvents): YamuxStream {
    if (this.#isClosed) throw new RollcallError("net/dial", "session shutdown");
    if (!this.canOpen)
      throw new RollcallError("net/dial", "remote end is not accepting connections");
    if (this.#opening.length >= OPENING_MAX || this.streamCount >= STREAMS_MAX) {
      throw new RollcallError("net/dial", "streams exhausted");
    }
    const stream = new YamuxStream(this.#sender, { openedBy: "us" });
    stream.listen(events);
    this.#opening.push(stream);
    this.#openNext();
    return stream;
  }

  /** Neither side opens any more streams; those that there are go on. */
  goAway(): void {
    if (this.#weGoAway) return;
    this.#weGoAway = true;
    this.#sendGoAway(YAMUX_GO_AWAY.normal);
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.goAway();
    this.#close(undefined);
  }

  #openNext(): void {
    while (this.#unacknowledged < UNACKNOWLEDGED_MAX) {
      const stream = this.#opening.shift();
      if (stream === undefined) return;
      stream.id = this.#nextId;
      this.#nextId += 2;
      this.#unacknowledged += 1;
      this.#streams.set(stream.id, stream);
      this.#sender.send(YAMUX_TYPE.windowUpdate, YAMUX_FLAG.syn, stream.id, 0);
      stream.pump();
    }
  }

  #forget(stream: YamuxStream): void {
    this.#output.forget(stream);
    if (stream.id === 0) {
      this.#opening = this.#opening.filter((other) => other !== stream);
      return;
    }
    this.#streams.delete(stream.id);
    if (!stream.isAcknowledged) this.#acknowledged(stream);
  }

  #acknowledged(stream: YamuxStream): void {
    if (stream.isAcknowledged) return;
    stream.isAcknowledged = true;
    this.#unacknowledged -= 1;
    if (!this.#isClosed) this.#openNext();
  }

  #read(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      this.#decoder.read(chunk, {
        header: (header) => this.#header(header),
        payload: (bytes) => this.#payload(bytes),
      });
    } catch (error) {
      this.#sendGoAway(YAMUX_GO_AWAY.protocolError);
      this.#close(error as Error);
      return;
    }
    if (this.#output.isFull) this.#connection.pause();
  }

  #header(header: YamuxHeader): void {
    switch (header.type) {
      case YAMUX_TYPE.ping:
        return this.#ping(header);
      case YAMUX_TYPE.goAway:
        return this.#goAway(header);
      default:
        return this.#streamFrame(header);
    }
  }

  #streamFrame({ type, flags, streamId, length }: YamuxHeader): void {
    if ((flags & YAMUX_FLAG.syn) !== 0) this.#incoming(streamId);
    const stream = this.#streams.get(streamId);
    this.#reading = undefined;
    // Of a stream that is gone something may still be on its way.
    if (stream === undefined) return;
    if ((flags & YAMUX_FLAG.ack) !== 0) this.#acknowledged(stream);
    if ((flags & YAMUX_FLAG.rst) !== 0) {
      stream.fail(new RollcallError("net/dial", "stream reset"));
      return;
    }
    const ends = (flags & YAMUX_FLAG.fin) !== 0;
    if (type === YAMUX_TYPE.windowUpdate) {
      stream.peerAllows(Math.min(length, WINDOW_MAX_BYTES));
    } else if (!stream.announce(length)) {
      throw new RollcallError("wire/malformed", "receive window exceeded");
    } else if (length > 0) {
      this.#reading = stream;
      this.#readingLeft = length;
      this.#readingEnds = ends;
      return;
    }
    if (ends) stream.peerEnds();
  }

  #payload(bytes: Uint8Array): void {
    const stream = this.#reading;
    if (stream === undefined) return;
    this.#readingLeft -= bytes.length;
    stream.receive(bytes);
    if (this.#readingLeft === 0 && this.#readingEnds) stream.peerEnds();
  }

  #incoming(streamId: number): void {
    const isOurs = streamId % 2 === (this.#options.role === "dialer" ? 1 : 0);
    if (isOurs || this.#streams.has(streamId)) {
      throw new RollcallError("wire/malformed", `duplicate stream ${streamId}`);
    }
    const { accept } = this.#options;
    if (accept === undefined || this.#weGoAway || this.#streams.size >= STREAMS_MAX) {
      this.#sender.send(YAMUX_TYPE.windowUpdate, YAMUX_FLAG.rst, streamId, 0);
      return;
    }
    const stream = new YamuxStream(this.#sender, { openedBy: "peer" });
    stream.id = streamId;
    this.#streams.set(streamId, stream);
    this.#sender.send(YAMUX_TYPE.windowUpdate, YAMUX_FLAG.ack, streamId, 0);
    stream.listen(accept(stream));
  }

  #ping({ flags, length }: YamuxHeader): void {
    if ((flags & YAMUX_FLAG.syn) !== 0) {
      this.#sender.send(YAMUX_TYPE.ping, YAMUX_FLAG.ack, 0, length);
    } else if (length === this.#pingId) {
      this.#isPingOpen = false;
    }
  }

  #goAway({ length }: YamuxHeader): void {
    this.#peerGoesAway = true;
    if (length === YAMUX_GO_AWAY.normal) return;
    const why = length === YAMUX_GO_AWAY.protocolError ? "protocol error" : "internal error";
    this.#close(new RollcallError("net/dial", `the peer goes away: ${why}`));
  }

  #keepaliveSoon(): Disposable {
    const { clock } = this.#options;
    return clock.after(KEEPALIVE_EVERY_MS, () => {
      this.#isPingOpen = true;
      this.#sender.send(YAMUX_TYPE.ping, YAMUX_FLAG.syn, 0, this.#pingId);
      this.#keepalive = clock.after(KEEPALIVE_TIMEOUT_MS, () => {
        if (this.#isPingOpen) {
          this.#close(new RollcallError("net/dial", "keepalive timeout"));
          return;
        }
        this.#pingId = (this.#pingId + 1) % WINDOW_MAX_BYTES;
        this.#keepalive = this.#keepaliveSoon();
      });
    });
  }

  #sendGoAway(code: number): void {
    this.#sender.send(YAMUX_TYPE.goAway, 0, 0, code);
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#output.close();
    this.#isClosed = true;
    this.#keepalive[Symbol.dispose]();
    this.#connection.destroy();
    const told = error ?? new RollcallError("net/dial", "session shutdown");
    for (const stream of [...this.#streams.values(), ...this.#opening]) stream.fail(told);
    this.#options.closed?.(error);
  }
}
