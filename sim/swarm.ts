/**
 * What one seed does to a cluster, drawn before the run: how large it is, how its network, disks and clocks
 * are, and which faults come how often. Most kinds of fault are left out of most runs (swarm testing: Groce et
 * al., ISSTA 2012), so that each is also seen nearly alone, for long, and in mixtures.
 */
import type { Latency, SimRandom } from "../src/platform/sim/index.ts";

export const FAULTS = [
  "crash",
  "split",
  "pause",
  "slow host",
  "full disk",
  "failing disk",
  "slow disk",
  "flipped bit",
  "transfer",
  "change",
  "power cut",
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Swarm {
  readonly serverCount: number;
  readonly nonvoterCount: number;
  readonly strangerCount: number;
  readonly heartbeatTimeoutMs: number;
  readonly leaseTimeoutMs: number;
  readonly commitTimeoutMs: number;
  readonly latency: Latency;
  readonly lossRatio: number;
  /** Clocks run between 1 - this and 1 + this. */
  readonly drift: number;
  readonly faults: readonly FaultKind[];
  /** Between two faults, on average. */
  readonly calmMs: number;
  readonly clientCount: number;
  readonly keyCount: number;
  readonly thinkMs: number;
  readonly trailingLogs: number;
  readonly snapshotThreshold: number;
  readonly batchEntriesMax: number;
  readonly recentBytesMax: number;
  readonly segmentMaxBytes: number;
  /** Of servers, those that do. */
  readonly preVoteRatio: number;
  readonly faultsMs: number;
}

export function drawSwarm(random: SimRandom): Swarm {
  const heartbeatTimeoutMs = random.between(150, 600);
  const main = pick(random, FAULTS);
  return {
    serverCount: pick(random, [1, 2, 3, 3, 3, 3, 4, 5, 5, 7]),
    nonvoterCount: random.chance(0.2) ? 1 : 0,
    strangerCount: random.chance(0.3) ? random.between(1, 2) : 0,
    heartbeatTimeoutMs,
    leaseTimeoutMs: heartbeatTimeoutMs * (0.4 + 0.4 * random.float()),
    commitTimeoutMs: random.between(5, 50),
    latency: drawLatency(random, heartbeatTimeoutMs),
    lossRatio: random.chance(0.3) ? random.float() * 0.05 : 0,
    drift: random.chance(0.3) ? random.float() * 0.15 : 0,
    faults: FAULTS.filter((kind) => kind === main || random.chance(0.25)),
    calmMs: heartbeatTimeoutMs * (0.3 + 3 * random.float()),
    clientCount: random.between(1, 5),
    keyCount: random.between(1, 3),
    thinkMs: heartbeatTimeoutMs * (0.02 + 0.3 * random.float()),
    trailingLogs: random.between(0, 20),
    snapshotThreshold: random.chance(0.6) ? random.between(5, 40) : 1_000_000,
    batchEntriesMax: random.between(1, 16),
    recentBytesMax: random.chance(0.3) ? 0 : 1_000_000,
    segmentMaxBytes: random.between(500, 20_000),
    preVoteRatio: random.chance(0.7) ? 1 : random.float(),
    faultsMs: heartbeatTimeoutMs * random.between(15, 40),
  };
}

export function pick<T>(random: SimRandom, from: readonly T[]): T {
  return from[random.between(0, from.length - 1)] as T;
}

function drawLatency(random: SimRandom, heartbeatTimeoutMs: number): Latency {
  const most = heartbeatTimeoutMs * 0.06;
  switch (random.between(0, 2)) {
    case 0:
      return { kind: "fixed", ms: 0.1 + random.float() * most };
    case 1:
      return { kind: "uniform", minMs: 0.1, maxMs: 0.2 + random.float() * most };
    default:
      return { kind: "tailed", minMs: 0.1, meanMs: 0.2 + random.float() * most };
  }
}
