/**
 * Raft between servers over streams, as hashicorp/raft's network transport speaks it. Each peer has a lane of
 * its own for heartbeats, so that they pass by a long AppendEntries, one for entries and one for votes; a
 * snapshot comes on a connection that is used for nothing else.
 */
import type { Duplex } from "node:stream";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import type { ServerId } from "./configuration.ts";
import { serveStream } from "./incoming.ts";
import { Lane } from "./lane.ts";
import {
  isHeartbeat,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  type Request,
  type Response,
} from "./messages.ts";
import type { Handler, Peer, Transport } from "./ports.ts";
import { fromWireResponse, toWireRequest } from "./wire-messages.ts";

/** hashicorp/raft's, for a command and for each part of a snapshot. */
const COMMAND_TIMEOUT_MS = 10_000;
const SNAPSHOT_PART_BYTES = 256 * 1024;

export interface TransportOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly self: Peer;
  /** Connects to that server's raft, without a byte being said yet. */
  readonly dial: (to: Peer, signal: AbortSignal) => Promise<Duplex>;
  /** Whose address that is: peers before raft 1.3 name themselves by nothing else. */
  readonly idAt: (address: string) => ServerId | undefined;
  /** How long votes and heartbeats, which soon mean nothing any more, may wait for their answer. */
  readonly shortTimeoutMs: number;
}

type LaneKind = "heartbeats" | "entries" | "votes";

export class StreamTransport implements Transport, Disposable {
  readonly #options: TransportOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #incoming = new Set<Duplex>();
  #handler: Handler | undefined;
  #isClosed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async send(to: Peer, request: Request): Promise<Response> {
    const timeoutMs = isLong(request) ? COMMAND_TIMEOUT_MS : this.#options.shortTimeoutMs;
    const wire = toWireRequest(request, this.#options.self);
    return fromWireResponse(await this.#lane(to, laneOf(request)).send(wire, timeoutMs));
  }

  async sendSnapshot(
    to: Peer,
    request: InstallSnapshotRequest,
    body: AsyncIterable<Uint8Array>,
  ): Promise<InstallSnapshotResponse> {
    this.#demandOpen();
    const { clock, dial, self } = this.#options;
    const parts = Math.max(1, Math.ceil(request.sizeBytes / SNAPSHOT_PART_BYTES));
    using lane = new Lane({ clock, dial: (signal) => dial(to, signal) });
    const wire = toWireRequest(request, self);
    const response = await lane.sendWith(wire, body, parts * COMMAND_TIMEOUT_MS);
    return fromWireResponse(response) as InstallSnapshotResponse;
  }

  serve(handler: Handler): Disposable {
    this.#handler = handler;
    return {
      [Symbol.dispose]: () => {
        if (this.#handler === handler) this.#handler = undefined;
      },
    };
  }

  /** A connection that was found to be raft's; its first byte is read already. */
  accept(stream: Duplex): void {
    if (this.#isClosed) {
      stream.destroy();
      return;
    }
    const { logger, idAt } = this.#options;
    this.#incoming.add(stream);
    const handle: Handler = async (request, body) => {
      if (this.#handler === undefined) throw new RollcallError("net/dial", "raft is not running");
      return this.#handler(request, body);
    };
    serveStream(stream, { handle, idAt })
      .catch((error: unknown) => {
        logger.debug("raft connection ends", { error: messageOf(error) });
      })
      .finally(() => {
        this.#incoming.delete(stream);
        stream.destroy();
      });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const stream of this.#incoming) stream.destroy();
    for (const lane of this.#lanes.values()) lane[Symbol.dispose]();
  }

  #lane(to: Peer, kind: LaneKind): Lane {
    this.#demandOpen();
    const { clock, dial } = this.#options;
    // A server that has moved is another connection.
    const name = `${kind} ${to.id} ${to.address}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane({ clock, dial: (signal) => dial(to, signal) });
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #demandOpen(): void {
    if (this.#isClosed) throw new RollcallError("net/dial", "the transport is closed");
  }
}

function laneOf(request: Request): LaneKind {
  if (request.kind !== "appendEntries") return "votes";
  return isHeartbeat(request) ? "heartbeats" : "entries";
}

function isLong(request: Request): boolean {
  return request.kind === "appendEntries" && !isHeartbeat(request);
}
