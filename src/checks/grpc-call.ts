/**
 * One unary gRPC call over a stream of its own: HTTP/2 without negotiation, one message each way, each with
 * a five-byte head (flag "compressed", length).
 */
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import { codeName, notGrpc, rpcError, streamReset } from "./grpc-status.ts";

const HEAD_BYTES = 5;
/** Health answers take two bytes; what is longer than this is none. */
const MESSAGE_MAX_BYTES = 64 * 1024;

export interface UnaryCall {
  readonly authority: string;
  readonly path: string;
  readonly message: Uint8Array;
  readonly timeoutMs: number;
}

/**
 * Destroys `stream` in every case.
 * @throws {Error} in grpc-go's words, when the call did not end with status OK and a message
 */
export async function callUnary(
  stream: Duplex,
  { authority, path, message, timeoutMs }: UnaryCall,
  signal: AbortSignal,
): Promise<Uint8Array> {
  stream.on("error", () => {}); // The session tells.
  // Loaded when it is wanted: an agent without such checks starts without it.
  const { connect } = await import("node:http2");
  const session = connect(`http://${authority}`, {
    createConnection: () => stream,
    settings: { enablePush: false },
  });
  let isHttp2 = false;
  session.on("remoteSettings", () => (isHttp2 = true));
  session.on("error", () => {}); // "close" follows, and ends the call.
  const onAbort = (): void => session.destroy();
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    const call = session.request({
      ":method": "POST",
      ":path": path,
      ":authority": authority,
      "content-type": "application/grpc",
      "user-agent": "grpc-rollcall",
      te: "trailers",
      "grpc-timeout": `${Math.min(Math.ceil(timeoutMs), 99_999_999)}m`,
    });
    call.end(framed(message));
    return await answerOf(call, () =>
      session.destroyed
        ? rpcError("Unavailable", isHttp2 ? "transport is closing" : "connection closed")
        : streamReset(call.rstCode ?? 0),
    );
  } finally {
    signal.removeEventListener("abort", onAbort);
    session.destroy();
    stream.destroy();
  }
}

/** @param brokenOff why there is no status, asked once the call has closed without one */
function answerOf(call: ClientHttp2Stream, brokenOff: () => Error): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let receivedBytes = 0;
    let headers: IncomingHttpHeaders | undefined;
    let trailers: IncomingHttpHeaders | undefined;
    call.on("response", (received) => {
      headers = received;
      const contentType = received["content-type"];
      const isGrpc = contentType?.startsWith("application/grpc") === true;
      const httpStatus = Number(received[":status"]);
      if (httpStatus !== 200 || !isGrpc) reject(notGrpc(httpStatus, contentType));
    });
    call.on("trailers", (received: IncomingHttpHeaders) => (trailers = received));
    call.on("data", (chunk: Uint8Array) => {
      receivedBytes += chunk.length;
      chunks.push(chunk);
      if (receivedBytes <= HEAD_BYTES + MESSAGE_MAX_BYTES) return;
      reject(rpcError("ResourceExhausted", "grpc: received message larger than max"));
      call.close();
    });
    call.on("error", () => {}); // "close" follows.
    call.on("close", () => {
      const status = (trailers ?? headers)?.["grpc-status"];
      if (typeof status === "string") {
        const problem = problemOf(status, (trailers ?? headers)?.["grpc-message"]);
        if (problem === undefined) settle(() => unframed(Buffer.concat(chunks)));
        else reject(problem);
      } else if (headers !== undefined && call.rstCode === 0) {
        reject(rpcError("Internal", "server closed the stream without sending trailers"));
      } else {
        reject(brokenOff());
      }
    });

    function settle(read: () => Uint8Array): void {
      try {
        resolve(read());
      } catch (error) {
        reject(error);
      }
    }
  });
}

function problemOf(status: string, message: string | readonly string[] | undefined) {
  if (status === "0") return undefined;
  if (!/^\d{1,9}$/.test(status)) {
    return rpcError("Internal", `transport: malformed grpc-status: ${JSON.stringify(status)}`);
  }
  return rpcError(codeName(Number(status)), unescaped(String(message ?? "")));
}

/** The message is percent-encoded UTF-8; what is no escape stays as it is. */
function unescaped(message: string): string {
  return message.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString(),
  );
}

function framed(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** @throws {Error} as grpc-go words it */
export function unframed(received: Buffer): Uint8Array {
  if (received.length === 0) throw new Error("EOF");
  if (received.length < HEAD_BYTES) throw rpcError("Internal", "unexpected EOF");
  if (received[0] !== 0) {
    const text = "grpc: compressed flag set with identity or empty encoding";
    throw rpcError("Internal", text);
  }
  const message = received.subarray(HEAD_BYTES, HEAD_BYTES + received.readUInt32BE(1));
  if (message.length < received.readUInt32BE(1)) throw rpcError("Internal", "unexpected EOF");
  return message;
}
