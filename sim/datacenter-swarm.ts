/** What one seed does to a datacenter of whole agents, drawn before the run (swarm testing, as in `swarm.ts`). */
import type { SimRandom } from "../src/platform/sim/index.ts";
import { pick } from "./swarm.ts";

export const TROUBLES = [
  "crash",
  "power cut",
  "pause",
  "split",
  "slow host",
  "slow disk",
  "failing disk",
  "leave",
  "move",
] as const;
export type Trouble = (typeof TROUBLES)[number];

export interface DatacenterSwarm {
  readonly serverCount: number;
  readonly clientCount: number;
  readonly raftMultiplier: number;
  readonly snapshotThreshold: number;
  readonly trailingLogs: number;
  /** One way, at most. */
  readonly latencyMs: number;
  /** Of datagrams and segments. */
  readonly lossRatio: number;
  /** Clocks run between 1 - this and 1 + this. */
  readonly drift: number;
  readonly troubles: readonly Trouble[];
  /** Between two troubles, on average. */
  readonly calmMs: number;
  readonly troublesMs: number;
  /** What most of them last at most. */
  readonly longMs: number;
  readonly thinkMs: number;
  readonly writerCount: number;
  readonly lockerCount: number;
  readonly watcherCount: number;
  readonly lockDelayS: number;
}

export function drawDatacenterSwarm(random: SimRandom): DatacenterSwarm {
  const main = pick(random, TROUBLES);
  return {
    serverCount: pick(random, [1, 2, 3, 3, 3, 3, 3, 3, 4, 5]),
    clientCount: pick(random, [0, 1, 1, 2, 3]),
    raftMultiplier: pick(random, [1, 1, 1, 2, 5]),
    snapshotThreshold: random.chance(0.6) ? random.between(5, 60) : 16_384,
    trailingLogs: random.chance(0.7) ? random.between(1, 20) : 10_240,
    latencyMs: 0.5 + random.float() * random.float() * 60,
    lossRatio: random.chance(0.25) ? random.float() * 0.04 : 0,
    drift: random.chance(0.3) ? random.float() * 0.05 : 0,
    troubles: TROUBLES.filter((kind) => kind === main || random.chance(0.2)),
    calmMs: random.between(1500, 9000),
    troublesMs: random.between(20_000, 45_000),
    longMs: pick(random, [15_000, 15_000, 35_000]),
    thinkMs: random.between(100, 500),
    writerCount: random.between(1, 3),
    lockerCount: random.between(0, 3),
    watcherCount: random.between(2, 5),
    lockDelayS: pick(random, [0, 1, 4, 15]),
  };
}
