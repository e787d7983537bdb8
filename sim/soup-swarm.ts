/** What a seed of the soup draws: how large its cluster is, and which faults come how often. */
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { ServerId } from "../src/raft/index.ts";
import type { ClusterOptions } from "../src/raft/testkit.ts";
import { RULES, type Rules } from "../src/raft/rules.ts";
import { pick } from "./swarm.ts";

/** Ratios are weights of events against each other. */
export interface SoupSwarm {
  readonly serverCount: number;
  readonly nonvoterCount: number;
  readonly strangerCount: number;
  readonly lose: number;
  readonly repeat: number;
  readonly crash: number;
  readonly split: number;
  readonly pause: number;
  readonly snapshot: number;
  readonly change: number;
  readonly transfer: number;
  readonly client: number;
  readonly sync: number;
  readonly heartbeatTimeoutMs: number;
  readonly passes: number;
  /** The longest that time goes on at once: against the timeouts, how slow messages are. */
  readonly passMs: number;
  /** Clocks run between 1 - this and 1 + this. */
  readonly drift: number;
  readonly knowsPreVote: number;
  readonly batchEntriesMax: number;
  readonly keyCount: number;
  readonly clientCount: number;
  /** How likely a new leader is soon shut out, and the one before let in again. */
  readonly haunt: number;
  /** How likely such a leader begins with a change of members. */
  readonly unrest: number;
  /** How likely a server stops hearing its leader after a commit, so that it stands again and again. */
  readonly siege: number;
  /** How likely all turn to who stands, and away from who leads, before any time passes. */
  readonly coup: number;
  /** How likely a new leader is shut out before it has sent anything, and all others restart. */
  readonly amnesia: number;
  /** How likely all servers lose their power when something has just been committed. */
  readonly outage: number;
}

export const NAMES: readonly ServerId[] = "abcdefghij".split("");

const COMMON = ["lose", "repeat", "crash", "split", "pause", "snapshot", "change", "transfer"];

export function drawSoupSwarm(random: SimRandom): SoupSwarm {
  const main = pick(random, COMMON);
  /** One kind of fault is common; most others do not come up, so that each is seen nearly alone, too. */
  const maybe = (kind: string, most: number): number => {
    if (kind === main) return most * (0.5 + 0.5 * random.float());
    return random.chance(0.3) ? random.float() * most : 0;
  };
  const swarm: SoupSwarm = {
    serverCount: random.between(1, 7),
    nonvoterCount: random.chance(0.2) ? 1 : 0,
    strangerCount: random.chance(0.4) ? random.between(1, 2) : 0,
    lose: maybe("lose", 6),
    repeat: maybe("repeat", 4),
    crash: maybe("crash", 1.5),
    split: maybe("split", 0.6),
    pause: maybe("pause", 1.5),
    snapshot: maybe("snapshot", 1),
    change: maybe("change", 1),
    transfer: maybe("transfer", 0.8),
    client: 1 + random.float() * 8,
    sync: random.chance(0.3) ? 2 : 20,
    passes: 5 + random.float() * 20,
    heartbeatTimeoutMs: random.between(150, 1000),
    passMs: random.between(2, 30),
    drift: maybe("drift", 0.2),
    knowsPreVote: random.chance(0.7) ? 1 : random.float(),
    batchEntriesMax: random.between(1, 8),
    keyCount: random.between(1, 3),
    clientCount: random.between(1, 6),
    haunt: 0,
    unrest: 0,
    siege: 0,
    coup: 0,
    amnesia: 0,
    outage: 0,
  };
  return random.chance(0.5) ? swarm : { ...swarm, ...drawIntrigue(random) };
}

/** Some clusters live through one change of leaders after the other, at the worst moments. */
function drawIntrigue(random: SimRandom): Partial<SoupSwarm> {
  return {
    serverCount: random.between(3, 5),
    nonvoterCount: 0,
    lose: 0,
    repeat: 0,
    drift: 0,
    sync: 20,
    heartbeatTimeoutMs: random.between(150, 300),
    passMs: random.between(5, 20),
    batchEntriesMax: random.chance(0.6) ? 1 : random.between(2, 8),
    keyCount: 1,
    haunt: random.chance(0.5) ? random.float() : 0,
    unrest: random.chance(0.5) ? random.float() : 0,
    siege: random.chance(0.5) ? 0.2 * random.float() : 0,
    // What is written meanwhile, a rival lacks.
    client: random.chance(0.5) ? 0.1 : 1 + 8 * random.float(),
    coup: random.chance(0.5) ? random.float() : 0,
    amnesia: random.chance(0.3) ? random.float() : 0,
    outage: random.chance(0.3) ? 0.05 * random.float() : 0,
  };
}

export function soupClusterOptions(
  random: SimRandom,
  swarm: SoupSwarm,
  rules: Partial<Rules>,
): ClusterOptions {
  const { heartbeatTimeoutMs, batchEntriesMax } = swarm;
  const ignorant = new Set(NAMES.filter(() => !random.chance(swarm.knowsPreVote)));
  return {
    rules: { ...RULES, ...rules },
    knowsPreVote: (id) => !ignorant.has(id),
    tellsConflicts: random.chance(0.5),
    batchEntriesMax,
    inflightMax: random.between(1, 8),
    recentBytesMax: random.chance(0.3) ? 0 : 1_000_000,
    trailingLogs: random.between(0, 20),
    heartbeatTimeoutMs,
    electionTimeoutMs: heartbeatTimeoutMs,
    leaseTimeoutMs: heartbeatTimeoutMs * (0.3 + 0.5 * random.float()),
  };
}
