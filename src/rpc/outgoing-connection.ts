/** A connection to one server, from the moment somebody needs it, and the streams on it. */
import type { Duplex } from "node:stream";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import { MsgpackWriter, writeRpcRequestHeader } from "../wire/index.ts";
import { CallStream } from "./call-stream.ts";
import type { ArgsOf, Asked, ReplyOf } from "./exchange.ts";
import { EXCHANGES } from "./exchanges.ts";
import { isUnanswered, isUnknownMethod, notSent, TimedOut } from "./failure.ts";
import { FIRST_BYTE } from "./first-byte.ts";
import type { CallOptions, RemoteMethodName } from "./remote-methods.ts";
import { YamuxSession } from "./yamux-session.ts";

const DIAL_TIMEOUT_MS = 10_000;
const IDLE_STREAMS_MAX = 64;
const IDLE_CONNECTION_MS = 120_000;
const PREFACE = Uint8Array.of(FIRST_BYTE.multiplexed);

interface OutgoingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly datacenter: string;
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** It is of no use any more. */
  readonly closed: () => void;
}

export class OutgoingConnection implements Disposable {
  readonly #options: OutgoingOptions;
  readonly #closing = new AbortController();
  readonly #opened: Promise<YamuxSession>;
  #session: YamuxSession | undefined;
  /** Used last is last. */
  readonly #idle: CallStream[] = [];
  #calls = 0;
  #idleTimer: Disposable | undefined;
  #seq = 0n;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#opened = this.#open();
    // Whoever calls finds out.
    this.#opened.catch(() => this[Symbol.dispose]());
  }

  /** Connected, and used before. */
  get isOpen(): boolean {
    return this.#session !== undefined;
  }

  /** Or about to be. */
  get isUsable(): boolean {
    return !this.#closing.signal.aborted && (this.#session?.canOpen ?? true);
  }

  async call<M extends RemoteMethodName>(
    method: M,
    args: ArgsOf<M>,
    options: CallOptions,
  ): Promise<ReplyOf<M>> {
    this.#idleTimer?.[Symbol.dispose]();
    this.#calls += 1;
    try {
      using limited = new Limited(this.#options.clock, options);
      const asked: Asked<ArgsOf<M>, ReplyOf<M>> = EXCHANGES[method];
      return await this.#ask(asked, args, limited.signal);
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0) this.#idleSoon();
    }
  }

  [Symbol.dispose](): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new RollcallError("net/dial", "session shutdown"));
    this.#idleTimer?.[Symbol.dispose]();
    this.#session?.[Symbol.dispose]();
    this.#options.closed();
  }

  async #open(): Promise<YamuxSession> {
    const { clock, dial, logger } = this.#options;
    const { signal } = this.#closing;
    const dialing = new AbortController();
    const abort = (): void => dialing.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    using _timeout = clock.after(DIAL_TIMEOUT_MS, () =>
      dialing.abort(new RollcallError("net/dial", "i/o timeout")),
    );
    const connection = await dial(dialing.signal).finally(() =>
      signal.removeEventListener("abort", abort),
    );
    if (signal.aborted) {
      connection.destroy();
      throw signal.reason;
    }
    this.#session = new YamuxSession(connection, {
      clock,
      role: "dialer",
      preface: PREFACE,
      closed: (error) => {
        if (error !== undefined) logger.debug("a connection ends", { error: messageOf(error) });
        this[Symbol.dispose]();
      },
    });
    return this.#session;
  }

  async #ask<A, R>(asked: Asked<A, R>, args: A, signal: AbortSignal): Promise<R> {
    try {
      return await this.#call(asked, args, signal);
    } catch (error) {
      if (asked.instead === undefined || !isUnknownMethod(error)) throw error;
      return await asked.instead((other, its) => this.#call(other, its, signal), args);
    }
  }

  async #call<A, R>(asked: Asked<A, R>, args: A, signal: AbortSignal): Promise<R> {
    const session = this.#session ?? (await this.#connected(signal));
    this.#seq += 1n;
    const writer = new MsgpackWriter();
    writeRpcRequestHeader(writer, { Seq: this.#seq, ServiceMethod: asked.nameFor(args) });
    asked.writeArgs(writer, args, this.#options.datacenter);
    const stream = this.#idle.pop() ?? this.#newStream(session);
    const reply = await stream.call(this.#seq, writer.finish(), signal, (from) =>
      asked.readReply(from, args),
    );
    // The peer may have ended it right after its reply.
    if (!stream.isUsable) return reply;
    if (this.#idle.length < IDLE_STREAMS_MAX) this.#idle.push(stream);
    else stream.end();
    return reply;
  }

  #newStream(session: YamuxSession): CallStream {
    try {
      return new CallStream(session, (stream) => {
        const at = this.#idle.indexOf(stream);
        if (at >= 0) this.#idle.splice(at, 1);
      });
    } catch (error) {
      throw notSent(error);
    }
  }

  /** Who does not want to wait any longer leaves it to the others. */
  #connected(signal: AbortSignal): Promise<YamuxSession> {
    return new Promise((resolve, reject) => {
      const gaveUp = (): void => reject(givenUp(signal));
      signal.addEventListener("abort", gaveUp, { once: true });
      this.#opened
        .then(resolve, (error: unknown) => reject(notSent(error)))
        .finally(() => signal.removeEventListener("abort", gaveUp));
    });
  }

  #idleSoon(): void {
    if (this.#closing.signal.aborted) return;
    this.#idleTimer = this.#options.clock.after(IDLE_CONNECTION_MS, () => this[Symbol.dispose]());
  }
}

/** Time that ran out before anything was sent is a failure like others; a caller's own reason is its own. */
function givenUp(signal: AbortSignal): unknown {
  return isUnanswered(signal.reason) === undefined ? signal.reason : notSent(signal.reason);
}

/** The caller's signal and its time in one. */
class Limited implements Disposable {
  readonly #own = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timer: Disposable | undefined;

  constructor(clock: Clock, { signal, timeoutMs }: CallOptions) {
    this.#outer = signal;
    if (signal?.aborted === true) this.#own.abort(signal.reason);
    signal?.addEventListener("abort", this.#abort, { once: true });
    this.#timer =
      timeoutMs === undefined
        ? undefined
        : clock.after(timeoutMs, () => this.#own.abort(new TimedOut()));
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#outer?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#own.abort(this.#outer?.reason);
}
