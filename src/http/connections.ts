/**
 * The clients' connections: how many each may have, how long one may take to say what it wants, and how all of them
 * end. Node's own limits run only for servers that listen by themselves, and ours is handed its streams.
 */
import type { Duplex } from "node:stream";
import type { Clock, Instant, IpAddress } from "../platform/index.ts";

/** A connection that has begun a request must have sent its head after this long. */
const SLOW_HEAD_MS = 60_000;
const SWEEP_EVERY_MS = 10_000;
/** How long closing waits for answers under way. */
const DRAIN_MS = 1000;

interface Connection {
  readonly stream: Duplex;
  readonly peer: IpAddress;
  /** Requests begun and not answered yet; more than one when the client pipelines. */
  inFlight: number;
  /** Its request waits for a change: nothing is lost when it is cut. */
  isHeld: boolean;
  /** The client will send no more. */
  hasEnded: boolean;
  /** Bytes taken when the last request was complete: more than that now is a request begun. */
  bytesAtRest: number;
  /** When a sweep first saw a request begun. */
  beganAt: Instant | undefined;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly maxPerClient: () => number;
}

export class Connections implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #maxPerClient: () => number;
  readonly #connections = new Map<Duplex, Connection>();
  readonly #perClient = new Map<string, number>();
  #sweep: Disposable | undefined;
  #isClosing = false;
  #drained: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#clock = options.clock;
    this.#maxPerClient = options.maxPerClient;
  }

  /** @returns false for a stream that was closed at once: its client has as many as it may, or we are closing */
  admit(stream: Duplex, peer: IpAddress): boolean {
    const count = this.#perClient.get(peer.host) ?? 0;
    const max = this.#maxPerClient();
    if (this.#isClosing || (max > 0 && count >= max)) {
      stream.destroy();
      return false;
    }
    this.#perClient.set(peer.host, count + 1);
    const connection: Connection = {
      stream,
      peer,
      inFlight: 0,
      isHeld: false,
      hasEnded: false,
      bytesAtRest: 0,
      beganAt: undefined,
    };
    this.#connections.set(stream, connection);
    // Who sends no more still wants the answers to what it sent, but does not wait for a change.
    stream.allowHalfOpen = true;
    stream.once("end", () => {
      connection.hasEnded = true;
      if (connection.isHeld) stream.destroy();
    });
    stream.once("close", () => this.#forget(stream, peer));
    this.#sweep ??= this.#clock.after(SWEEP_EVERY_MS, () => this.#closeSlow());
    return true;
  }

  peerOf(stream: Duplex): IpAddress | undefined {
    return this.#connections.get(stream)?.peer;
  }

  /** No request of it is being answered. */
  isIdle(stream: Duplex): boolean {
    return (this.#connections.get(stream)?.inFlight ?? 0) === 0;
  }

  /** @returns how many of its requests are being answered now, with this one */
  requestBegun(stream: Duplex): number {
    const connection = this.#connections.get(stream);
    if (connection === undefined) return 0;
    connection.inFlight++;
    connection.beganAt = undefined;
    return connection.inFlight;
  }

  hold(stream: Duplex): void {
    const connection = this.#connections.get(stream);
    if (connection === undefined) return;
    connection.isHeld = true;
    if (this.#isClosing || connection.hasEnded) stream.destroy();
  }

  requestDone(stream: Duplex): void {
    const connection = this.#connections.get(stream);
    if (connection === undefined) return;
    connection.inFlight--;
    connection.isHeld = false;
    connection.bytesAtRest = bytesTaken(stream);
    if (this.#isClosing && connection.inFlight === 0) stream.end();
  }

  /** Idle connections and held queries close at once, the others when they are answered or after a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    this.#sweep?.[Symbol.dispose]();
    for (const { stream, inFlight, isHeld } of this.#connections.values()) {
      if (inFlight === 0 || isHeld) stream.destroy();
    }
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const deadline = this.#clock.after(DRAIN_MS, resolve);
      this.#drained = () => {
        deadline[Symbol.dispose]();
        resolve();
      };
    });
    for (const { stream } of this.#connections.values()) stream.destroy();
  }

  #forget(stream: Duplex, peer: IpAddress): void {
    this.#connections.delete(stream);
    const left = (this.#perClient.get(peer.host) ?? 1) - 1;
    if (left === 0) this.#perClient.delete(peer.host);
    else this.#perClient.set(peer.host, left);
    if (this.#connections.size > 0) return;
    this.#drained?.();
    this.#sweep?.[Symbol.dispose]();
    this.#sweep = undefined;
  }

  #closeSlow(): void {
    const now = this.#clock.now();
    for (const connection of this.#connections.values()) {
      const { inFlight, stream, bytesAtRest } = connection;
      // A paused one waits for us, or does not read its answers.
      if (inFlight > 0 || stream.isPaused() || bytesTaken(stream) === bytesAtRest) {
        connection.beganAt = undefined;
      } else if (connection.beganAt === undefined) {
        connection.beganAt = now;
      } else if (now - connection.beganAt >= SLOW_HEAD_MS) {
        stream.destroy();
      }
    }
    this.#sweep = this.#clock.after(SWEEP_EVERY_MS, () => this.#closeSlow());
  }
}

/**
 * Bytes that came and do not wait in the stream. Sockets count; a stream that does not is never seen to begin a
 * request.
 */
function bytesTaken(stream: Duplex): number {
  if (!("bytesRead" in stream) || typeof stream.bytesRead !== "number") return 0;
  return stream.bytesRead - stream.readableLength;
}
