/**
 * Calls to servers, over one connection each. Every call has a stream to itself while it lasts; streams that are done
 * are used again, and a connection that nobody uses is closed after a while.
 */
import type { Duplex } from "node:stream";
import type { Clock, Logger } from "../platform/index.ts";
import type { ArgsOf, ReplyOf } from "./exchange.ts";
import { isUnanswered, notSent } from "./failure.ts";
import { OutgoingConnection } from "./outgoing-connection.ts";
import type { CallOptions, RemoteMethodName, RemoteServer } from "./remote-methods.ts";

export interface RpcPoolOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Connects, without a byte being said yet. */
  readonly dial: (address: string, signal: AbortSignal) => Promise<Duplex>;
  /** The caller's own, for arguments that name none. */
  readonly datacenter: string;
}

/** Other servers than these are forgotten, the longest unused first. */
const CONNECTIONS_MAX = 4096;

export class RpcPool implements AsyncDisposable {
  readonly #options: RpcPoolOptions;
  /** By server; those used last are last. */
  readonly #connections = new Map<string, OutgoingConnection>();
  #isClosed = false;

  constructor(options: RpcPoolOptions) {
    this.#options = options;
  }

  /**
   * @throws {RollcallError} what the server answered; the signal's reason; where there is no answer, what
   *   `isUnanswered` knows more about
   */
  async call<M extends RemoteMethodName>(
    server: RemoteServer,
    method: M,
    args: ArgsOf<M>,
    options: CallOptions = {},
  ): Promise<ReplyOf<M>> {
    options.signal?.throwIfAborted();
    const connection = this.#connection(server);
    const wasUsed = connection.isOpen;
    try {
      return await connection.call(method, args, options);
    } catch (error) {
      // The connection was found dead when it was to be used: the server may be there again.
      const isWorthOneMore = wasUsed && isUnanswered(error) === "not sent" && !this.#isClosed;
      if (!isWorthOneMore) throw error;
      return this.#connection(server).call(method, args, options);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection[Symbol.dispose]();
    this.#connections.clear();
  }

  #connection({ name, address }: RemoteServer): OutgoingConnection {
    if (this.#isClosed) throw notSent("rpc: the pool is closed");
    const key = `${name}:${address}`;
    let connection = this.#connections.get(key);
    if (connection === undefined || !connection.isUsable) {
      connection = this.#newConnection(key, address);
    }
    this.#connections.delete(key);
    this.#connections.set(key, connection);
    this.#forgetOldest();
    return connection;
  }

  #newConnection(key: string, address: string): OutgoingConnection {
    const { clock, logger, dial, datacenter } = this.#options;
    const connection: OutgoingConnection = new OutgoingConnection({
      clock,
      logger,
      datacenter,
      dial: (signal) => dial(address, signal),
      closed: () => {
        if (this.#connections.get(key) === connection) this.#connections.delete(key);
      },
    });
    return connection;
  }

  #forgetOldest(): void {
    if (this.#connections.size <= CONNECTIONS_MAX) return;
    const [oldest] = this.#connections.values();
    oldest?.[Symbol.dispose]();
  }
}
