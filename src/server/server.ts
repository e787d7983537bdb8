/**
 * What makes an agent a server: the store, the log that feeds it, the port on which other agents call, and the leader's
 * duties. This is the composition; what the parts do is in their files.
 */
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { RuntimeConfig } from "../config/index.ts";
import { localDelegate } from "../endpoints/index.ts";
import { RollcallError } from "../errors/index.ts";
import {
  DEFAULT_AUTOPILOT,
  MILLISECOND,
  type AutopilotConfig,
  type Command,
  type NetworkCoordinate,
  type ServerState,
} from "../model/index.ts";
import { DisposableScope, type Logger, type Platform } from "../platform/index.ts";
import { StreamTransport, type Peer } from "../raft/index.ts";
import {
  RpcPool,
  type CallServer,
  type DatacenterMap,
  type Delegate,
  type EventFire,
  type KeyringRequest,
  type KeyringResponse,
  type RemoteServer,
  type Snapshots,
} from "../rpc/index.ts";
import type { ApplyEffects } from "../store/index.ts";
import { acrossDatacenters, askThere } from "./across-datacenters.ts";
import { Autopilot, statesOf } from "./autopilot.ts";
import { BootstrapExpect } from "./bootstrap-expect.ts";
import type { Consensus } from "./consensus.ts";
import { CoordinateBatches } from "./coordinate-batches.ts";
import { datacenterMaps, Datacenters } from "./datacenters.ts";
import { forwardingDelegate } from "./forwarding.ts";
import { storeMachine } from "./fsm.ts";
import { Leadership } from "./leadership.ts";
import { handOver, untilGone } from "./leaving.ts";
import { LockDelays } from "./lock-delays.ts";
import { loneLog } from "./lone-log.ts";
import { MemberReconciler } from "./member-reconciler.ts";
import { PeerKeeper } from "./peer-keeper.ts";
import { recoverByPeers } from "./peers-recovery.ts";
import type { PoolMember } from "./pool-member.ts";
import { openRaftHome, type RaftHome } from "./raft-home.ts";
import { startRaftLog, RaftLog } from "./raft-log.ts";
import { raftStatsOf } from "./raft-stats.ts";
import { dialServer, ipAddress, listenRpc } from "./rpc-port.ts";
import { SERVER_RULES, type ServerRules } from "./rules.ts";
import { hostPort, noLeaderText, ServerDirectory, type KnownServer } from "./server-directory.ts";
import { ServerSnapshots } from "./snapshots.ts";
import { diskSpool, memorySpool } from "./state-spool.ts";

/** The LAN pool, as far as a server needs it. */
export interface ServerPool {
  /** In any status, this server among them. */
  members(): readonly PoolMember[];
  /** This server leads now: everybody is told. */
  announceLeader(): void;
  forceLeave(name: string): Promise<void>;
  /** A user event, under Consul's name for it. */
  fireConsulEvent(name: string, payload: Uint8Array): void;
  /** Of this datacenter's pools. */
  keyring(request: KeyringRequest): Promise<readonly KeyringResponse[]>;
  readonly wan: WanPool;
}
/** The pool of the servers of all datacenters. */
export interface WanPool {
  /** This server's name there. */
  readonly ownName: string;
  /** In any status; none where this server is not in it. */
  members(): readonly PoolMember[];
  coordinates(): ReadonlyMap<string, NetworkCoordinate>;
}
export interface ServerNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly config: RuntimeConfig;
  readonly nodeId: string;
  readonly pool: ServerPool;
  /** The server cannot go on. */
  readonly onFailure: (message: string) => void;
  /** Others than the right ones: for tests alone. */
  readonly rules?: Partial<ServerRules> | undefined;
}
export interface Server extends AsyncDisposable {
  readonly kind: "server";
  readonly delegate: Delegate;
  readonly consensus: Consensus;
  readonly snapshots: Snapshots;
  /** Of this cluster; how well they are, the leader alone knows. */
  serverStates(): readonly ServerState[];
  readonly knownDatacenterCount: number;
  /** In this or another datacenter. */
  fireEvent(event: EventFire): Promise<void>;
  datacenterMaps(): Promise<readonly DatacenterMap[]>;
  /** Resolves once somebody leads; if that is this server, once it has put the pool's members into the catalog. */
  readonly settled: Promise<void>;
  /** A member of the LAN pool has changed: the catalog is to follow. */
  memberChanged(member: PoolMember): void;
  /** Before the pool is left: gives up the lead, as far as somebody takes it. */
  handOver(): Promise<void>;
  /** After the pool was left: resolves when the others have let this server go, or after a while. */
  left(): Promise<void>;
}

