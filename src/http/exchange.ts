/**
 * One request and the way to answer it. Two kinds of it exist, for the two lanes of the server: node-exchange.ts and
 * lane-exchange.ts.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { IpAddress } from "../platform/index.ts";
import type { Encoded, StreamSource } from "./reply.ts";
import type { BodyLimit } from "./request-body.ts";

export interface Exchange {
  readonly method: string;
  /** The request line's target as sent, one character a byte. */
  readonly url: string;
  readonly httpVersionMinor: number;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly peer: IpAddress;
  /**
   * No promise where the body is there already.
   * @throws {RollcallError} `request/too-large`, at once where the length was declared; `request/aborted`
   */
  readBody(limit: BodyLimit): Uint8Array | Promise<Uint8Array>;
  /** The body as it comes, without a limit. What is left of it when the iteration ends is nobody's. */
  bodyChunks(): AsyncIterable<Uint8Array>;
  /** Calls once, if the client's connection closes before the answer was handed to it. */
  onAborted(listener: () => void): void;
  /** The answer is going to wait for a change, and so may be given up when the agent stops. */
  hold(): void;
  /** The connection ends with this answer. */
  closeAfter(): void;
  /**
   * Writes the whole answer; without effect when the connection is gone.
   *
   * @param headers name, value, name, value …
   * @throws when a header holds what no header may
   */
  send(status: number, headers: readonly string[], body: Encoded | undefined): void;
  /** Writes an answer that lasts until the connection ends, and resolves then. */
  stream(status: number, headers: readonly string[], source: StreamSource): Promise<void>;
  /** Writes an answer as its bytes come, as fast as the client takes them. @throws what `chunks` throws */
  sendChunks(
    status: number,
    headers: readonly string[],
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** Ends the connection without an answer. */
  destroy(): void;
}
