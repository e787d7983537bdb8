/** The part of an agent in its datacenter: it is one of the servers, or a client of theirs. */
import type { RuntimeConfig } from "../config/index.ts";
import { failureTolerance } from "../model/index.ts";
import type { Gauge, Host, Logger, Platform } from "../platform/index.ts";
import { startServer, type Server, type ServerRules } from "../server/index.ts";
import { startClient, type Client } from "./client.ts";
import type { Pools } from "./pools.ts";
import { serverPool } from "./server-pool.ts";

export type Role = Server | Client;

export interface RoleNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly config: RuntimeConfig;
  readonly nodeId: string;
  readonly pools: Pools;
  /** The agent cannot go on. */
  readonly onFailure: (message: string) => void;
  readonly serverRules?: Partial<ServerRules> | undefined;
}

/** @throws {RollcallError} `net/bind`, `disk/failed` */
export function startRole(needs: RoleNeeds): Role | Promise<Role> {
  const { platform, logger, config, nodeId, pools, onFailure, serverRules: rules } = needs;
  if (config.server) {
    const pool = serverPool(pools, config);
    return startServer({ platform, logger, config, nodeId, pool, onFailure, rules });
  }
  const memberCount = (): number => pools.lan.members().length;
  return startClient({ platform, logger, config, memberCount });
}

export function gaugesOf(host: Host, { lan }: Pools, role: Role): readonly Gauge[] {
  const usage = host.usage();
  return [
    { name: "runtime.alloc_bytes", value: usage.heapUsedBytes },
    { name: "runtime.sys_bytes", value: usage.residentBytes },
    { name: "memberlist.health.score", value: lan.stats().health_score },
    ...(role.kind === "server" ? raftGauges(role) : []),
  ];
}

function raftGauges(server: Server): readonly Gauge[] {
  const { consensus } = server;
  const log = [
    { name: "raft.applied_index", value: consensus.appliedIndex },
    { name: "raft.last_index", value: consensus.lastIndex },
  ];
  if (!consensus.isLeader) return log;
  const states = server.serverStates();
  return [
    ...log,
    { name: "autopilot.healthy", value: states.every(({ Healthy }) => Healthy) ? 1 : 0 },
    { name: "autopilot.failure_tolerance", value: failureTolerance(states) },
  ];
}
