/** Answers the calls that come in over connections: each stream is a run of calls of its own. */
import type { Duplex } from "node:stream";
import { messageOf } from "../errors/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import { WholeConnection, type ByteStream } from "./byte-stream.ts";
import { CallLoop } from "./call-loop.ts";
import { servedAs } from "./exchanges.ts";
import { HeldBytesLimit, type HeldBytes } from "./held-bytes.ts";
import type { CallServer } from "./remote-methods.ts";
import { YamuxSession } from "./yamux-session.ts";

/** Four of the largest requests that there may be. */
const HELD_MAX_BYTES = 256 * 1024 * 1024;

export interface RpcServerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly called: CallServer;
  /** All connections together; beyond it the one that holds most is closed. */
  readonly heldMaxBytes?: number;
}
/** "plain": the connection is one stream. "multiplexed": it is a yamux session. */
export type RpcConnection = "plain" | "multiplexed";

export class RpcServer implements Disposable {
  readonly #options: RpcServerOptions;
  readonly #limit: HeldBytesLimit;
  readonly #connections = new Set<Duplex>();
  #isClosed = false;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#limit = new HeldBytesLimit(options.heldMaxBytes ?? HELD_MAX_BYTES);
  }

  /** By all connections together. */
  get heldBytes(): number {
    return this.#limit.totalBytes;
  }

  /** @param connection its first byte, which says what kind it is, is read already */
  serve(connection: Duplex, kind: RpcConnection): void {
    if (this.#isClosed) {
      connection.destroy();
      return;
    }
    const { clock, logger } = this.#options;
    this.#connections.add(connection);
    const held = this.#limit.connection(() => {
      logger.warn(
        "a connection holds too much of what is not read or not complete, and is closed",
        {
          held_bytes: held.bytes,
        },
      );
      connection.destroy();
    });
    connection.once("close", () => {
      this.#connections.delete(connection);
      this.#limit.forget(held);
    });
    if (kind === "plain") {
      const whole = new WholeConnection(connection, {
        data: (bytes) => calls.data(bytes),
        ended: () => calls.ended(),
        drained: () => calls.drained(),
        closed: () => calls.closed(),
      });
      const calls = this.#calls(whole, held);
      return;
    }
    // It ends with its connection.
    void new YamuxSession(connection, {
      clock,
      role: "acceptor",
      accept: (stream) => this.#calls(stream, held),
      closed: (error) => {
        if (error !== undefined) logger.debug("a connection ends", { error: messageOf(error) });
      },
    });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.destroy();
  }

  #calls(stream: ByteStream, held: HeldBytes): CallLoop {
    const { logger, called } = this.#options;
    return new CallLoop(stream, { logger, called, held, servedAs });
  }
}
