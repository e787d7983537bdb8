/**
 * What makes an agent a server: the store, the log that feeds it, and the leader's duties. With a single
 * server it leads from the start.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { localDelegate } from "../endpoints/index.ts";
import { RollcallError } from "../errors/index.ts";
import {
  CONSUL_VERSION,
  DEFAULT_AUTOPILOT,
  MILLISECOND,
  type Command,
  type ServerState,
  type Session,
} from "../model/index.ts";
import type { Logger, Platform } from "../platform/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { Store, type ApplyEffects } from "../store/index.ts";
import { CoordinateBatches } from "./coordinate-batches.ts";
import { LockDelays } from "./lock-delays.ts";
import { memoryLog } from "./memory-log.ts";
import { MemberReconciler, type PoolMember } from "./member-reconciler.ts";
import { SessionTimers } from "./session-timers.ts";
import { TombstoneReaper } from "./tombstone-reaper.ts";

export interface ServerNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly config: RuntimeConfig;
  readonly nodeId: string;
  /** Of the LAN pool, in any status, this server among them. */
  readonly members: () => readonly PoolMember[];
}
export interface Server extends AsyncDisposable {
  readonly delegate: Delegate;
  /** RPC address of the leader as this server knows it. */
  readonly leaderAddress: string;
  /** Index of the last command in the log. */
  readonly lastIndex: number;
  /** Of the log's leader. */
  readonly term: number;
  /** A member of the LAN pool has changed: the catalog is to follow. */
  memberChanged(member: PoolMember): void;
}

export async function startServer(needs: ServerNeeds): Promise<Server> {
  const { platform, config, nodeId } = needs;
  const { clock } = platform;
  const logger = needs.logger.named("server");
  const store = new Store();
  const lockDelays = new LockDelays(clock);
  const address = `${config.advertiseAddr}:${config.ports.server}`;

  const onApplied = (index: number, effects: ApplyEffects): void => {
    for (const { key, delayNs } of effects.lockDelays) lockDelays.start(key, delayNs / MILLISECOND);
    for (const id of effects.createdSessions) sessionTimers.renew(id);
    for (const id of effects.destroyedSessions) sessionTimers.stop(id);
    if (effects.tombstone) tombstones.laid(index);
  };
  const log = memoryLog(store, onApplied);
  const applied = async (command: Command): Promise<void> => {
    const result = await log.apply(command);
    if (result.kind === "refused") throw result.error;
  };
  const { datacenter: Datacenter } = config;
  const sessionTimers = new SessionTimers({
    clock,
    logger,
    ttlOf: (id) => store.view().session(id)?.TTL,
    destroy: (id) =>
      applied({
        type: "Session",
        body: { Datacenter, Op: "destroy", Session: { ...BLANK_SESSION, ID: id } },
      }),
  });
  const tombstones = new TombstoneReaper(clock, logger, (ReapIndex) =>
    applied({ type: "Tombstone", body: { Datacenter, Op: "reap", ReapIndex } }),
  );

  const coordinates = new CoordinateBatches(clock, logger, (body) =>
    applied({ type: "CoordinateBatchUpdate", body }),
  );

  const StableSinceMs = clock.wallMs();
  const ownState = (): ServerState => ({
    ID: nodeId,
    Name: config.nodeName,
    Address: address,
    SerfStatus: "alive",
    Version: CONSUL_VERSION,
    Leader: true,
    Voter: true,
    RaftProtocol: "3",
    LastContactMs: 0,
    LastTerm: FIRST_TERM,
    LastIndex: store.lastIndex,
    Healthy: true,
    StableSinceMs,
  });
  let isOpen = true;
  const delegate = localDelegate({
    platform,
    store,
    datacenter: config.datacenter,
    limits: config,
    apply: (command) =>
      isOpen ? log.apply(command) : Promise.reject(new RollcallError("raft/no-leader")),
    leadership: {
      leader: () => address,
      peers: () => [address],
      lastContactMs: () => 0,
      servers: () => [ownState()],
    },
    sessionTimers,
    coordinates,
    lockDelayMs: (key) => lockDelays.remainingMs(key),
  });

  logger.info("cluster leadership acquired");
  if (store.view().autopilot() === undefined) {
    await applied({
      type: "Autopilot",
      body: { Datacenter, Config: DEFAULT_AUTOPILOT, CAS: false },
    });
  }
  const reconciler = new MemberReconciler({
    clock,
    logger,
    store,
    datacenter: config.datacenter,
    ownName: config.nodeName,
    apply: applied,
    members: needs.members,
  });
  await reconciler.start();

  return {
    delegate,
    leaderAddress: address,
    term: FIRST_TERM,
    get lastIndex() {
      return store.lastIndex;
    },
    memberChanged: (member) => void reconciler.memberChanged(member),
    async [Symbol.asyncDispose]() {
      isOpen = false;
      reconciler[Symbol.dispose]();
      sessionTimers[Symbol.dispose]();
      tombstones[Symbol.dispose]();
      coordinates[Symbol.dispose]();
      lockDelays[Symbol.dispose]();
    },
  };
}

/** A cluster of one has elected its leader at its first attempt; the term before it is that of the bootstrap. */
const FIRST_TERM = 2;

const BLANK_SESSION: Session = {
  ID: "",
  Name: "",
  Node: "",
  LockDelay: 0,
  Behavior: "",
  TTL: "",
  NodeChecks: null,
  ServiceChecks: null,
  Checks: null,
  CreateIndex: 0,
  ModifyIndex: 0,
};
