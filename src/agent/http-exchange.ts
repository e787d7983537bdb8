/** One HTTP request of the agent's own, over a stream of the platform's. */
import { request as startRequest, type IncomingMessage } from "node:http";
import { RollcallError } from "../errors/index.ts";
import type { IpAddress, Network, SocketPath, TlsOptions } from "../platform/index.ts";

export interface ExchangeRequest {
  readonly remote: IpAddress | SocketPath;
  readonly tls?: TlsOptions;
  readonly method: string;
  /** Path and query, escaped. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
  readonly signal: AbortSignal;
}
export interface ExchangeAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** An answer is text in memory. */
const BODY_MAX_BYTES = 256 * 1024 * 1024;

/** @throws {RollcallError} `net/dial` without an answer, `request/aborted` when `signal` aborts */
export async function exchange(
  network: Network,
  request: ExchangeRequest,
): Promise<ExchangeAnswer> {
  const { remote, tls, method, target, headers, body, signal } = request;
  try {
    const stream = await network.connect(remote, { signal, ...(tls === undefined ? {} : { tls }) });
    using _open = { [Symbol.dispose]: () => void stream.destroy() };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = startRequest(
        {
          createConnection: () => stream,
          method,
          path: target,
          headers: { ...headers, Connection: "close", "Content-Length": Buffer.byteLength(body) },
          signal,
        },
        resolve,
      );
      sent.on("error", reject);
      sent.end(body);
    });
    return {
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? "",
      headers: response.headers,
      body: await textOf(response),
    };
  } catch (error) {
    if (signal.aborted) throw new RollcallError("request/aborted", "context canceled");
    if (error instanceof RollcallError) throw error;
    throw new RollcallError("net/dial", error instanceof Error ? error.message : "EOF", {
      cause: error,
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > BODY_MAX_BYTES) throw new Error(`more than ${BODY_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
