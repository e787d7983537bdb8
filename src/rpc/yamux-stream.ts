/**
 * One stream of a session: its two windows, and what waits to be sent. What the peer sent is not kept here: it is
 * handed on at once, and the peer may send more as it is released.
 */
import { YAMUX_FLAG, YAMUX_TYPE, YAMUX_WINDOW_BYTES } from "../wire/index.ts";
import type { ByteStream, StreamEvents } from "./byte-stream.ts";

/** A frame of data is no longer, so that other streams' frames come in between. */
const FRAME_BYTES_MAX = 65_536;
/** The peer is told of new room when there is so much of it. */
const UPDATE_FROM_BYTES = YAMUX_WINDOW_BYTES / 2;

/** What a stream needs of its session. */
export interface FrameSender {
  send(type: number, flags: number, streamId: number, length: number, payload?: Uint8Array): void;
  /** false: send nothing but control frames until asked to `pump`. */
  hasRoom(): boolean;
  /** Has `pump` called when there is room again. */
  waitForRoom(stream: YamuxStream): void;
  forget(stream: YamuxStream): void;
}

export class YamuxStream implements ByteStream {
  /** 0 until the session opens it. */
  id = 0;
  /** The peer has taken the stream on. */
  isAcknowledged: boolean;
  readonly #session: FrameSender;
  #events: StreamEvents | undefined;
  #sendWindow = YAMUX_WINDOW_BYTES;
  /** What the peer may send yet, and what it has sent that is not released. */
  #receiveWindow = YAMUX_WINDOW_BYTES;
  #heldBytes = 0;
  #queue: Uint8Array[] = [];
  #isHeldUp = false;
  #isEnding = false;
  #hasEnded = false;
  #peerHasEnded = false;

  constructor(session: FrameSender, options: { readonly openedBy: "us" | "peer" }) {
    this.#session = session;
    this.isAcknowledged = options.openedBy === "peer";
  }

  /** To be called once, before anything arrives. */
  listen(events: StreamEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnding || this.#events === undefined) return true;
    if (bytes.length > 0) this.#queue.push(bytes);
    this.pump();
    this.#isHeldUp = this.#queue.length > 0;
    return !this.#isHeldUp;
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
    const room = YAMUX_WINDOW_BYTES - this.#heldBytes - this.#receiveWindow;
    if (room < UPDATE_FROM_BYTES || this.#peerHasEnded || this.#events === undefined) return;
    this.#receiveWindow += room;
    this.#session.send(YAMUX_TYPE.windowUpdate, 0, this.id, room);
  }

  end(): void {
    this.#isEnding = true;
    this.pump();
  }

  destroy(): void {
    if (this.#events === undefined) return;
    this.#forget();
    if (this.id > 0) this.#session.send(YAMUX_TYPE.windowUpdate, YAMUX_FLAG.rst, this.id, 0);
  }

  /** Sends what the windows and the connection let. */
  pump(): void {
    if (this.id === 0 || this.#events === undefined) return;
    while (this.#queue.length > 0 && this.#sendWindow > 0) {
      if (!this.#session.hasRoom()) {
        this.#session.waitForRoom(this);
        return;
      }
      this.#sendFrame();
    }
    if (this.#queue.length > 0) return;
    if (this.#isEnding) this.#sendEnd();
    if (!this.#isHeldUp) return;
    this.#isHeldUp = false;
    this.#events?.drained();
  }

  #sendFrame(): void {
    const [first = new Uint8Array(), ...rest] = this.#queue;
    const most = Math.min(this.#sendWindow, FRAME_BYTES_MAX);
    const payload = first.length <= most ? first : first.subarray(0, most);
    if (payload === first) this.#queue = rest;
    else this.#queue[0] = first.subarray(most);
    this.#sendWindow -= payload.length;
    this.#session.send(YAMUX_TYPE.data, 0, this.id, payload.length, payload);
  }

  #sendEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#session.send(YAMUX_TYPE.windowUpdate, YAMUX_FLAG.fin, this.id, 0);
    this.#closeIfDone();
  }

  /** @returns false for more than was allowed */
  announce(bytes: number): boolean {
    if (bytes > this.#receiveWindow) return false;
    this.#receiveWindow -= bytes;
    this.#heldBytes += bytes;
    return true;
  }

  receive(bytes: Uint8Array): void {
    this.#events?.data(bytes);
  }

  peerAllows(bytes: number): void {
    this.#sendWindow += bytes;
    this.pump();
  }

  peerEnds(): void {
    if (this.#peerHasEnded) return;
    this.#peerHasEnded = true;
    this.#events?.ended();
    this.#closeIfDone();
  }

  /** The stream is gone, by the peer's will or with the session. */
  fail(error: Error): void {
    this.#forget()?.closed(error);
  }

  #closeIfDone(): void {
    if (this.#hasEnded && this.#peerHasEnded) this.#forget()?.closed(undefined);
  }

  #forget(): StreamEvents | undefined {
    const events = this.#events;
    this.#events = undefined;
    this.#queue = [];
    this.#session.forget(this);
    return events;
  }
}
