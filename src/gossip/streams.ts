/**
 * Exchanges over TCP: one message there and, for most, one back, each with a deadline (memberlist: net.go).
 * What they say is up to the caller; here they are opened, answered and closed.
 */
import type { Duplex } from "node:stream";
import { messageOf, RollcallError } from "../errors/index.ts";
import { addressText } from "./join-address.ts";
import type { Clock, IpAddress, Logger, Meter, Network } from "../platform/index.ts";
import { encodeStreamMessage, wrapStream, type StreamMessage } from "../wire/index.ts";
import { deadlineSignal, type DeadlineSignal } from "./deadline-signal.ts";
import type { Sealer } from "./sealing.ts";
import { readMessage } from "./stream-reading.ts";

/** More incoming streams than this are closed unheard. Memberlist's limit is for state exchanges alone. */
const INCOMING_MAX = 128;

export interface StreamsOptions {
  readonly clock: Clock;
  readonly network: Network;
  readonly sealer: Sealer;
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly meter: Meter;
  /** @returns what to answer, and what to do once that is on its way; undefined to close without a word */
  readonly onMessage: (message: StreamMessage) => Reaction | undefined;
}
export interface Reaction {
  readonly reply?: StreamMessage;
  readonly afterwards?: () => void;
}

export class Streams {
  readonly #options: StreamsOptions;
  /** Of what is underway, in and out. */
  readonly #deadlines = new Set<DeadlineSignal>();
  #isClosed = false;
  #incomingCount = 0;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Ends what is underway. */
  close(): void {
    this.#isClosed = true;
    for (const deadline of this.#deadlines) deadline.abort(stopped());
  }

  /** Sends, and reads the answer. @throws {RollcallError} `net/dial`, `wire/malformed`, or the signal's reason */
  async exchange(
    to: IpAddress,
    message: StreamMessage,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
  ): Promise<StreamMessage> {
    return this.#connected(to, options, async (stream, signal) => {
      stream.write(this.#wrapped(message));
      const reply = await readMessage(stream, this.#options.sealer.opening(), signal);
      if (reply.kind === "err")
        throw new RollcallError("net/dial", `remote error: ${reply.body.Error}`);
      return reply;
    });
  }

  /** Sends, and resolves once that has been handed to the system. @throws as `exchange` */
  async send(
    to: IpAddress,
    message: StreamMessage,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.#connected(to, options, (stream, signal) =>
      ended(stream, this.#wrapped(message), signal),
    );
  }

  /** Serves one incoming stream. */
  async accept(stream: Duplex, from: IpAddress): Promise<void> {
    const { logger, meter, timeoutMs } = this.#options;
    meter.count("memberlist.tcp.accept");
    if (this.#incomingCount >= INCOMING_MAX || this.#isClosed) {
      stream.destroy();
      return;
    }
    this.#incomingCount += 1;
    using deadline = this.#deadline(timeoutMs);
    try {
      await this.#serve(stream, deadline.signal);
    } catch (error) {
      if (!(error instanceof RollcallError) && !isStreamError(error)) throw error;
      logger.debug(`memberlist: a stream failed: ${messageOf(error)}`, { from: addressText(from) });
    } finally {
      this.#incomingCount -= 1;
      stream.destroy();
    }
  }

  async #serve(stream: Duplex, signal: AbortSignal): Promise<void> {
    const { sealer, onMessage } = this.#options;
    let message: StreamMessage;
    try {
      message = await readMessage(stream, sealer.opening(), signal);
    } catch (error) {
      if (error instanceof RollcallError && error.code === "wire/malformed") {
        // So that somebody with another key, or without one, can say why they cannot join.
        await ended(stream, this.#wrapped({ kind: "err", body: { Error: error.message } }), signal);
      }
      throw error;
    }
    const reaction = onMessage(message);
    if (reaction?.reply !== undefined) await ended(stream, this.#wrapped(reaction.reply), signal);
    reaction?.afterwards?.();
  }

  async #connected<T>(
    to: IpAddress,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
    work: (stream: Duplex, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { network, meter, timeoutMs } = this.#options;
    if (this.#isClosed) throw stopped();
    using deadline = this.#deadline(options.timeoutMs ?? timeoutMs, options.signal);
    meter.count("memberlist.tcp.connect");
    const stream = await network.connect(to, { signal: deadline.signal });
    try {
      return await work(stream, deadline.signal);
    } finally {
      stream.destroy();
    }
  }

  #deadline(afterMs: number, other?: AbortSignal): DeadlineSignal {
    const deadline = deadlineSignal(this.#options.clock, afterMs, other);
    const deadlines = this.#deadlines;
    deadlines.add(deadline);
    return {
      ...deadline,
      [Symbol.dispose]: () => {
        deadlines.delete(deadline);
        deadline[Symbol.dispose]();
      },
    };
  }

  #wrapped(message: StreamMessage): Uint8Array {
    const encoded = encodeStreamMessage(message);
    const wrapped = wrapStream(encoded, this.#options.sealer.wrapping(encoded.length));
    this.#options.meter.count("memberlist.tcp.sent", wrapped.length);
    return wrapped;
  }
}

function stopped(): RollcallError {
  return new RollcallError("request/aborted", "the node has stopped");
}

/** Writes the last bytes, and resolves once the other side can have them. */
function ended(stream: Duplex, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    const onClose = (): void => {
      signal.removeEventListener("abort", onAbort);
      if (stream.writableFinished) resolve();
      else reject(new RollcallError("net/dial", "EOF"));
    };
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener("abort", onAbort);
    stream.once("finish", onClose);
    stream.once("close", onClose);
    stream.end(bytes);
  });
}

/** What a socket fails with. */
function isStreamError(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
