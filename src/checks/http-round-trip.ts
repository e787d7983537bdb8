/**
 * One HTTP/1.1 request and its answer over a stream of its own. Of the body only the last bytes are kept,
 * however long it is; of the body of a redirect that will be followed nothing is read.
 */
import { request as startRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { messageOf } from "../errors/index.ts";
import { OutputTail } from "../platform/index.ts";

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly statusText: string;
  readonly location: string | undefined;
  /** The end of the body, at most `bodyMaxBytes`. */
  readonly body: Uint8Array;
  readonly bodyTotalBytes: number;
  /** Why the body ended early; the status still counts. */
  readonly bodyProblem: string | undefined;
}

/** As generous as anybody's; a server that sends more is at fault. */
const HEADERS_MAX_BYTES = 1024 * 1024;

const SWITCHING_PROTOCOLS = 101;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function isRedirect({
  statusCode,
  location,
}: Pick<HttpAnswer, "statusCode" | "location">): boolean {
  return REDIRECTS.has(statusCode) && (location !== undefined || statusCode < 304);
}

/**
 * Destroys `stream` in every case.
 * @throws {Error} in Go's words, when no answer came; the signal's reason, when it aborted before one did
 */
export async function roundTrip(
  stream: Duplex,
  request: HttpRequest,
  options: {
    readonly signal: AbortSignal;
    readonly bodyMaxBytes: number;
    readonly followsRedirects: boolean;
  },
): Promise<HttpAnswer> {
  // Whatever becomes of the stream later, it has nobody else to tell.
  stream.on("error", () => {});
  const onAbort = (): void => void stream.destroy();
  options.signal.addEventListener("abort", onAbort);
  try {
    options.signal.throwIfAborted();
    const response = await answerTo(stream, request).catch((error: unknown) => {
      throw options.signal.aborted ? options.signal.reason : new Error(transportProblem(error));
    });
    const { statusCode = 0, statusMessage: statusText = "", headers } = response;
    const head = { statusCode, statusText, location: headers.location };
    const tail = new OutputTail(options.bodyMaxBytes);
    const isFollowed = options.followsRedirects && isRedirect(head);
    if (isFollowed || statusCode === SWITCHING_PROTOCOLS) {
      return { ...head, body: tail.bytes(), bodyTotalBytes: 0, bodyProblem: undefined };
    }
    const bodyProblem = await readBody(response, tail, options.signal);
    return { ...head, body: tail.bytes(), bodyTotalBytes: tail.totalBytes, bodyProblem };
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    stream.destroy();
  }
}

function answerTo(stream: Duplex, { method, target, headers, body }: HttpRequest) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = startRequest({
      createConnection: () => stream,
      method,
      path: target,
      headers: latin1(headers),
      setHost: false,
      maxHeaderSize: HEADERS_MAX_BYTES,
    });
    outgoing.method = method; // As given: Node would write it in capitals.
    outgoing.on("response", resolve);
    outgoing.on("upgrade", resolve);
    // Stays after the answer: a broken body is told here too, and by the answer's own "error".
    outgoing.on("error", reject);
    // As bytes: a string would be sent together with the headers, which then are UTF-8 twice over.
    if (body === "") outgoing.end();
    else outgoing.end(Buffer.from(body));
  });
}

/** Node writes a character of a header as one byte; Go, and hence our users' servers, expect UTF-8. */
function latin1(headers: HttpRequest["headers"]): Record<string, string | string[]> {
  const recode = (text: string): string => Buffer.from(text).toString("latin1");
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === "string" ? recode(value) : value.map(recode),
    ]),
  );
}

/** @returns why the body is not whole, if it is not */
function readBody(
  response: IncomingMessage,
  tail: OutputTail,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const endEarly = (): void => {
      resolve(
        signal.aborted
          ? "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
          : "unexpected EOF",
      );
    };
    response.on("data", (bytes: Uint8Array) => tail.push(bytes));
    response.on("end", () => resolve(undefined));
    response.on("error", endEarly);
    response.on("close", endEarly);
  });
}

/** Node's errors of a connection that gave no answer, in Go's words. */
function transportProblem(error: unknown): string {
  const {
    code = "",
    syscall,
    rawPacket,
  } = error as {
    readonly code?: string;
    readonly syscall?: string;
    readonly rawPacket?: Uint8Array;
  };
  if (code === "HPE_HEADER_OVERFLOW") {
    return broken(`net/http: server response headers exceeded ${HEADERS_MAX_BYTES} bytes; aborted`);
  }
  if (code === "HPE_INVALID_EOF_STATE") return broken("unexpected EOF");
  if (code.startsWith("HPE_")) return broken(malformed(rawPacket));
  if (code === "ECONNRESET")
    return syscall === undefined ? "EOF" : "read: connection reset by peer";
  if (code === "EPIPE") return "write: broken pipe";
  return messageOf(error);
}

function broken(problem: string): string {
  return `net/http: HTTP/1.x transport connection broken: ${problem}`;
}

/** Which part of an answer's head is not HTTP. */
function malformed(packet: Uint8Array | undefined): string {
  const [statusLine = "", ...headerLines] = Buffer.from(packet ?? [])
    .toString("latin1")
    .split(/\r?\n/);
  const [protocol = "", code] = statusLine.split(" ");
  if (code === undefined) return `malformed HTTP response ${JSON.stringify(statusLine)}`;
  if (!/^\d{3}$/.test(code)) return `malformed HTTP status code ${JSON.stringify(code)}`;
  if (!/^HTTP\/\d\.\d$/.test(protocol)) return `malformed HTTP version ${JSON.stringify(protocol)}`;
  for (const line of headerLines) {
    if (line === "") break;
    const [name, value] = line.split(/:\s*(.*)/s);
    if (value === undefined) return `malformed MIME header: missing colon: ${JSON.stringify(line)}`;
    if (/^content-length$/i.test(name ?? "") && !/^\d+$/.test(value)) {
      return `bad Content-Length ${JSON.stringify(value)}`;
    }
  }
  return `malformed HTTP response ${JSON.stringify(statusLine)}`;
}
