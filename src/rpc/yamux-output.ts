/**
 * What a session has to write: the frames of a turn of the event loop go out in one write, in as few pieces as may be.
 *
 * Bounds: data waits in its streams while more than `OUT_BYTES_MAX` are on their way to the connection, and whoever
 * reads from the connection is to stop where control frames pile up (`isFull`). A connection that takes nothing for
 * `WRITE_TIMEOUT_MS` is given up.
 */
import type { Duplex } from "node:stream";
import { RollcallError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import { encodeYamuxHeader, YAMUX_HEADER_BYTES, type YamuxHeader } from "../wire/index.ts";
import type { YamuxStream } from "./yamux-stream.ts";

const OUT_BYTES_MAX = 262_144;
const OUT_FRAMES_MAX = 4096;
/** Longer payloads are handed to the connection as they are, shorter ones are copied together. */
const COPIED_BYTES_MAX = 16_384;
const WRITE_TIMEOUT_MS = 10_000;

interface Frame {
  readonly header: YamuxHeader;
  readonly payload: Uint8Array | undefined;
}

interface OutputOptions {
  readonly clock: Clock;
  /** Stands before the first frame. */
  readonly preface: Uint8Array | undefined;
  /** All that there was is on its way. */
  readonly idle: () => void;
  readonly failed: (error: Error) => void;
}

export class YamuxOutput {
  readonly #connection: Duplex;
  readonly #options: OutputOptions;
  #frames: Frame[] = [];
  #outBytes = 0;
  #preface: Uint8Array | undefined;
  #flush: Disposable | undefined;
  /** Set while the connection takes no more. */
  #writeTimeout: Disposable | undefined;
  readonly #waiting = new Set<YamuxStream>();
  #isClosed = false;

  constructor(connection: Duplex, options: OutputOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#preface = options.preface;
    connection.on("drain", () => this.#drained());
  }

  /** Nothing but control frames may be sent while there is none. */
  get hasRoom(): boolean {
    return this.#writeTimeout === undefined && this.#outBytes < OUT_BYTES_MAX;
  }

  get isFull(): boolean {
    return this.#frames.length > OUT_FRAMES_MAX;
  }

  /** Has the stream's `pump` called when there is room again. */
  waitForRoom(stream: YamuxStream): void {
    this.#waiting.add(stream);
  }

  forget(stream: YamuxStream): void {
    this.#waiting.delete(stream);
  }

  send(header: YamuxHeader, payload?: Uint8Array): void {
    if (this.#isClosed) return;
    this.#frames.push({ header, payload });
    this.#outBytes += YAMUX_HEADER_BYTES + (payload?.length ?? 0);
    if (this.#writeTimeout !== undefined) return;
    this.#flush ??= this.#options.clock.after(0, () => {
      this.#flush = undefined;
      this.#flushNow();
    });
  }

  /** What waits is sent if it can be at once, so that the peer learns why. */
  close(): void {
    if (this.#writeTimeout === undefined) this.#flushNow();
    this.#isClosed = true;
    this.#flush?.[Symbol.dispose]();
    this.#writeTimeout?.[Symbol.dispose]();
    this.#frames = [];
  }

  #flushNow(): void {
    const pieces = this.#takeOut();
    if (pieces.length === 0 || this.#connection.destroyed) return;
    this.#connection.cork();
    let isRoomy = true;
    for (const piece of pieces) isRoomy = this.#connection.write(piece);
    this.#connection.uncork();
    if (isRoomy) {
      this.#goOn();
    } else {
      this.#writeTimeout ??= this.#options.clock.after(WRITE_TIMEOUT_MS, () =>
        this.#options.failed(new RollcallError("net/dial", "connection write timeout")),
      );
    }
  }

  #drained(): void {
    this.#writeTimeout?.[Symbol.dispose]();
    this.#writeTimeout = undefined;
    if (this.#isClosed) return;
    if (this.#frames.length > 0) this.#flushNow();
    else this.#goOn();
  }

  #goOn(): void {
    this.#options.idle();
    // Those that fill the room up wait again, behind the others.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const stream of waiting) stream.pump();
  }

  /** Everything that waits, in as few pieces as may be. */
  #takeOut(): Uint8Array[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#outBytes = 0;
    const pieces: Uint8Array[] = [];
    if (this.#preface !== undefined) pieces.push(this.#preface);
    this.#preface = undefined;
    let begun = 0;
    while (begun < frames.length) {
      let end = begun;
      let sizeBytes = 0;
      let long: Uint8Array | undefined;
      while (end < frames.length && long === undefined) {
        const payload = frames[end]?.payload;
        sizeBytes += YAMUX_HEADER_BYTES;
        if (payload !== undefined && payload.length > COPIED_BYTES_MAX) long = payload;
        else sizeBytes += payload?.length ?? 0;
        end += 1;
      }
      pieces.push(copiedTogether(frames, begun, end, sizeBytes));
      if (long !== undefined) pieces.push(long);
      begun = end;
    }
    return pieces;
  }
}

/** Headers with their payloads, but for those that are too long. */
function copiedTogether(
  frames: readonly Frame[],
  begun: number,
  end: number,
  sizeBytes: number,
): Uint8Array {
  const piece = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  for (let i = begun; i < end; i += 1) {
    const frame = frames[i];
    if (frame === undefined) break;
    encodeYamuxHeader(frame.header, piece, at);
    at += YAMUX_HEADER_BYTES;
    const { payload } = frame;
    if (payload === undefined || payload.length > COPIED_BYTES_MAX) continue;
    piece.set(payload, at);
    at += payload.length;
  }
  return piece;
}
