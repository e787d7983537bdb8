/**
 * The answering side of a stream: its calls, one after the other (Go's net/rpc). The next one is not looked at
 * before the reply to the last one is on its way, so that a stream holds one reply at most.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Logger } from "../platform/index.ts";
import {
  MsgpackWriter,
  rpcRequestReader,
  writeRpcResponseHeader,
  type RpcMessage,
  type RpcRequestHeader,
} from "../wire/index.ts";
import type { ByteStream, StreamEvents } from "./byte-stream.ts";
import { NOTHING, type Prepared, type Served } from "./exchange.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { CallServer } from "./remote-methods.ts";

/** What a stream without a call costs, roughly. */
const STREAM_BYTES = 2048;
/** An error without a text would be none. */
const NO_TEXT = "unknown error";

export interface Answering {
  readonly logger: Logger;
  readonly called: CallServer;
  /** @throws {RollcallError} for a name that nothing is behind */
  readonly servedAs: (name: string) => Served;
  /** What the stream's connection holds, which this adds to. */
  readonly held: HeldBytes;
}

export class CallLoop implements StreamEvents {
  readonly #stream: ByteStream;
  readonly #answering: Answering;
  readonly #reader = rpcRequestReader();
  /** Added to the reader, and not released yet. */
  #unreleasedBytes = 0;
  /** Of the last reply, while it waits for the peer. */
  #replyBytes = 0;
  #heldBytes = 0;
  /** Of the call that is being answered. */
  #running: AbortController | undefined;
  #peerHasEnded = false;
  #isOver = false;

  constructor(stream: ByteStream, answering: Answering) {
    this.#stream = stream;
    this.#answering = answering;
    this.#account();
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver) {
      this.#stream.release(bytes.length);
      return;
    }
    this.#reader.add(bytes);
    this.#unreleasedBytes += bytes.length;
    this.#next();
    this.#account();
  }

  /** Who has ended waits for nothing that takes long. */
  ended(): void {
    this.#peerHasEnded = true;
    this.#running?.abort(gone());
    this.#next();
  }

  drained(): void {
    this.#replyBytes = 0;
    this.#next();
    this.#account();
  }

  closed(): void {
    this.#stop();
  }

  /** Answers what there is, until it has to wait for the method or for the peer. */
  #next(): void {
    while (!this.#isOver && this.#running === undefined && this.#replyBytes === 0) {
      const message = this.#take();
      if (message === undefined) break;
      this.#begin(message);
    }
    const isWaiting = this.#running === undefined && this.#replyBytes === 0;
    if (this.#peerHasEnded && isWaiting && !this.#isOver) this.#end();
  }

  #take(): RpcMessage<RpcRequestHeader> | undefined {
    try {
      const message = this.#reader.take();
      // The peer may go on with a message that is not all there, but not with many that wait.
      if (message !== undefined || this.#reader.isWaiting) this.#release();
      return message;
    } catch (error) {
      this.#answering.logger.debug("a stream of calls is given up", { error: messageOf(error) });
      this.#stop();
      this.#stream.destroy();
      return undefined;
    }
  }

  #release(): void {
    const bytes = this.#unreleasedBytes;
    this.#unreleasedBytes = 0;
    if (bytes > 0) this.#stream.release(bytes);
  }

  #begin({ header, body }: RpcMessage<RpcRequestHeader>): void {
    const { called, servedAs } = this.#answering;
    let prepared: Prepared;
    try {
      prepared = servedAs(header.ServiceMethod).prepare(body);
    } catch (error) {
      this.#refuse(header, messageOf(error));
      return;
    }
    const running = new AbortController();
    this.#running = running;
    prepared(called, running.signal).then(
      (write) => this.#finish(header, "", write),
      (error: unknown) => this.#fail(header, error),
    );
  }

  #fail(header: RpcRequestHeader, error: unknown): void {
    if (!(error instanceof RollcallError) && !this.#isOver && !this.#peerHasEnded) {
      this.#answering.logger.error("a call has failed", {
        method: header.ServiceMethod,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    this.#finish(header, messageOf(error) || NO_TEXT, nothing);
  }

  #finish(header: RpcRequestHeader, error: string, write: (into: MsgpackWriter) => void): void {
    this.#running = undefined;
    if (this.#isOver) return;
    try {
      this.#reply(header, error, write);
    } catch (failure) {
      this.#reply(header, messageOf(failure) || NO_TEXT, nothing);
    }
    this.#next();
    this.#account();
  }

  /** What was asked cannot be read, so what follows it cannot either. */
  #refuse(header: RpcRequestHeader, error: string): void {
    this.#reply(header, error, nothing);
    this.#end();
  }

  #reply(header: RpcRequestHeader, error: string, write: (into: MsgpackWriter) => void): void {
    const { Seq, ServiceMethod } = header;
    const writer = new MsgpackWriter();
    writeRpcResponseHeader(writer, { Error: error, Seq, ServiceMethod });
    write(writer);
    const bytes = writer.finish();
    if (!this.#stream.write(bytes)) this.#replyBytes = bytes.length;
  }

  #end(): void {
    this.#stop();
    this.#stream.end();
  }

  #stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#account();
    // What is still to come is thrown away, so that the peer is not held up.
    this.#release();
    this.#running?.abort(gone());
  }

  #account(): void {
    const bytes = this.#isOver ? 0 : STREAM_BYTES + this.#reader.heldBytes + this.#replyBytes;
    const more = bytes - this.#heldBytes;
    this.#heldBytes = bytes;
    this.#answering.held.add(more);
  }
}

function nothing(into: MsgpackWriter): void {
  NOTHING.write(into, {});
}

function gone(): RollcallError {
  return new RollcallError("request/aborted");
}
