/**
 * Recognizes the plain requests that nearly all of an agent's clients send: HTTP/1.1, their length known, no header
 * that changes how they must be read. It refuses rather than interprets: what is not certainly plain is Node's to
 * parse, from its first byte (RFC 9112).
 */
import type { IncomingHttpHeaders } from "node:http";

export interface PlainRequest {
  readonly method: string;
  /** As sent: printable ASCII. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  /** Of the whole request: the next one may begin behind it. */
  readonly sizeBytes: number;
}
/** What bytes are that do not begin with a whole plain request; the first two may yet become one. */
export type NotPlain = "half a head" | "half a body" | "other";

/** Longer ones are rare, and then the time to parse them does not count. */
export const PLAIN_MAX_BYTES = 65_536;
const HEAD_MAX_BYTES = 8192;
const METHODS = ["GET ", "PUT ", "POST ", "DELETE "] as const;
const REQUEST_LINE = /^(GET|PUT|POST|DELETE) ([!-~]+) HTTP\/1\.1$/;
const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*$/;
/** Headers that decide how a connection or a body is read, but for those that are understood below. */
const INVOLVED = new Set([
  "transfer-encoding",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "http2-settings",
]);
const LENGTH = /^\d{1,5}$/;
const NO_BODY = new Uint8Array();

export class PlainRequests {
  /** A client sends the same headers with each request: the last blocks that were read, by their text. */
  readonly #known = new Map<string, IncomingHttpHeaders>();

  /** Reads the request at the front of `bytes`, whatever follows it. */
  read(bytes: Buffer): PlainRequest | NotPlain {
    const end = bytes.indexOf("\r\n\r\n", 0, "latin1");
    if (end === -1) return mayBecomePlain(bytes) ? "half a head" : "other";
    if (end > HEAD_MAX_BYTES) return "other";
    const head = bytes.toString("latin1", 0, end);
    const lineEnd = head.indexOf("\r\n");
    if (lineEnd === -1) return "other";
    const line = REQUEST_LINE.exec(head.slice(0, lineEnd));
    if (line === null) return "other";
    const headers = this.#headers(head.slice(lineEnd + 2));
    if (headers === undefined) return "other";
    const [, method = "", url = ""] = line;
    const bodyStart = end + 4;
    const length = headers["content-length"];
    const sizeBytes = length === undefined ? bodyStart : bodyStart + Number(length);
    if (sizeBytes > PLAIN_MAX_BYTES) return "other";
    if (bytes.length < sizeBytes) return "half a body";
    const body = sizeBytes === bodyStart ? NO_BODY : bytes.subarray(bodyStart, sizeBytes);
    return { method, url, headers, body, sizeBytes };
  }

  #headers(block: string): IncomingHttpHeaders | undefined {
    const known = this.#known.get(block);
    if (known !== undefined) return known;
    const headers = parseHeaders(block);
    if (headers === undefined) return undefined;
    if (block.length <= KNOWN_MAX_BYTES) {
      if (this.#known.size === KNOWN_MAX) this.#known.clear();
      this.#known.set(block, headers);
    }
    return headers;
  }
}

/** What cannot become a plain request is not waited for: Node refuses it at the first wrong byte. */
function mayBecomePlain(bytes: Buffer): boolean {
  if (bytes.length > HEAD_MAX_BYTES) return false;
  const lineEnd = bytes.indexOf("\r\n", 0, "latin1");
  if (lineEnd !== -1) return REQUEST_LINE.test(bytes.toString("latin1", 0, lineEnd));
  const text = bytes.toString("latin1");
  return METHODS.some((method) => text.startsWith(method) || method.startsWith(text));
}

const KNOWN_MAX = 256;
const KNOWN_MAX_BYTES = 1024;

function parseHeaders(block: string): IncomingHttpHeaders | undefined {
  const headers: IncomingHttpHeaders = {};
  for (const text of block.split("\r\n")) {
    const field = FIELD.exec(text);
    if (field === null) return undefined;
    const name = (field[1] ?? "").toLowerCase();
    const value = field[2] ?? "";
    if (INVOLVED.has(name) || Object.hasOwn(headers, name)) return undefined;
    if (name === "connection" && value.toLowerCase() !== "keep-alive") return undefined;
    if (name === "content-length" && !LENGTH.test(value)) return undefined;
    headers[name] = value;
  }
  // Whether it may be missing is for Node's lane to say.
  return headers.host === undefined ? undefined : Object.freeze(headers);
}
