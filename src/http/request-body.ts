/** A request's body, read whole up to a limit. */
import type { IncomingMessage } from "node:http";
import { RollcallError } from "../errors/index.ts";

/** Consul sets no limit to most bodies; ours is far above any registration that makes sense. */
export const BODY_MAX_BYTES = 16 * 1024 * 1024;

export interface BodyLimit {
  readonly maxBytes: number;
  readonly tooLarge: () => string;
}
export const DEFAULT_BODY_LIMIT: BodyLimit = {
  maxBytes: BODY_MAX_BYTES,
  tooLarge: () => `Request body too large, max size: ${BODY_MAX_BYTES} bytes.`,
};

/**
 * @throws {RollcallError} `request/too-large`, at once where the length was declared; `request/aborted`
 */
export function readBody(request: IncomingMessage, limit: BodyLimit): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > limit.maxBytes) {
      reject(new RollcallError("request/too-large", limit.tooLarge()));
      return;
    }
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const settle = (act: () => void): void => {
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onGone);
      act();
    };
    const onData = (chunk: Buffer): void => {
      sizeBytes += chunk.length;
      if (sizeBytes <= limit.maxBytes) chunks.push(chunk);
      else settle(() => reject(new RollcallError("request/too-large", limit.tooLarge())));
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const onGone = (): void => settle(() => reject(new RollcallError("request/aborted")));
    if (request.complete && request.readableEnded) {
      resolve(new Uint8Array());
      return;
    }
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("close", onGone);
    // A cut connection is reported by "close"; without a listener its error would be thrown.
    request.on("error", () => {});
  });
}

/** How much of a refused body is read for the sake of a client that reads nothing before it has sent all of it. */
const DRAIN_MAX_BYTES = 64 * 1024 * 1024;

/** Calls `done` once the rest of the body has come, is too much, or will not come any more. */
export function drainBody(request: IncomingMessage, done: () => void): void {
  let sizeBytes = 0;
  const settle = (): void => {
    request.off("data", onData);
    request.off("end", settle);
    request.off("close", settle);
    done();
  };
  const onData = (chunk: Buffer): void => {
    sizeBytes += chunk.length;
    if (sizeBytes > DRAIN_MAX_BYTES) settle();
  };
  if (request.readableEnded || request.destroyed) {
    done();
    return;
  }
  request.on("data", onData);
  request.on("end", settle);
  request.on("close", settle);
}
