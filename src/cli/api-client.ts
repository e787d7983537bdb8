/**
 * The HTTP API as a command calls it: one agent, one request at a time, over the platform's network.
 *
 * Connections are kept between requests, since an import of many keys would else use up the ports that TCP has
 * for one address. Everything that can go wrong is a RollcallError whose message reads as that of Go's client.
 */
import {
  Agent,
  request as httpRequest,
  type ClientRequestArgs,
  type IncomingMessage,
} from "node:http";
import type { Duplex } from "node:stream";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Platform } from "../platform/index.ts";
import { readApiConfig, type ApiConfig } from "./api-config.ts";
import { during, type CommandContext } from "./command.ts";
import { escapePath, escapeQuery, type Query } from "./go-url.ts";

/** As long as Go's client gives a connection to come about. */
const DIAL_TIMEOUT_MS = 30_000;
/** An answer is text in memory; V8 has no longer strings. */
const ANSWER_MAX_BYTES = 500 * 1024 * 1024;
const REDIRECTS_MAX = 10;
/** Blocking queries beside a request or two. */
const CONNECTIONS_MAX = 4;

export interface ApiRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Not yet escaped: `/v1/kv/a b`. */
  readonly path: string;
  readonly query?: Query;
  readonly body?: Uint8Array | string;
  /** On abort the request ends with `request/aborted`. */
  readonly signal?: AbortSignal;
}
export interface ApiResponse {
  readonly status: number;
  readonly body: string;
  /** X-Consul-Index, or 0 where there is none. Those of events need all 64 bits. */
  readonly index: bigint;
}

export class ApiClient implements Disposable {
  readonly #config: ApiConfig;
  readonly #agent: StreamAgent;

  constructor(config: ApiConfig, platform: Platform) {
    this.#config = config;
    this.#agent = new StreamAgent(config, platform);
  }

  /**
   * Any status is an answer.
   * @throws {RollcallError} when there is none
   */
  async send(request: ApiRequest): Promise<ApiResponse> {
    return this.#named(request, async (target) => {
      let response = await this.#open(request, target);
      let body = await readText(response);
      for (let hop = 0; isRedirect(response.statusCode ?? 0); hop += 1) {
        if (hop === REDIRECTS_MAX) throw refused(`stopped after ${REDIRECTS_MAX} redirects`);
        const { signal } = request;
        const next = { method: "GET", ...(signal ? { signal } : {}) } as const;
        response = await this.#open(next, redirectTarget(response));
        body = await readText(response);
      }
      return { status: response.statusCode ?? 0, body, index: indexOf(response) };
    });
  }

  /**
   * The answer piece by piece, for as long as the agent sends.
   * @throws {RollcallError} as `ok` does, if it does not begin with 200
   */
  async stream(request: ApiRequest): Promise<AsyncIterable<Buffer>> {
    return this.#named(request, async (target) => {
      const response = await this.#open(request, target);
      if (response.statusCode !== 200) {
        throw unexpected(response.statusCode ?? 0, await readText(response));
      }
      return response as AsyncIterable<Buffer>;
    });
  }

  /** The whole answer as bytes. @throws {RollcallError} as `ok` does */
  async bytes(request: ApiRequest): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of await this.stream(request)) chunks.push(chunk);
    } catch (error) {
      throw error instanceof RollcallError ? error : refused("unexpected EOF", error);
    }
    return Buffer.concat(chunks);
  }

  /** @throws {RollcallError} `Unexpected response code: 500 (No cluster leader)` for all but 200 too */
  async ok(request: ApiRequest): Promise<string> {
    const { status, body } = await this.send(request);
    if (status === 200) return body;
    throw unexpected(status, body);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  /** Failures of the exchange get its method and URL in front. */
  async #named<T>(request: ApiRequest, exchange: (target: string) => Promise<T>): Promise<T> {
    const target = this.#targetOf(request);
    try {
      return await exchange(target);
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      if (error.code !== "net/dial") throw error;
      const verb = `${request.method.slice(0, 1)}${request.method.slice(1).toLowerCase()}`;
      const text = `${verb} "${this.#config.origin}${target}": ${messageOf(error)}`;
      throw new RollcallError("net/dial", text, { cause: error });
    }
  }

  #targetOf({ method, path, query = [] }: ApiRequest): string {
    const asked: Query = [
      ...query,
      ...this.#config.query,
      ...(this.#config.stale && method === "GET" ? ([["stale", ""]] as const) : []),
    ];
    const search = asked.length === 0 ? "" : `?${escapeQuery(asked)}`;
    return `${this.#config.pathPrefix}${escapePath(path)}${search}`;
  }

  #open(
    { method, body, signal }: Pick<ApiRequest, "method" | "body" | "signal">,
    path: string,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(body ?? "");
      const headers: Record<string, string | number> = {
        Host:
          "path" in this.#config.remote
            ? "localhost"
            : this.#config.origin.replace(/^\w+:\/\//, ""),
        "User-Agent": "rollcall",
        ...this.#config.headers,
      };
      const isWrite = method === "PUT" || method === "POST";
      if (isWrite || bytes.byteLength > 0) headers["Content-Length"] = bytes.byteLength;
      const options = { agent: this.#agent, method, path, headers, ...(signal ? { signal } : {}) };
      const request = httpRequest(options, resolve);
      request.on("error", (error) => {
        reject(signal?.aborted === true ? aborted(error) : refused(connectionError(error), error));
      });
      request.end(bytes);
    });
  }
}

