/**
 * The first byte of a connection to a server's port says what it is for. Who does not send it soon is hung up on, and
 * so is who has too many connections.
 */
import type { Duplex } from "node:stream";
import type { Clock, IpAddress, Logger } from "../platform/index.ts";
import type { RpcConnection } from "./rpc-server.ts";

/** ONLY APPEND: wire format. */
export const FIRST_BYTE = {
  plain: 0,
  raft: 1,
  tls: 3,
  multiplexed: 4,
  snapshot: 5,
} as const;

/** From all clients together. */
const CONNECTIONS_MAX = 16_384;

export interface FirstBytesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handshakeTimeoutMs: number;
  /** From one address; 0 for no limit. */
  readonly connectionsPerClientMax: number;
  /** Each takes over the connection and what comes after its first byte. */
  readonly rpc: (stream: Duplex, kind: RpcConnection) => void;
  readonly raft: (stream: Duplex) => void;
  readonly snapshot: (stream: Duplex) => void;
}

export class FirstBytes implements Disposable {
  readonly #options: FirstBytesOptions;
  readonly #connections = new Set<Duplex>();
  readonly #perClient = new Map<string, number>();

  constructor(options: FirstBytesOptions) {
    this.#options = options;
  }

  /** A listener's `Accept`. */
  accept(stream: Duplex, peer: IpAddress): void {
    const { logger, connectionsPerClientMax } = this.#options;
    const count = this.#perClient.get(peer.host) ?? 0;
    const isOneTooMany = connectionsPerClientMax > 0 && count >= connectionsPerClientMax;
    if (isOneTooMany || this.#connections.size >= CONNECTIONS_MAX) {
      logger.warn("a connection is refused: there are too many", { from: peer.host });
      stream.destroy();
      return;
    }
    this.#connections.add(stream);
    this.#perClient.set(peer.host, count + 1);
    stream.once("close", () => this.#forget(stream, peer));
    this.#await(stream, peer);
  }

  [Symbol.dispose](): void {
    for (const stream of this.#connections) stream.destroy();
  }

  #forget(stream: Duplex, peer: IpAddress): void {
    this.#connections.delete(stream);
    const count = (this.#perClient.get(peer.host) ?? 1) - 1;
    if (count > 0) this.#perClient.set(peer.host, count);
    else this.#perClient.delete(peer.host);
  }

  #await(stream: Duplex, peer: IpAddress): void {
    const { clock, logger, handshakeTimeoutMs } = this.#options;
    const over = (): void => {
      timer[Symbol.dispose]();
      stream.off("readable", read);
      stream.off("close", over);
    };
    const read = (): void => {
      const first = stream.read(1) as Uint8Array | null;
      if (first === null) return;
      over();
      this.#dispatch(first[0] ?? 0, stream, peer);
    };
    const timer = clock.after(handshakeTimeoutMs, () => {
      logger.warn("a connection has not said what it is for, and is closed", { from: peer.host });
      stream.destroy();
    });
    stream.on("readable", read);
    stream.on("close", over);
  }

  #dispatch(first: number, stream: Duplex, peer: IpAddress): void {
    const { rpc, raft, snapshot, logger } = this.#options;
    switch (first) {
      case FIRST_BYTE.plain:
        return rpc(stream, "plain");
      case FIRST_BYTE.multiplexed:
        return rpc(stream, "multiplexed");
      case FIRST_BYTE.raft:
        return raft(stream);
      case FIRST_BYTE.snapshot:
        return snapshot(stream);
      case FIRST_BYTE.tls:
        logger.error("a TLS connection is refused: TLS between servers is not built yet", {
          from: peer.host,
        });
        break;
      default:
        logger.error("unrecognized RPC byte", { byte: first, from: peer.host });
    }
    stream.destroy();
  }
}
