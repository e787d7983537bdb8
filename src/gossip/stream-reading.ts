/** The one message that a stream brings. */
import type { Duplex } from "node:stream";
import { RollcallError } from "../errors/index.ts";
import { StreamDecoder, type Opening, type StreamMessage } from "../wire/index.ts";

/**
 * Leaves the stream open.
 *
 * @throws {RollcallError} `wire/malformed` for bytes that are none; `net/dial` when the stream ends before; the
 *   signal's reason
 */
export function readMessage(
  stream: Duplex,
  opening: Opening,
  signal: AbortSignal,
): Promise<StreamMessage> {
  const decoder = new StreamDecoder(opening);
  return new Promise((resolve, reject) => {
    const done = (): void => {
      stream.off("data", onData);
      stream.off("end", onEnd);
      stream.off("close", onEnd);
      signal.removeEventListener("abort", onAbort);
      stream.pause();
    };
    const onData = (chunk: Uint8Array): void => {
      try {
        const message = decoder.read(chunk);
        if (message === undefined) return;
        done();
        resolve(message);
      } catch (error) {
        done();
        reject(error);
      }
    };
    const onEnd = (): void => {
      done();
      reject(new RollcallError("net/dial", "EOF"));
    };
    const onAbort = (): void => {
      done();
      reject(signal.reason);
    };
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    stream.on("data", onData);
    stream.on("end", onEnd);
    stream.on("close", onEnd);
    signal.addEventListener("abort", onAbort);
  });
}
