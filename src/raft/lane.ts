/**
 * One connection to one server, on which requests are written without waiting and answered in their order. It is
 * opened when it is needed and closed by the first thing that goes wrong, which fails everything on it: what
 * was answered and what not cannot be told apart any more.
 */
import type { Duplex } from "node:stream";
import { RollcallError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import {
  encodeRaftRequest,
  RaftResponseDecoder,
  type RaftRequest,
  type RaftResponse,
} from "../wire/index.ts";

/** What stands before raft on a port that it shares. */
const RAFT_BYTE = Uint8Array.of(1);
/** Without an answer; hashicorp/raft keeps so many under way. */
const WAITING_MAX = 128;

export interface LaneOptions {
  readonly clock: Clock;
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
}

interface Waiting {
  readonly deadline: number;
  readonly resolve: (response: RaftResponse) => void;
  readonly reject: (error: Error) => void;
}

export class Lane implements Disposable {
  readonly #options: LaneOptions;
  #open: OpenLane | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** @throws {RollcallError} `net/dial` when there is no connection, or none any more, or no answer in time */
  send(request: RaftRequest, timeoutMs: number): Promise<RaftResponse> {
    if (this.#open === undefined || this.#open.isClosed) this.#open = new OpenLane(this.#options);
    return this.#open.send(request, timeoutMs);
  }

  /** As `send`, with more bytes after the request, given as fast as they are taken. */
  async sendWith(
    request: RaftRequest,
    body: AsyncIterable<Uint8Array>,
    timeoutMs: number,
  ): Promise<RaftResponse> {
    this.#open = new OpenLane(this.#options);
    const answer = this.#open.send(request, timeoutMs);
    // Looked at below; until then it may fail unwatched.
    answer.catch(() => undefined);
    try {
      await this.#open.write(body);
    } catch (error) {
      this.#open.close(error as Error);
    }
    return answer;
  }

  [Symbol.dispose](): void {
    this.#open?.close(new RollcallError("net/dial", "the transport is closed"));
  }
}

class OpenLane {
  readonly #clock: Clock;
  readonly #decoder = new RaftResponseDecoder();
  readonly #waiting: Waiting[] = [];
  readonly #closing = new AbortController();
  readonly #connected: Promise<Duplex>;
  #stream: Duplex | undefined;
  #unsent: Uint8Array[] = [RAFT_BYTE];
  #timer: Disposable | undefined;

  constructor({ clock, dial }: LaneOptions) {
    this.#clock = clock;
    this.#connected = dial(this.#closing.signal);
    this.#connected.then(
      (stream) => this.#opened(stream),
      (error: unknown) => this.close(error as Error),
    );
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  send(request: RaftRequest, timeoutMs: number): Promise<RaftResponse> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= WAITING_MAX) {
        reject(new RollcallError("net/dial", "too many requests without an answer"));
        return;
      }
      this.#decoder.expect(request.kind);
      this.#waiting.push({ deadline: this.#clock.now() + timeoutMs, resolve, reject });
      this.#watch();
      const bytes = encodeRaftRequest(request);
      if (this.#stream === undefined) this.#unsent.push(bytes);
      else this.#stream.write(bytes);
    });
  }

  async write(body: AsyncIterable<Uint8Array>): Promise<void> {
    const stream = await this.#connected;
    for await (const bytes of body) {
      if (this.isClosed) return;
      if (!stream.write(bytes)) await drained(stream);
    }
  }

  close(error: Error): void {
    if (this.isClosed) return;
    this.#closing.abort(error);
    this.#timer?.[Symbol.dispose]();
    this.#stream?.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #opened(stream: Duplex): void {
    if (this.isClosed) {
      stream.destroy();
      return;
    }
    this.#stream = stream;
    stream.on("data", (chunk: Uint8Array) => this.#read(chunk));
    stream.on("close", () =>
      this.close(new RollcallError("net/dial", "the connection was closed")),
    );
    for (const bytes of this.#unsent) stream.write(bytes);
    this.#unsent = [];
  }

  #read(chunk: Uint8Array): void {
    try {
      for (const response of this.#decoder.read(chunk)) this.#waiting.shift()?.resolve(response);
    } catch (error) {
      this.close(error as Error);
    }
  }

  /** One timer, for whichever has waited longest. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#timer = this.#clock.after(first.deadline - this.#clock.now(), () => {
      this.#timer = undefined;
      const [oldest] = this.#waiting;
      if (oldest !== undefined && oldest.deadline <= this.#clock.now()) {
        this.close(new RollcallError("net/dial", "no answer in time"));
      } else {
        this.#watch();
      }
    });
  }
}

/** Or closed: whoever writes finds out. */
function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    if (stream.destroyed) done();
  });
}
