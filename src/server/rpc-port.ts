/** The server's TCP port (8300): its first byte says whether a connection carries calls, Raft or a snapshot. */
import type { Duplex } from "node:stream";
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { IpAddress, Logger, Platform } from "../platform/index.ts";
import {
  FirstBytes,
  RpcServer,
  serveSnapshot,
  type CallServer,
  type Snapshots,
} from "../rpc/index.ts";

const DIAL_TIMEOUT_MS = 10_000;

export interface RpcPortNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly config: RuntimeConfig;
  readonly called: CallServer;
  readonly snapshots: Snapshots;
  readonly acceptRaft: (stream: Duplex) => void;
}

/** @throws {RollcallError} `net/bind` */
export async function listenRpc(needs: RpcPortNeeds): Promise<AsyncDisposable> {
  const { platform, config, called, snapshots, acceptRaft } = needs;
  const { clock, network } = platform;
  const logger = needs.logger.named("rpc");
  const server = new RpcServer({ clock, logger, called });
  const connections = new FirstBytes({
    clock,
    logger,
    handshakeTimeoutMs: config.limits.rpcHandshakeTimeoutMs,
    connectionsPerClientMax: config.limits.rpcMaxConnsPerClient,
    rpc: (stream, kind) => server.serve(stream, kind),
    raft: acceptRaft,
    snapshot: (stream) => void serveSnapshot(stream, { clock, logger, snapshots }),
  });
  const local = { host: config.bindAddr, port: config.ports.server };
  const listener = await network.listen(local, (stream, peer) => connections.accept(stream, peer));
  return {
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]();
      connections[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

/** A new connection to a server's port. @throws {RollcallError} `net/dial`, also when it takes too long */
export async function dialServer(
  { network, clock }: Pick<Platform, "network" | "clock">,
  address: string,
): Promise<Duplex> {
  const late = new AbortController();
  using _timer = clock.after(DIAL_TIMEOUT_MS, () =>
    late.abort(new RollcallError("net/dial", `dial tcp ${address}: i/o timeout`)),
  );
  return network.connect(ipAddress(address), { signal: late.signal });
}

/** @param text `host:port`, with brackets around an IPv6 address */
export function ipAddress(text: string): IpAddress {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(text.slice(colon + 1)) };
}
