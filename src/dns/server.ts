/**
 * Port 8600: the sockets of DNS. Each address is served on UDP and TCP; what a packet means is for the
 * handler. Work under way is bounded: while the catalog does not answer, further datagrams are dropped, as
 * their senders will repeat them. Connections are bounded too: a further one takes the place of the one that has been idle
 * for longest, and is refused while all are busy.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { errorList, messageOf, RollcallError } from "../errors/index.ts";
import {
  DisposableScope,
  type DatagramSocket,
  type IpAddress,
  type Logger,
  type Platform,
} from "../platform/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { createHandler, type Handle } from "./handler.ts";
import { Recursors } from "./recursors.ts";
import { converse, type Connection } from "./tcp-connection.ts";

/** Datagrams whose answers are being waited for, on all addresses. */
export const DATAGRAMS_OUTSTANDING_MAX = 4096;
/** TCP connections at a time, on all addresses. */
export const CONNECTIONS_MAX = 1024;

export interface DnsServerNeeds {
  readonly platform: Platform;
  /** The agent's own; this room's lines are under `dns`. */
  readonly logger: Logger;
  /** Asked for every query, so that a reload takes effect at once. */
  readonly config: () => RuntimeConfig;
  readonly delegate: Delegate;
}
export interface DnsServer extends AsyncDisposable {
  /** Where it listens, each once; empty when DNS is disabled. */
  readonly addresses: readonly IpAddress[];
}

/** @throws {RollcallError} `net/bind`, with all addresses that cannot be had; nothing is left open then */
export async function startDnsServer(needs: DnsServerNeeds): Promise<DnsServer> {
  const { platform, logger, config } = needs;
  const { dnsAddrs, ports } = config();
  const scope = new DisposableScope();
  const addresses: IpAddress[] = [];
  const close = (): Promise<void> => scope[Symbol.asyncDispose]();
  if (ports.dns < 0) return { addresses, [Symbol.asyncDispose]: close };

  const { clock, network } = platform;
  const random = platform.random.fork("dns");
  const own = logger.named("dns");
  const recursors = new Recursors({ network, clock, random, logger: own });
  const { delegate } = needs;
  const handle = guarded(
    createHandler({ config, delegate, clock, random, logger: own, recursors }),
    own,
  );
  scope.use(recursors);
  const datagrams = { outstanding: 0 };
  const connections = new Set<Connection>();
  const faults: string[] = [];
  const opened = async (
    network: "udp" | "tcp",
    at: IpAddress,
    opening: Promise<AsyncDisposable>,
  ): Promise<void> => {
    try {
      scope.use(await opening);
      started(logger, at, network);
    } catch (error) {
      faults.push(messageOf(error));
    }
  };
  for (const host of dnsAddrs) {
    const local = { host, port: ports.dns };
    await opened("udp", local, serveDatagrams(local, platform, handle, datagrams));
    await opened("tcp", local, serveStreams(local, platform, handle, connections));
    addresses.push(local);
  }
  if (faults.length === 0) return { addresses, [Symbol.asyncDispose]: close };
  await close();
  throw new RollcallError("net/bind", errorList(faults));
}

function started(logger: Logger, { host, port }: IpAddress, network: string): void {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  logger.info("Started DNS server", { address, network });
}

/** A bug met by one packet must not take the agent down. */
function guarded(handle: Handle, logger: Logger): Handle {
  return (message, transport, client) => {
    try {
      return handle(message, transport, client);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      logger.error("query failed", { error: messageOf(error), stack });
      return undefined;
    }
  };
}

async function serveDatagrams(
  local: IpAddress,
  { network }: Platform,
  handle: Handle,
  datagrams: { outstanding: number },
): Promise<DatagramSocket> {
  const done = (): void => {
    datagrams.outstanding -= 1;
  };
  const socket: DatagramSocket = await network.bindDatagram(local, (bytes, from) => {
    if (datagrams.outstanding >= DATAGRAMS_OUTSTANDING_MAX) return;
    const answer = handle(bytes, "udp", from.host);
    if (answer === undefined) return;
    if (!(answer instanceof Promise)) {
      socket.send(answer, from);
      return;
    }
    datagrams.outstanding += 1;
    const to = { host: from.host, port: from.port };
    answer.then((reply) => {
      datagrams.outstanding -= 1;
      socket.send(reply, to);
    }, done);
  });
  return socket;
}

function serveStreams(
  local: IpAddress,
  { network, clock }: Platform,
  handle: Handle,
  connections: Set<Connection>,
): Promise<AsyncDisposable> {
  return network.listen(local, (stream, peer) => {
    const full = connections.size >= CONNECTIONS_MAX;
    const idle = full ? longestIdle(connections) : undefined;
    if (full && idle === undefined) {
      stream.destroy();
      return;
    }
    if (idle !== undefined) {
      connections.delete(idle);
      idle.end();
    }
    const closed = (): void => void connections.delete(connection);
    const connection = converse({ stream, clock, handle, client: peer.host, closed });
    connections.add(connection);
  });
}

function longestIdle(connections: Iterable<Connection>): Connection | undefined {
  let longest: Connection | undefined;
  for (const connection of connections) {
    if (!connection.isIdle) continue;
    if (longest === undefined || connection.lastActiveAt < longest.lastActiveAt) {
      longest = connection;
    }
  }
  return longest;
}
