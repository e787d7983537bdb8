/**
 * What makes an agent a client: it knows the servers of its datacenter from the LAN pool, and asks one of them whatever
 * it is asked. It keeps nothing of the catalog.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { DisposableScope, type Logger, type Platform } from "../platform/index.ts";
import { RollcallError } from "../errors/index.ts";
import {
  clientDelegate,
  restoreOver,
  RpcPool,
  saveOver,
  ServerList,
  type DatacenterMap,
  type Delegate,
  type EventFire,
  type RemoteServer,
  type Snapshots,
} from "../rpc/index.ts";
import { dialServer, ipAddress, knownServer, type PoolMember } from "../server/index.ts";

export interface ClientNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly config: RuntimeConfig;
  readonly memberCount: () => number;
}
export interface Client extends AsyncDisposable {
  readonly kind: "client";
  readonly delegate: Delegate;
  readonly snapshots: Snapshots;
  fireEvent(event: EventFire): Promise<void>;
  datacenterMaps(): Promise<readonly DatacenterMap[]>;
  readonly knownServerCount: number;
  /** A member of the LAN pool has changed. */
  memberChanged(member: PoolMember): void;
  handOver(): Promise<void>;
  left(): Promise<void>;
}

export function startClient({ platform, logger, config, memberCount }: ClientNeeds): Client {
  const { clock, random, network } = platform;
  const { datacenter, rpcHoldTimeoutMs: holdTimeoutMs } = config;
  const scope = new DisposableScope();
  const named = logger.named("client");
  const pool = scope.use(
    new RpcPool({
      clock,
      logger: named,
      datacenter,
      dial: (address, signal) => network.connect(ipAddress(address), { signal }),
    }),
  );
  const servers = scope.use(
    new ServerList({
      clock,
      random: random.fork("servers"),
      memberCount,
      ping: (server) => pool.call(server, "Status.Ping", {}, { timeoutMs: PING_TIMEOUT_MS }),
    }),
  );
  let isLeaving = false;
  const delegate = clientDelegate({
    clock,
    random,
    logger: named,
    holdTimeoutMs,
    servers,
    pool,
    isLeaving: () => isLeaving,
  });
  const current = (): RemoteServer => {
    if (servers.current !== undefined) return servers.current;
    throw new RollcallError("request/refused", "No known Consul servers");
  };
  const dialAny = (): ReturnType<typeof dialServer> => dialServer(platform, current().address);
  return {
    kind: "client",
    delegate,
    snapshots: {
      save: async (options) => saveOver(await dialAny(), options),
      restore: async (archive, options) => restoreOver(await dialAny(), options, archive),
    },
    fireEvent: async (event) => pool.call(current(), "Internal.EventFire", event),
    datacenterMaps: async () => pool.call(current(), "Coordinate.ListDatacenters", {}),
    get knownServerCount() {
      return servers.count;
    },
    memberChanged: (member) => {
      const server = knownServer(member);
      if (server === undefined || server.tags.Datacenter !== datacenter)
        servers.remove(member.name);
      else if (server.status === "alive") {
        named.info("adding server", { server: server.name, address: server.address });
        servers.add(server);
      } else {
        named.info("removing server", { server: server.name, address: server.address });
        servers.remove(server.name);
      }
    },
    handOver: () => Promise.resolve(),
    left: () => Promise.resolve(),
    async [Symbol.asyncDispose]() {
      isLeaving = true;
      await scope[Symbol.asyncDispose]();
    },
  };
}

/** Consul's of its connections. */
const PING_TIMEOUT_MS = 10_000;