/** @throws {Failure} `Error connecting to Consul agent: …` when the settings cannot be used */
export async function openApi(context: CommandContext): Promise<ApiClient> {
  const config = await during("Error connecting to Consul agent", readApiConfig(context));
  return new ApiClient(config, context.platform);
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > ANSWER_MAX_BYTES) {
        throw refused(`the answer has more than ${ANSWER_MAX_BYTES} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof RollcallError) throw error;
    if (error instanceof Error && error.name === "AbortError") throw aborted(error);
    throw refused("unexpected EOF", error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function indexOf({ headers }: IncomingMessage): bigint {
  const index = headers["x-consul-index"];
  return typeof index === "string" && /^\d{1,20}$/.test(index) ? BigInt(index) : 0n;
}

const isRedirect = (status: number): boolean => [301, 302, 303].includes(status);

/** An agent redirects from paths such as `/v1/kv/a//b`; elsewhere we do not follow with a token in hand. */
function redirectTarget({ statusCode: status, headers }: IncomingMessage): string {
  const { location } = headers;
  if (location === undefined) throw refused(`${status} response missing Location header`);
  if (!location.startsWith("/") || location.startsWith("//") || /[^\x21-\x7e]/.test(location)) {
    throw refused(`${status} response leads elsewhere: ${location}`);
  }
  return location;
}

function refused(message: string, cause?: unknown): RollcallError {
  return new RollcallError("net/dial", message, { cause });
}

function unexpected(status: number, body: string): RollcallError {
  return new RollcallError("request/refused", `Unexpected response code: ${status} (${body})`);
}

function aborted(cause: unknown): RollcallError {
  return new RollcallError("request/aborted", "context canceled", { cause });
}

/** Go's words where Node has others of its own. */
function connectionError(error: Error & { readonly code?: string }): string {
  if (error.code === "ECONNRESET") return "EOF";
  if (error.code?.startsWith("HPE_") === true) return `malformed HTTP response (${error.message})`;
  return error.message;
}

/** Hands out the platform's streams, which need not be sockets, and keeps them for the next request. */
class StreamAgent extends Agent {
  readonly #config: ApiConfig;
  readonly #platform: Platform;

  constructor(config: ApiConfig, platform: Platform) {
    super({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
    this.#config = config;
    this.#platform = platform;
  }
  override createConnection(
    _options: ClientRequestArgs,
    created: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    dial(this.#config, this.#platform).then(
      (stream) => created(null, asSocket(stream)),
      (error: unknown) =>
        (created as (error: Error) => void)(
          error instanceof Error ? error : new Error(messageOf(error)),
        ),
    );
  }
}

/** What Node's agent calls on connections that it keeps. */
function asSocket(stream: Duplex): Duplex {
  if ("unref" in stream) return stream;
  return Object.assign(stream, {
    ref: ignore,
    unref: ignore,
    setKeepAlive: ignore,
    setTimeout: ignore,
  });
}
const ignore = (): void => {};

async function dial({ remote, tls }: ApiConfig, { clock, network }: Platform): Promise<Duplex> {
  using deadline = timeLimit(clock, DIAL_TIMEOUT_MS, "i/o timeout");
  const { signal } = deadline;
  return await network.connect(remote, { signal, ...(tls === undefined ? {} : { tls }) });
}

function timeLimit(
  clock: Clock,
  afterMs: number,
  reason: string,
): Disposable & { readonly signal: AbortSignal } {
  const abort = new AbortController();
  const timer = clock.after(afterMs, () => abort.abort(refused(reason)));
  return { signal: abort.signal, [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
