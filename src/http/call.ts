/** One request, as its handler sees it. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { HttpNeeds } from "./needs.ts";
import type { Query } from "./query-string.ts";
import { readBody } from "./request-body.ts";

export interface CallParts {
  readonly needs: HttpNeeds;
  readonly config: RuntimeConfig;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Called at most once, when the handler is going to wait for a change. */
  readonly onHold: () => void;
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
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #onHold: () => void;
  #signal: AbortSignal | undefined;
  /** Headers that an answer has even if the handler then fails. */
  errorHeaders: readonly string[] = [];

  constructor(parts: CallParts) {
    this.needs = parts.needs;
    this.config = parts.config;
    this.path = parts.path;
    this.tail = parts.tail;
    this.query = parts.query;
    this.#request = parts.request;
    this.#response = parts.response;
    this.#onHold = parts.onHold;
  }
  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }
  /** A header's value, "" where it was not sent. */
  header(name: string): string {
    const value = this.#request.headers[name];
    return typeof value === "string" ? value : "";
  }
  /** undefined for a chunked body or none. */
  get contentLength(): number | undefined {
    const text = this.#request.headers["content-length"];
    return text === undefined ? undefined : Number(text);
  }
  /** Aborts when the client's connection closes before it was answered. Made only if somebody asks. */
  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    this.#onHold();
    const controller = new AbortController();
    const response = this.#response;
    response.once("close", () => {
      if (!response.writableFinished) controller.abort(new RollcallError("request/aborted"));
    });
    this.#signal = controller.signal;
    return controller.signal;
  }
  /** @throws {RollcallError} `request/too-large`, `request/aborted` */
  readBody(limit: { readonly maxBytes: number; readonly tooLarge: () => string }) {
    return readBody(this.#request, limit);
  }
}
