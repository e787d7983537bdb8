/** One request, as its handler sees it. */
import type { IncomingHttpHeaders } from "node:http";
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { CachedQuestions } from "./cached-questions.ts";
import type { Exchange } from "./exchange.ts";
import type { KeptAnswers } from "./kept-answers.ts";
import type { HttpNeeds } from "./needs.ts";
import type { Query } from "./query-string.ts";
import type { BodyLimit } from "./request-body.ts";

export interface CallParts {
  readonly needs: HttpNeeds;
  readonly config: RuntimeConfig;
  readonly exchange: Exchange;
  readonly cachedQuestions: CachedQuestions;
  readonly keptAnswers: KeptAnswers;
  readonly path: string;
  /** What follows the prefix of a prefix endpoint: the key, the name, the ID. */
  readonly tail: string;
  readonly query: Query;
}

export class Call {
  readonly needs: HttpNeeds;
  readonly config: RuntimeConfig;
  readonly path: string;
  readonly tail: string;
  readonly query: Query;
  readonly cachedQuestions: CachedQuestions;
  readonly keptAnswers: KeptAnswers;
  readonly #exchange: Exchange;
  #signal: AbortSignal | undefined;
  /** Headers that an answer has even if the handler then fails. */
  errorHeaders: readonly string[] = [];

  constructor(parts: CallParts) {
    this.needs = parts.needs;
    this.config = parts.config;
    this.path = parts.path;
    this.tail = parts.tail;
    this.query = parts.query;
    this.cachedQuestions = parts.cachedQuestions;
    this.keptAnswers = parts.keptAnswers;
    this.#exchange = parts.exchange;
  }
  /** An answer from the cache will do, and there is one. */
  get wantsCached(): boolean {
    return this.query.has("cached") && this.config.http.useCache;
  }
  get headers(): IncomingHttpHeaders {
    return this.#exchange.headers;
  }
  /** IP address of whoever is at the other end of the connection; empty on a socket path. */
  get peerHost(): string {
    return this.#exchange.peer.host;
  }
  /** A header's value, "" where it was not sent. */
  header(name: string): string {
    const value = this.#exchange.headers[name];
    return typeof value === "string" ? value : "";
  }
  /** undefined for a chunked body or none. */
  get contentLength(): number | undefined {
    const text = this.#exchange.headers["content-length"];
    return text === undefined ? undefined : Number(text);
  }
  /** Aborts when the client's connection closes before it was answered. Made only if somebody asks. */
  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    const controller = new AbortController();
    this.#exchange.hold();
    this.#exchange.onAborted(() => controller.abort(new RollcallError("request/aborted")));
    this.#signal = controller.signal;
    return controller.signal;
  }
  /**
   * No promise where the body is there already.
   * @throws {RollcallError} `request/too-large`, `request/aborted`
   */
  readBody(limit: BodyLimit): Uint8Array | Promise<Uint8Array> {
    try {
      const body = this.#exchange.readBody(limit);
      return body instanceof Promise ? body.catch((error: unknown) => this.#unread(error)) : body;
    } catch (error) {
      return this.#unread(error);
    }
  }

  /** The body as it comes, without a limit. */
  bodyChunks(): AsyncIterable<Uint8Array> {
    return this.#exchange.bodyChunks();
  }

  /** What follows a body that was not read whole cannot be told apart from it. */
  #unread(error: unknown): never {
    this.#exchange.closeAfter();
    throw error;
  }
}
