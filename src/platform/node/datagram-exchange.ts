/**
 * One datagram and the answer to it, over a socket that is connected: only then does the kernel tell of a
 * peer that refuses, and keep other senders' datagrams away.
 */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { lookupError, refusedDatagramError } from "../go-errors.ts";
import type { IpAddress } from "../platform.ts";

export async function exchangeDatagram(
  remote: IpAddress,
  bytes: Uint8Array,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  signal.throwIfAborted();
  const host = await resolve(remote.host);
  signal.throwIfAborted();
  const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
  let onAbort = (): void => {};
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      const refused = (error: Error): void =>
        reject(refusedDatagramError({ host, port: remote.port }, error));
      socket.on("error", refused);
      socket.on("message", resolve);
      socket.connect(remote.port, host, () => {
        socket.send(bytes, (error) => {
          if (error) refused(error);
        });
      });
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.close();
  }
}

/** @throws {RollcallError} `net/dial` when nobody knows the name */
export async function resolve(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw lookupError(host, error, "udp");
  }
}
