/** The asking side of a stream: one call at a time. */
import { RollcallError } from "../errors/index.ts";
import {
  rpcResponseReader,
  type MsgpackReader,
  type RpcMessage,
  type RpcResponseHeader,
} from "../wire/index.ts";
import type { ByteStream, StreamEvents } from "./byte-stream.ts";
import { CallFailure, errorOfText, unknownOutcome } from "./failure.ts";

interface Waiting {
  readonly seq: bigint;
  readonly answered: (message: RpcMessage<RpcResponseHeader>) => void;
  readonly failed: (error: unknown) => void;
}

export class CallStream implements StreamEvents {
  readonly #stream: ByteStream;
  readonly #lost: (stream: CallStream) => void;
  readonly #reader = rpcResponseReader();
  #waiting: Waiting | undefined;
  #isLost = false;

  /**
   * @param lost the stream is of no use any more
   * @throws {RollcallError} `net/dial` when no stream can be opened
   */
  constructor(
    session: { open(events: StreamEvents): ByteStream },
    lost: (stream: CallStream) => void,
  ) {
    this.#lost = lost;
    this.#stream = session.open(this);
  }

  /**
   * Where it throws the stream is gone.
   *
   * @param request is not to be changed afterwards
   * @throws {RollcallError} what the server answered; `CallFailure`; the signal's reason
   */
  call<T>(
    seq: bigint,
    request: Uint8Array,
    signal: AbortSignal,
    read: (from: MsgpackReader) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting = undefined;
        signal.removeEventListener("abort", abort);
      };
      const failed = (error: unknown): void => {
        settle();
        this.destroy();
        reject(error);
      };
      const abort = (): void => failed(abandoned(signal.reason));
      const answered = ({ header, body }: RpcMessage<RpcResponseHeader>): void => {
        if (header.Error !== "") {
          settle();
          this.end();
          reject(errorOfText(header.Error));
          return;
        }
        try {
          resolve(read(body));
          settle();
        } catch (error) {
          failed(unknownOutcome(error));
        }
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting = { seq, answered, failed };
      this.#stream.write(request);
    });
  }

  /** Another call may be made. */
  get isUsable(): boolean {
    return !this.#isLost;
  }

  /** Is answered by the peer's end, after which nothing more may be said. */
  end(): void {
    this.#stream.end();
    this.#isLost = true;
    this.#lost(this);
  }

  destroy(): void {
    this.#stream.destroy();
    this.#isLost = true;
    this.#lost(this);
  }

  data(bytes: Uint8Array): void {
    try {
      this.#reader.add(bytes);
      this.#stream.release(bytes.length);
      for (
        let message = this.#reader.take();
        message !== undefined;
        message = this.#reader.take()
      ) {
        if (this.#waiting === undefined || message.header.Seq !== this.#waiting.seq) {
          throw new RollcallError("wire/malformed", "a reply that nobody waits for");
        }
        this.#waiting.answered(message);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  ended(): void {
    if (this.#waiting === undefined) this.end();
    else this.#fail(new RollcallError("net/dial", "EOF"));
  }

  /** A request that waits for the peer's window needs nothing done. */
  drained(): void {
    return undefined;
  }

  closed(error: Error | undefined): void {
    this.#fail(error ?? new RollcallError("net/dial", "stream closed"));
  }

  #fail(error: unknown): void {
    if (this.#waiting === undefined) this.destroy();
    else this.#waiting.failed(unknownOutcome(error));
  }
}

function abandoned(reason: unknown): unknown {
  return reason instanceof CallFailure ? unknownOutcome(reason) : reason;
}
