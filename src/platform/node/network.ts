/**
 * Sockets. Streams are handed out as they are, so that whoever carries HTTP or RPC over them pays for no
 * layer in between; datagrams pass without a resolver, a callback or an object of ours per packet.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect as connectSocket, createServer, isIPv6, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Duplex } from "node:stream";
import { bindError, dialError, errnoOf, lookupError } from "../go-errors.ts";
import type {
  Accept,
  DatagramSocket,
  IpAddress,
  Network,
  NetworkInterface,
  Receive,
  SocketPath,
  StreamListener,
  TlsOptions,
} from "../platform.ts";
import { exchangeDatagram, resolve } from "./datagram-exchange.ts";
import { giveSocketFile } from "./socket-file.ts";

/** Room for bursts while this thread is busy; the kernel grants what it allows. */
const DATAGRAM_BUFFER_BYTES = 2 * 1024 * 1024;
/** As many pending connections as the kernel allows, which cuts it to its own limit. */
const BACKLOG = 4096;
/** A name with several addresses: how long one may keep silent before the next is tried. */
const NEXT_ADDRESS_AFTER_MS = 1000;

const LAST_PORT = 65_535;

export const nodeNetwork: Network = {
  bindDatagram,
  listen,
  connect,
  exchangeDatagram,
  resolve,
  interfaces,
};

async function bindDatagram(local: IpAddress, receive: Receive): Promise<DatagramSocket> {
  // Node would take a port that is too large for its remainder.
  if (local.port > LAST_PORT) throw bindError("udp", local, new RangeError("invalid port"));
  const v6 = isIPv6(local.host);
  const socket = createSocket({ type: v6 ? "udp6" : "udp4", lookup: literalAddress });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(local.port, local.host, resolve);
    });
  } catch (error) {
    socket.close();
    throw bindError("udp", local, error);
  }
  socket.removeAllListeners("error");
  // After binding, errors tell of a datagram that did not get through: which is allowed.
  socket.on("error", ignore);
  enlargeBuffers(socket);

  const from = { host: "", port: 0 };
  socket.on("message", (bytes, sender) => {
    from.host = v6 ? unmapped(sender.address) : sender.address;
    from.port = sender.port;
    receive(bytes, from);
  });
  const { address, port } = socket.address();
  return {
    address: { host: address, port },
    send(bytes, to) {
      try {
        socket.send(bytes, to.port, v6 && !to.host.includes(":") ? `::ffff:${to.host}` : to.host);
      } catch {
        // Closed meanwhile, or a peer claims port 0: a datagram may be lost.
      }
    },
    [Symbol.asyncDispose]: once(() => new Promise((resolve) => socket.close(resolve))),
  };
}

/** Hosts are addresses already; Node would otherwise ask the system resolver about each packet. */
function literalAddress(
  host: string,
  _options: unknown,
  found: (error: null, address: string, family: number) => void,
): void {
  found(null, host, host.includes(":") ? 6 : 4);
}

function enlargeBuffers(socket: UdpSocket): void {
  try {
    socket.setRecvBufferSize(DATAGRAM_BUFFER_BYTES);
    socket.setSendBufferSize(DATAGRAM_BUFFER_BYTES);
  } catch {
    // Some systems refuse what is above their limit; their default then has to do.
  }
}

async function listen(local: IpAddress | SocketPath, accept: Accept): Promise<StreamListener> {
  const streams = new Set<Socket>();
  const server = createServer({ noDelay: true }, (stream) => {
    streams.add(stream);
    stream.on("close", () => streams.delete(stream));
    stream.on("error", ignore);
    accept(stream, {
      host: unmapped(stream.remoteAddress ?? ""),
      port: stream.remotePort ?? 0,
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const at = "path" in local ? { path: local.path } : local;
      server.listen({ ...at, backlog: BACKLOG }, resolve);
    });
  } catch (error) {
    throw bindError("tcp", local, error);
  }
  if ("path" in local) {
    try {
      await giveSocketFile(local);
    } catch (error) {
      server.close();
      throw error;
    }
  }
  server.removeAllListeners("error");
  // After binding, errors tell of a connection that could not be accepted; the next may.
  server.on("error", ignore);
  return {
    address: boundAddress(server, local),
    [Symbol.asyncDispose]: once(() => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const stream of streams) stream.destroy();
      return closed;
    }),
  };
}

function boundAddress(server: Server, local: IpAddress | SocketPath): IpAddress | SocketPath {
  const bound = server.address();
  if (bound === null || typeof bound === "string") return local;
  return { host: bound.address, port: bound.port };
}

async function connect(
  remote: IpAddress | SocketPath,
  { signal, tls }: { readonly signal: AbortSignal; readonly tls?: TlsOptions },
): Promise<Duplex> {
  signal.throwIfAborted();
  const stream = await dial(remote, signal);
  if (tls === undefined) return stream;
  // Loaded when it is wanted: most programs never speak TLS, and Node's part of it takes time.
  const { secure } = await import("./tls.ts");
  return secure(stream, "path" in remote ? "" : remote.host, tls, signal);
}

function dial(remote: IpAddress | SocketPath, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const stream = connectSocket({
      ...remote,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    });
    stream.on("error", ignore);
    const settled = (): void => {
      signal.removeEventListener("abort", onAbort);
      stream.off("connect", onConnect);
      stream.off("error", onError);
    };
    const onConnect = (): void => {
      settled();
      resolve(stream);
    };
    const onError = (error: Error): void => {
      settled();
      reject(worded(remote, error));
    };
    const onAbort = (): void => {
      settled();
      stream.destroy();
      reject(signal.reason);
    };
    stream.on("connect", onConnect);
    stream.on("error", onError);
    signal.addEventListener("abort", onAbort);
  });
}

/** Of a name's several addresses, the first one's failure is told. */
function worded(remote: IpAddress | SocketPath, error: unknown): Error {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if ("path" in remote) return dialError(remote, first);
  const { syscall, address } = first as { readonly syscall?: string; readonly address?: string };
  if (syscall === "getaddrinfo") return lookupError(remote.host, first);
  const cause = errnoOf(first) === "ERR_SOCKET_CONNECTION_TIMEOUT" ? { code: "ETIMEDOUT" } : first;
  return dialError({ host: address ?? remote.host, port: remote.port }, cause);
}

function interfaces(): readonly NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map(({ address, internal, cidr }) => ({
      name,
      address,
      internal,
      ...(cidr === null ? {} : { prefixBits: Number(cidr.split("/")[1]) }),
    })),
  );
}

/** An IPv4 peer of a socket that is bound to `::` shows as `::ffff:127.0.0.1`. */
function unmapped(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => (closed ??= close());
}

function ignore(): void {}
