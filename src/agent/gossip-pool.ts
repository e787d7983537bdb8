/**
 * This agent's place in a gossip pool: Consul's settings, tags and rules of admission on top of Serf. Every agent is
 * in the LAN pool of its datacenter; servers are in the WAN pool of all datacenters too.
 */
import { join } from "node:path";
import type { RuntimeConfig } from "../config/index.ts";
import { regexMatcher } from "../filter/index.ts";
import { LAN_PROFILE, WAN_PROFILE, type GossipProfile } from "../gossip/index.ts";
import type { Logger, Metrics, Platform } from "../platform/index.ts";
import { startSerf, type Serf } from "../serf/index.ts";
import { openKeyring } from "./gossip-keyring.ts";
import { admitAddresses, admitToLan, admitToWan } from "./pool-admission.ts";
import { poolNodeName, poolTags, SEGMENT, type PoolName } from "./pool-tags.ts";

export interface PoolNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: RuntimeConfig;
  readonly nodeId: string;
}

/** Serf's protocol that all versions of Consul since 0.4 speak. */
const SERF_PROTOCOL = 4;
const DEAD_NODE_RECLAIM_MS = 30_000;
const LEAVE_PROPAGATE_MS = 3000;
const QUEUE_DEPTH_MIN = 4096;
const SNAPSHOTS: Readonly<Record<PoolName, string>> = {
  lan: "local.snapshot",
  wan: "remote.snapshot",
};

/** @throws {RollcallError} `net/bind`, or `config/invalid` for a key that is none */
export async function startPool(needs: PoolNeeds, pool: PoolName): Promise<Serf> {
  const { platform, metrics, config, nodeId } = needs;
  const { gossip, nodeName, datacenter } = config;
  const logger = needs.logger.named(`serf.${pool}`);
  const keys = await openKeyring({ disk: platform.disk, logger, config }, pool);
  const settings = gossip[pool];
  const port = pool === "lan" ? config.ports.serfLan : config.ports.serfWan;
  const advertised = pool === "lan" ? config.advertiseAddr : config.advertiseAddrWan;
  const isPersistent = !config.devMode && config.dataDir !== "";
  if (isPersistent) await platform.disk.makeDirectory(join(config.dataDir, "serf"));
  const own = { nodeName, nodeId, datacenter, segment: SEGMENT };
  return startSerf({
    platform,
    logger,
    metrics,
    name: poolNodeName(config, pool),
    bind: { host: settings.bindAddr, port },
    advertise: { host: advertised, port },
    protocol: SERF_PROTOCOL,
    tags: poolTags(config, nodeId, pool),
    profile: poolProfile(config, pool),
    ...(keys === undefined ? {} : { keyring: keys.keyring }),
    ...(keys?.file === undefined ? {} : { keyringFile: keys.file }),
    verifyIncoming: gossip.verifyIncoming,
    verifyOutgoing: gossip.verifyOutgoing,
    ...(isPersistent ? { snapshotPath: join(config.dataDir, "serf", SNAPSHOTS[pool]) } : {}),
    rejoinAfterLeave: gossip.rejoinAfterLeave,
    reconnectTimeoutMs: settings.reconnectTimeoutMs,
    leavePropagateDelayMs: LEAVE_PROPAGATE_MS,
    queueDepthMin: QUEUE_DEPTH_MIN,
    resolveNameConflicts: pool === "lan" && !config.server,
    disableCoordinates: config.disableCoordinates,
    compilePattern: regexMatcher,
    checkMerge: (members) => {
      const ownName = poolNodeName(config, pool);
      admitAddresses(members, { ownName, allowed: settings.allowedCidrs });
      const applicants = members.map(({ name, tags, state }) => ({
        name,
        tags,
        hasLeft: state === "left",
      }));
      if (pool === "lan") admitToLan(applicants, own);
      else admitToWan(applicants);
    },
  });
}

const PROFILES: Readonly<Record<PoolName, GossipProfile>> = { lan: LAN_PROFILE, wan: WAN_PROFILE };

/** memberlist's profile for such a network, with what Consul and its configuration change of it. */
export function poolProfile({ gossip }: RuntimeConfig, pool: PoolName): GossipProfile {
  const settings = gossip[pool];
  return {
    ...PROFILES[pool],
    deadNodeReclaimMs: DEAD_NODE_RECLAIM_MS,
    gossipIntervalMs: settings.gossipIntervalMs,
    gossipNodes: settings.gossipNodes,
    probeIntervalMs: settings.probeIntervalMs,
    probeTimeoutMs: settings.probeTimeoutMs,
    retransmitMult: settings.retransmitMult,
    suspicionMult: settings.suspicionMult,
  };
}
