/**
 * A stream of bytes as a call needs one, without a buffer in between: what arrives is pushed to its user, who says
 * when the peer may send more. Streams of a yamux session are such, and a whole connection can be made one.
 */
import type { Duplex } from "node:stream";

export interface StreamEvents {
  /** @param bytes good during this call only: copy what you keep, and `release` what you have done with */
  data(bytes: Uint8Array): void;
  /** The peer will send no more. */
  ended(): void;
  /** All that was written is on its way, after a `write` that said false. */
  drained(): void;
  /** Neither side sends any more: undefined after an orderly end. The last event. */
  closed(error: Error | undefined): void;
}

export interface ByteStream {
  /**
   * @param bytes are not to be changed afterwards
   * @returns false when some of it has to wait for the peer; `drained` tells when not any more
   */
  write(bytes: Uint8Array): boolean;
  /** So many bytes more of what `data` gave do not matter any more: the peer may send as many again. */
  release(bytes: number): void;
  /** Nothing more will be written. */
  end(): void;
  /** Gives up both directions. No event follows. */
  destroy(): void;
}

/** Unreleased bytes at which the connection is not read for a while. */
const HELD_MAX_BYTES = 262_144;

/** A connection that is one stream from end to end. */
export class WholeConnection implements ByteStream {
  readonly #stream: Duplex;
  #heldBytes = 0;
  #events: StreamEvents | undefined;

  constructor(stream: Duplex, events: StreamEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on("data", (chunk: Uint8Array) => this.#data(chunk));
    stream.on("end", () => this.#events?.ended());
    stream.on("drain", () => this.#events?.drained());
    stream.on("close", () => {
      this.#events?.closed(stream.errored ?? undefined);
      this.#events = undefined;
    });
  }

  write(bytes: Uint8Array): boolean {
    return this.#stream.destroyed || this.#stream.write(bytes);
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
    if (this.#heldBytes <= HELD_MAX_BYTES / 2 && this.#stream.isPaused()) this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#events = undefined;
    this.#stream.destroy();
  }

  #data(chunk: Uint8Array): void {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= HELD_MAX_BYTES) this.#stream.pause();
    this.#events?.data(chunk);
  }
}