/** @throws {RollcallError} `net/bind`, `disk/failed`; nothing is left running then */
export async function startServer(needs: ServerNeeds): Promise<Server> {
  const scope = new DisposableScope();
  try {
    return await start(needs, scope);
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(needs: ServerNeeds, scope: DisposableScope): Promise<Server> {
  const { platform, config, nodeId, pool } = needs;
  const { clock, random } = platform;
  const { datacenter } = config;
  const logger = needs.logger.named("server");
  const self: Peer = { id: nodeId, address: hostPort(config.advertiseAddr, config.ports.server) };
  const directory = new ServerDirectory(clock, datacenter, pool.members());
  const rules = { ...SERVER_RULES, ...needs.rules };
  const store = rules.newStore();
  const lockDelays = scope.use(new LockDelays(clock));
  let isLeaving = false;

  const onApplied = (index: number, effects: ApplyEffects): void => {
    for (const { key, delayNs } of effects.lockDelays) lockDelays.start(key, delayNs / MILLISECOND);
    leadership.applied(index, effects);
  };
  const transport = scope.use(
    new StreamTransport({
      clock,
      logger: logger.named("raft"),
      self,
      shortTimeoutMs: 1000 * config.raft.multiplier,
      dial: (to, signal) => platform.network.connect(ipAddress(to.address), { signal }),
      idAt: (address) =>
        directory.byAddress(address)?.id ??
        consensus.members.find((m) => m.address === address)?.id,
    }),
  );
  // The port is there before what answers on it.
  const snapshots: Snapshots = {
    save: (options) => ownSnapshots.save(options),
    restore: (archive, options) => ownSnapshots.restore(archive, options),
  };
  const called: CallServer = {
    call: (method, args, options) => delegate.call(method, args, options),
    hooks: {
      raftStats: () => raftStatsOf(consensus),
      fireEvent: (event) => fireEvent(event),
      keyring: async (request) => {
        const isHere = request.Datacenter === "" || request.Datacenter === datacenter;
        if (!isHere) throw new RollcallError("dc/unknown");
        return pool.keyring(request);
      },
      datacenterMaps: () => datacenterMaps(pool.wan.coordinates()),
    },
  };
  const acceptRaft = (stream: Duplex): void => transport.accept(stream);
  scope.use(await listenRpc({ platform, logger, config, called, snapshots, acceptRaft }));
  const rpc = scope.use(
    new RpcPool({
      clock,
      logger: logger.named("rpc"),
      datacenter,
      dial: (address, signal) => platform.network.connect(ipAddress(address), { signal }),
    }),
  );

  const datacenters = new Datacenters({
    own: datacenter,
    ownName: pool.wan.ownName,
    random: random.fork("datacenters"),
    members: () => pool.wan.members(),
    coordinates: () => pool.wan.coordinates(),
  });
  const across = { logger, datacenter, datacenters };
  const fireEvent = async (event: EventFire): Promise<void> => {
    const { Datacenter, Name, Payload } = event;
    if (Datacenter === "" || Datacenter === datacenter) {
      pool.fireConsulEvent(Name, Payload ?? NO_BYTES);
      return;
    }
    await askThere(across, Datacenter, (server) => rpc.call(server, "Internal.EventFire", event));
  };

  const serverStates = (): readonly ServerState[] =>
    autopilot?.states ?? statesOf(consensus, directory.all, clock);
  const machine = storeMachine({ store, random, onApplied });
  const consensus: Consensus = config.devMode
    ? scope.use(loneLog({ ...machine, store, self, onApplied }))
    : scope.use(
        await startRaftLog({
          platform,
          logger,
          home: await openHome(platform, logger, config.dataDir),
          self,
          transport,
          ...machine,
          settings: config.raft,
          addressOf: (id) => directory.addressOf(id),
          knowsPreVote: (id) => directory.byId(id)?.tags.Features["pv"] !== undefined,
          onFailure: (error) => needs.onFailure(`raft has failed: ${error.message}`),
        }),
      );
  const applied = async (command: Command): Promise<void> => {
    const result = await consensus.apply(command);
    if (result.kind === "refused") throw result.error;
  };
  const coordinates = scope.use(
    new CoordinateBatches(clock, logger, (body) =>
      applied({ type: "CoordinateBatchUpdate", body }),
    ),
  );
  const local = localDelegate({
    platform,
    store,
    datacenter,
    limits: config,
    apply: (command) => consensus.apply(command),
    leadership: {
      leader: () => consensus.leader?.address ?? "",
      peers: () => consensus.members.map(({ address }) => address),
      lastContactMs: () => consensus.lastContactMs ?? 0,
      servers: serverStates,
      serversIndex: () => consensus.membersIndex,
      transferTo: (id) => consensus.transferLeadership(id),
      removePeer: async (id) => consensus.change({ kind: "remove", id }),
    },
    elsewhere: {
      names: () => datacenters.names,
      execute: (args) =>
        askThere(across, args.Datacenter, (server) =>
          rpc.call(server, "PreparedQuery.ExecuteRemote", args),
        ),
    },
    sessionTimers: { renew: (id) => leadership.renew(id) },
    coordinates,
    lockDelayMs: (key) => rules.lockDelayMs(lockDelays.remainingMs(key)),
  });
  const callRemote: RpcPool["call"] = (server, method, args, options) =>
    rpc.call(server, method, args, options);
  const forwarding = (): Delegate =>
    forwardingDelegate({
      clock,
      random,
      holdTimeoutMs: config.rpcHoldTimeoutMs,
      consensus,
      answersAlone: rules.answersAlone,
      local,
      leader: () => remoteOf(consensus.leader, self, directory),
      callRemote,
      ready: (signal) => leadership.ready(signal, config.rpcHoldTimeoutMs),
      isLeaving: () => isLeaving,
      noLeader: () =>
        new RollcallError(
          "raft/no-leader",
          noLeaderText(consensus.members, directory, clock.now()),
        ),
    });
  // A development agent is the leader, always.
  const here = config.devMode ? local : forwarding();
  const delegate = acrossDatacenters({ ...across, callRemote }, here);

  const ownSnapshots = new ServerSnapshots({
    clock,
    logger: logger.named("snapshot"),
    datacenter,
    consensus,
    content: machine.content,
    openSpool: async () =>
      config.devMode
        ? memorySpool()
        : diskSpool(platform.disk, join(config.dataDir, "raft", "restoring.tmp")),
    leader: () => remoteOf(consensus.leader, self, directory),
    dial: ({ address }) => dialServer(platform, address),
    ready: () => leadership.ready(undefined, config.rpcHoldTimeoutMs),
    onRestored: () => leadership.reassert(),
  });
  const newAutopilot = (): Autopilot =>
    new Autopilot({
      clock,
      logger: logger.named("autopilot"),
      consensus,
      config: () => store.view().autopilot() ?? initialAutopilot(config),
      servers: () => directory.all,
      statsOf: async (server, timeoutMs) =>
        server.id === nodeId
          ? raftStatsOf(consensus)
          : rpc.call(server, "Status.RaftStats", {}, { timeoutMs }),
      forceLeave: (name) => pool.forceLeave(name),
    });
  const keeper = new PeerKeeper({
    logger,
    consensus,
    ownId: nodeId,
    servers: () => directory.all,
  });
  let reconciler: MemberReconciler | undefined;
  let autopilot: Autopilot | undefined;
  let onSettled = (): void => {};
  const settled = new Promise<void>((resolve) => (onSettled = resolve));
  const leadership: Leadership = scope.use(
    new Leadership({
      clock,
      logger,
      store,
      consensus,
      datacenter,
      initialAutopilot: initialAutopilot(config),
      apply: applied,
      onElected: () => pool.announceLeader(),
      takeUp: async (duties) => {
        const keepPeer = config.devMode
          ? () => Promise.resolve()
          : (server: KnownServer) => keeper.changed(server);
        const ownName = config.nodeName;
        const members = () => pool.members();
        reconciler = duties.use(
          new MemberReconciler({
            clock,
            logger,
            store,
            datacenter,
            ownName,
            apply: applied,
            members,
            keepPeer,
          }),
        );
        duties.defer(() => (reconciler = undefined));
        await reconciler.start();
        onSettled();
        autopilot = duties.use(newAutopilot());
        duties.defer(() => (autopilot = undefined));
        void autopilot.start();
      },
    }),
  );
  const expecting =
    consensus instanceof RaftLog
      ? scope.use(await beginCluster(consensus, { needs, self, logger, directory, rpc }))
      : undefined;
  scope.use(
    consensus.subscribe(() => {
      if (!consensus.isLeader && consensus.leader !== undefined) onSettled();
    }),
  );
  // A development agent leads at once.
  const established = leadership.start();
  if (config.devMode) await established;

  return {
    kind: "server",
    delegate,
    consensus,
    snapshots,
    serverStates,
    get knownDatacenterCount() {
      return datacenters.names.length;
    },
    settled,
    fireEvent,
    datacenterMaps: async () => datacenterMaps(pool.wan.coordinates()),
    memberChanged: (member) => {
      directory.changed(member);
      expecting?.look();
      void reconciler?.memberChanged(member);
    },
    handOver: () => handOver(consensus, logger),
    left: () => {
      isLeaving = true;
      const drainMs = config.leaveDrainTimeMs;
      return untilGone({ consensus, ownId: nodeId, clock, drainMs });
    },
    async [Symbol.asyncDispose]() {
      isLeaving = true;
      await scope[Symbol.asyncDispose]();
    },
  };
}

/** What an operator left for this server to do first is done. */
async function openHome(platform: Platform, logger: Logger, dataDir: string): Promise<RaftHome> {
  const home = await openRaftHome(platform, logger, dataDir);
  try {
    await recoverByPeers(platform, logger, home);
    return home;
  } catch (error) {
    await home.wal[Symbol.asyncDispose]();
    throw error;
  }
}

const NO_BYTES = new Uint8Array(0);

interface Beginning {
  readonly needs: ServerNeeds;
  readonly self: Peer;
  readonly logger: Logger;
  readonly directory: ServerDirectory;
  readonly rpc: RpcPool;
}

/** Alone at once, or as soon as the servers that are expected are there; a server of an old cluster need not begin one. */
async function beginCluster(log: RaftLog, of: Beginning): Promise<BootstrapExpect> {
  const { needs, self, logger, directory, rpc } = of;
  const { bootstrap, bootstrapExpect, datacenter } = needs.config;
  const expecting = new BootstrapExpect({
    clock: needs.platform.clock,
    logger,
    expect: bootstrapExpect,
    log,
    servers: () => directory.all,
    peersOf: (server) => rpc.call(server, "Status.Peers", { Datacenter: datacenter }, {}),
  });
  if (bootstrap || bootstrapExpect === 1) await log.bootstrap([self]);
  if (bootstrap || bootstrapExpect <= 1) expecting[Symbol.dispose]();
  else expecting.look();
  return expecting;
}

function initialAutopilot({ autopilot }: RuntimeConfig): AutopilotConfig {
  return {
    ...DEFAULT_AUTOPILOT,
    CleanupDeadServers: autopilot.cleanupDeadServers,
    LastContactThreshold: autopilot.lastContactThresholdMs * MILLISECOND,
    MaxTrailingLogs: BigInt(autopilot.maxTrailingLogs),
    MinQuorum: BigInt(autopilot.minQuorum),
    ServerStabilizationTime: autopilot.serverStabilizationTimeMs * MILLISECOND,
  };
}

/** The leader as it can be called; undefined where nobody knows of one but this server. */
function remoteOf(
  leader: Peer | undefined,
  self: Peer,
  directory: ServerDirectory,
): RemoteServer | undefined {
  if (leader === undefined || leader.id === self.id) return undefined;
  const name = directory.byId(leader.id)?.name ?? leader.id;
  return { name, address: leader.address };
}
