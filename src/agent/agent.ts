/**
 * The composition root: a configuration in, a running agent out. It puts the parts together and owns their
 * lifetimes; what they do is their own business.
 */
import type { LoadedConfig, RuntimeConfig } from "../config/index.ts";
import { dnsSelection, startDnsServer } from "../dns/index.ts";
import { startHttpServer, type LocalAgent } from "../http/index.ts";
import {
  DisposableScope,
  Metrics,
  parseLogLevel,
  pause,
  type Clock,
  type LineLogger,
  type Logger,
  type MetricsNaming,
  type Platform,
} from "../platform/index.ts";
import type { ServerRules } from "../server/index.ts";
import { metricsNaming, sendMetrics } from "../telemetry/index.ts";
import { DEFAULT_QUERY } from "../rpc/index.ts";
import { NEW_LEADER_EVENT, serfNameOfEvent } from "../wire/index.ts";
import { AntiEntropy, type NodeInfo } from "./anti-entropy.ts";
import { CheckRunners } from "./check-runners.ts";
import { CoordinateSender } from "./coordinate-sender.ts";
import { FloodJoin } from "./flood-join.ts";
import { Joining } from "./joining.ts";
import { LocalServices } from "./local-services.ts";
import { LocalState } from "./local-state.ts";
import { measuredDelegate } from "./measured-delegate.ts";
import { poolMember, shownMember } from "./members.ts";
import { nodeIdOf } from "./node-id.ts";
import { registerConfigured } from "./configured.ts";
import { openPersisted } from "./persisted.ts";
import { SEGMENT, type PoolName } from "./pool-tags.ts";
import { Pools } from "./pools.ts";
import { restoreRegistrations } from "./restore.ts";
import { gaugesOf, startRole, type Role } from "./role.ts";
import { selfOf } from "./self.ts";
import { serviceChanged } from "./service-changed.ts";
import { UserEvents } from "./user-events.ts";
import { Watches } from "./watches.ts";

export interface AgentNeeds {
  readonly platform: Platform;
  /** A reload changes its level, and callers follow its lines, if it is one with a level and lines. */
  readonly logger: Logger & Partial<Pick<LineLogger, "setLevel" | "subscribe">>;
  readonly loaded: LoadedConfig;
  /** Reads the configuration again, from where it was read at the start. */
  readonly readConfig: () => Promise<LoadedConfig>;
  /** Called when somebody asked the agent to leave over HTTP, once it has left. */
  readonly onLeave: () => void;
  /** Called when the agent cannot do what it was configured for, and should end. */
  readonly onFailure: (message: string) => void;
  /** Others than the right ones: for tests alone. */
  readonly serverRules?: Partial<ServerRules> | undefined;
}

export interface Agent extends AsyncDisposable {
  readonly config: RuntimeConfig;
  readonly nodeId: string;
  /** @throws when the new configuration cannot be used; the agent goes on with the old one */
  reload(): Promise<void>;
  /**
   * Joins whom the configuration says it has to join at the start.
   * @returns how many were joined; undefined where nobody is named
   * @throws {RollcallError} when nobody could be joined
   */
  joinConfigured(pool: PoolName): Promise<number | undefined>;
  /** Tells the other members that this agent goes, and waits until they have heard; once. Dispose of it then. */
  leave(): Promise<void>;
}

