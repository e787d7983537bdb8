import type { Writable } from "node:stream";

/** Resolves when the client has taken what was written, or has gone: whoever writes on finds out. */
export function roomIn(stream: Writable): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}