/** @throws {RollcallError} what the configuration may not say, or `net/bind`; nothing is left running then */
export async function startAgent(needs: AgentNeeds): Promise<Agent> {
  const scope = new DisposableScope();
  try {
    return await start(needs, scope);
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(needs: AgentNeeds, scope: DisposableScope): Promise<Agent> {
  const { platform, loaded } = needs;
  const logger = needs.logger.named("agent");
  let { config } = loaded;
  const nodeId = await nodeIdOf(platform, config);
  for (const warning of loaded.warnings) logger.warn(warning);

  const naming = (): MetricsNaming => metricsNaming(config.telemetry, platform.host.hostname);
  const metrics: Metrics = new Metrics({
    clock: platform.clock,
    readGauges: () => gaugesOf(platform.host, pools, role),
    naming: naming(),
  });
  scope.use(sendMetrics({ platform, logger, metrics, config: config.telemetry }));
  const pools: Pools = scope.use(await Pools.start({ platform, logger, metrics, config, nodeId }));
  const role = scope.use(
    await startRole({
      platform,
      logger,
      config,
      nodeId,
      pools,
      onFailure: needs.onFailure,
      serverRules: needs.serverRules,
    }),
  );
  const delegate = measuredDelegate(role.delegate, platform.clock, metrics);
  const state = new LocalState(platform.clock);
  const dataDir = config.devMode ? "" : config.dataDir;
  const persisted = scope.use(await openPersisted({ platform, logger, state, dataDir }));
  const node = (): NodeInfo => nodeInfoOf(config, nodeId);
  const antiEntropy = scope.use(
    new AntiEntropy({
      clock: platform.clock,
      random: platform.random,
      logger,
      delegate,
      state,
      node,
      memberCount: () => pools.lan.members().length,
      checkUpdateIntervalMs: config.checkUpdateIntervalMs,
    }),
  );
  const runners = scope.use(
    new CheckRunners({
      platform,
      logger,
      state,
      delegate,
      outputMaxBytes: config.checkOutputMaxSizeBytes,
      discardOutput: () => config.discardCheckOutput,
      onStatus: () => void antiEntropy.syncChanges(),
      onOutput: (id) => antiEntropy.outputChanged(id),
      onOverdue: (service, check) => {
        logger.info("Check has been critical for too long; deregistering its service", {
          check,
          service,
        });
        void services.deregisterService(service);
      },
    }),
  );
  const services = new LocalServices({
    nodeName: config.nodeName,
    logger,
    state,
    runners,
    persisted,
    policy: () => config,
    sync: () => atMost(platform.clock, SYNC_PATIENCE_MS, antiEntropy.syncChanges()),
  });
  await restoreRegistrations({ services, state, persisted, configured: config });
  const isReady = role.kind === "server" ? role.settled : Promise.resolve();
  const synced = isReady.then(() => antiEntropy.start());
  // A development agent leads already; others may have to wait for a leader, and answer meanwhile.
  if (config.devMode) await synced;

  const reload = async (): Promise<void> => {
    const next = await needs.readConfig();
    for (const warning of next.warnings) logger.warn(warning);
    config = reloadable(config, next.config);
    needs.logger.setLevel?.(parseLogLevel(config.logLevel) ?? "info");
    metrics.rename(naming());
    await registerConfigured(services, state, config);
    watches.restart(config);
    antiEntropy.nodeChanged();
    await antiEntropy.syncChanges();
  };

  const userEvents = new UserEvents({
    clock: platform.clock,
    random: platform.random,
    logger,
    nodeName: config.nodeName,
    services: () => [...state.services.values()].map(({ service }) => service),
    send: async (Name, Payload, Datacenter) => {
      if (Datacenter === "" || Datacenter === config.datacenter) {
        pools.lan.fireEvent(serfNameOfEvent(Name), Payload);
      } else await role.fireEvent({ ...DEFAULT_QUERY, Datacenter, Name, Payload });
    },
  });
  const { datacenter } = config;
  const flooding = scope.use(new FloodJoin({ clock: platform.clock, logger, datacenter, pools }));
  scope.use(
    pools.lan.subscribe((event) => {
      if (event.kind === "query") return;
      if (event.kind !== "user") {
        flooding.look();
        for (const member of event.members) role.memberChanged(poolMember(member, event.kind));
      } else if (event.name === NEW_LEADER_EVENT) {
        logger.info("New leader elected", { payload: new TextDecoder().decode(event.payload) });
        void antiEntropy.syncAll();
      } else userEvents.receive(event);
    }),
  );
  // Who came back by itself from the pool's snapshot may have come before there was anybody to hear of it.
  for (const member of pools.lan.members()) role.memberChanged(poolMember(member));
  if (!config.disableCoordinates) {
    scope.use(
      new CoordinateSender({
        clock: platform.clock,
        random: platform.random,
        logger,
        delegate,
        datacenter: config.datacenter,
        nodeName: config.nodeName,
        segment: SEGMENT,
        memberCount: () => pools.lan.members().length,
        coordinate: () => pools.lan.coordinate(),
      }),
    );
  }
  const joining = scope.use(
    new Joining({
      clock: platform.clock,
      logger,
      config,
      pools,
      onExhausted: (message) => needs.onFailure(message),
    }),
  );
  let leaving: Promise<void> | undefined;
  const leave = (): Promise<void> => {
    leaving ??= leavePools(role, pools);
    return leaving;
  };
  const agent: LocalAgent = {
    services: () => state.services,
    checks: () => new Map([...state.checks].map(([id, { check }]) => [id, check])),
    registerService: (definition, { replaceExistingChecks, source }) =>
      services.registerService(definition, { replaceExistingChecks, origin: originOf(source) }),
    deregisterService: (id) => services.deregisterService(id),
    registerCheck: (definition, { source }) => services.registerCheck(definition, originOf(source)),
    deregisterCheck: (id) => services.deregisterCheck(id),
    updateTtl: (id, status, output) => services.updateTtl(id, status, output),
    setNodeMaintenance: (enable, reason) => services.setNodeMaintenance(enable, reason),
    setServiceMaintenance: (id, enable, reason) =>
      services.setServiceMaintenance(id, enable, reason),
    serviceChanged: (id, hash, waitMs, signal) =>
      serviceChanged(state, platform.clock, { id, hash, waitMs, signal }),
    fireEvent: (event, datacenter) => userEvents.fire(event, datacenter),
    events: () => userEvents.events,
    eventsChanged: (seen, waitMs, signal) => userEvents.changed(seen, waitMs, signal),
    metrics: () => metrics.measured(),
    totalMetrics: () => metrics.total(),
    join: async (address, pool, signal) => void (await pools.join([address], pool, signal)),
    forceLeave: (member, options) => pools.forceLeave(member, options),
    members: (pool) => pools.members(pool),
    datacenterMaps: () => role.datacenterMaps(),
    keyring: (request) => pools.keyring(request),
    self: () =>
      selfOf({
        config,
        shown: loaded.shown,
        nodeId,
        member: shownMember(pools.lan.local),
        meta: node().meta,
        host: platform.host,
        counts: { services: state.services.size, ...runners.counts },
        role,
        pools,
      }),
    reload,
    leave: async () => {
      await leave();
      needs.onLeave();
    },
  };
  const listening = { platform, logger, config: () => config, delegate };
  scope.use(await startDnsServer(listening));
  scope.use(
    await startHttpServer({
      ...listening,
      snapshots: role.snapshots,
      meter: metrics,
      logs: { subscribe: (sink) => needs.logger.subscribe?.(sink) ?? NO_LINES },
      agent,
      dnsSelection: (instances) => dnsSelection({ ...instances, config }),
    }),
  );

  const watches = scope.use(new Watches({ platform, logger, config: () => config }));
  watches.restart(config);
  joining.begin();
  return {
    get config() {
      return config;
    },
    nodeId,
    reload,
    joinConfigured: (pool) => joining.once(pool),
    leave,
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

/** How long an answer waits for the catalog to have followed a registration. */
const SYNC_PATIENCE_MS = 500;

/** Resolves with the work, or after that time without it. */
async function atMost(clock: Clock, mostMs: number, work: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, pause(clock, mostMs, over.signal)]);
  over.abort();
}

async function leavePools(role: Role, pools: Pools): Promise<void> {
  await role.handOver();
  await pools.leave();
  await role.left();
}

const NO_LINES: Disposable = { [Symbol.dispose]: () => {} };

const originOf = (source: "local" | "remote"): "config" | "api" =>
  source === "local" ? "config" : "api";

/** The configuration after a reload: the keys that Consul reloads, the rest as it was at the start. */
function reloadable(running: RuntimeConfig, next: RuntimeConfig): RuntimeConfig {
  return {
    ...running,
    services: next.services,
    checks: next.checks,
    watches: next.watches,
    nodeMeta: next.nodeMeta,
    dns: next.dns,
    discardCheckOutput: next.discardCheckOutput,
    discoveryMaxStaleMs: next.discoveryMaxStaleMs,
    telemetry: {
      ...running.telemetry,
      prefixFilter: next.telemetry.prefixFilter,
      filterDefault: next.telemetry.filterDefault,
    },
    logLevel: next.logLevel,
    limits: {
      ...running.limits,
      httpMaxConnsPerClient: next.limits.httpMaxConnsPerClient,
    },
  };
}

function nodeInfoOf(config: RuntimeConfig, id: string): NodeInfo {
  return {
    id,
    name: config.nodeName,
    address: config.advertiseAddr,
    datacenter: config.datacenter,
    taggedAddresses: config.taggedAddresses,
    meta: { ...config.nodeMeta, "consul-network-segment": "" },
  };
}
