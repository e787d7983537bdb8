/**
 * Whole pools in virtual time. Each scenario runs for several seeds, which its name shows; `SEED=41` runs that one
 * alone. Larger pools, and the figures that docs/gossip.md reports: scripts/gossip-figures.mjs.
 */
import { describe, expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { LAN_PROFILE, type GossipProfile } from "./profile.ts";
import {
  hostAt,
  LIFEGUARD_ONLY,
  NEVER,
  PORT,
  SIM_PROFILE,
  SimCluster,
  SWIM_ONLY,
  type ClusterOptions,
  type Told,
} from "./testkit.ts";

const SEEDS: readonly string[] = (process.env["SEED"] ?? "1,2").split(",");
const LAN_LATENCY = { kind: "uniform", minMs: 0.2, maxMs: 2 } as const;

async function pool(
  size: number,
  seed: string,
  options: Omit<ClusterOptions, "seed"> = {},
): Promise<SimCluster> {
  const cluster = new SimCluster({ seed, ...options });
  cluster.world.network.links.everywhere({ latency: LAN_LATENCY });
  await cluster.start(size);
  await cluster.joinAll();
  await agreed(cluster);
  cluster.told.length = 0;
  return cluster;
}

/** What gossip misses, which is little, the exchange of whole states brings. */
async function agreed(cluster: SimCluster, limitMs = 400_000): Promise<number> {
  const tookMs = await cluster.runUntil(() => cluster.allSeeAll, limitMs);
  expect(cluster.wrongViews()).toEqual([]);
  return tookMs ?? limitMs;
}

function deaths(told: readonly Told[]): string[] {
  return told.filter(({ what }) => what === "dead").map(({ by, about }) => `${by}: ${about}`);
}

describe.each(SEEDS)("seed %s", (seed) => {
  test.each([
    [100, 0],
    [100, 0.05],
    [40, 0.3],
  ])("%d members, loss %d: a failure is found, and no other", async (size, lossRatio) => {
    await using cluster = await pool(size, seed);
    using _loss = cluster.world.network.links.everywhere({ latency: LAN_LATENCY, lossRatio });
    await cluster.runCoarsely(20_000);
    expect(deaths(cluster.told)).toEqual([]);
    const victim = cluster.nodes[17]!;
    await cluster.kill(victim);
    const tookMs = await agreed(cluster);
    expect(new Set(cluster.told.map(({ about }) => about))).toEqual(new Set([victim.name]));
    // The suspicion is between its least and its most, 6.4 to 48 s here, after a probe, and before it has gone round.
    expect(tookMs).toBeGreaterThan(6400);
    expect(tookMs).toBeLessThan(70_000);
  });

  test("what a member has to tell reaches a hundred within the retransmissions of gossip", async () => {
    await using cluster = await pool(100, seed);
    const { gossip } = cluster.nodes[5]!;
    const before = gossip.local.incarnation;
    const updating = gossip.updateMeta({ timeoutMs: 60_000 });
    const heardBy = () =>
      cluster.nodes.filter(({ gossip }) => gossip.member("n5")!.incarnation > before).length;
    const tookMs = await cluster.runUntil(() => heardBy() === 100, 60_000);
    await cluster.world.clock.until(updating);
    // Eight transmissions at five rounds a second; log(100) rounds in the mean.
    expect(tookMs).toBeLessThan(3000);
  });

  test("suspicions that fell due during a stall wait for what was in the socket", async () => {
    await using cluster = await pool(20, seed);
    const { links } = cluster.world.network;
    const [blocked, suspect] = [cluster.nodes[4]!, cluster.nodes[9]!];
    // Everybody suspects one member; it is back, and its refutation comes, while the other one stands still.
    {
      using _mute = links.pause(suspect.host);
      const isSuspected = () => blocked.gossip.member(suspect.name)?.state === "suspect";
      expect(await cluster.runUntil(isSuspected, 40_000)).toBeDefined();
    }
    {
      using _block = blocked.loop.stall();
      await cluster.runCoarsely(40_000);
    }
    await cluster.runCoarsely(5000);
    expect(deaths(cluster.told).filter((line) => line.startsWith(`${blocked.name}:`))).toEqual([]);
    expect(blocked.gossip.member(suspect.name)?.state).toBe("alive");
  });

  test("a half that is cut off is believed dead by the other, and after healing nobody is", async () => {
    await using cluster = await pool(30, seed);
    const hosts = cluster.nodes.map(({ host }) => host);
    {
      using _split = cluster.world.network.links.partition(hosts.slice(0, 15), hosts.slice(15));
      await cluster.runCoarsely(60_000);
      // Each half sees itself alone: the scenario did what it is for.
      expect(cluster.nodes.map(({ gossip }) => gossip.aliveCount)).toEqual(Array(30).fill(15));
    }
    // The dead are still gossiped to for a while; then nothing but a join brings the halves together.
    const rejoin = cluster.nodes[0]!.gossip.join([hosts[20]!], { signal: NEVER });
    await cluster.world.clock.until(rejoin);
    await agreed(cluster);
  });

  test("a split that is shorter than the gossip to the dead heals by itself", async () => {
    await using cluster = await pool(30, seed);
    const hosts = cluster.nodes.map(({ host }) => host);
    {
      using _split = cluster.world.network.links.partition(hosts.slice(0, 15), hosts.slice(15));
      const isSplit = () => cluster.nodes.every(({ gossip }) => gossip.aliveCount <= 15);
      expect(await cluster.runUntil(isSplit, 60_000)).toBeDefined();
    }
    await agreed(cluster);
  });

  test("one who hears but is not heard is kept alive by its refutations or found dead, and recovers", async () => {
    await using cluster = await pool(20, seed);
    const [deaf, ...others] = cluster.nodes;
    const rest = others.map(({ host }) => host);
    {
      using _cut = cluster.world.network.links.cut([deaf!.host], rest);
      await cluster.runCoarsely(60_000);
      // Nobody hears its answers: for the others it is dead. It hears them, and may not accuse falsely for ever.
      expect(others.every(({ gossip }) => gossip.member(deaf!.name)?.state !== "alive")).toBe(true);
    }
    await cluster.world.clock.until(deaf!.gossip.join([rest[0]!], { signal: NEVER }));
    await agreed(cluster);
  });

  test("one link that loses everything one way harms nobody: others ask for us", async () => {
    await using cluster = await pool(20, seed);
    const [a, b] = cluster.nodes;
    using _cut = cluster.world.network.links.fault(({ kind, from, to }) => {
      return kind === "datagram" && from === a!.host && to === b!.host ? "drop" : "pass";
    });
    await cluster.runCoarsely(120_000);
    expect(deaths(cluster.told)).toEqual([]);
  });

  test("all restart at once under their old names, and find each other again", async () => {
    await using cluster = await pool(20, seed);
    const old = [...cluster.nodes];
    for (const node of old) await cluster.kill(node);
    for (const { name, host } of old) await cluster.startNode(name, host);
    await cluster.joinAll();
    await agreed(cluster);
  });

  test("half of them restart: what is said of their former lives is refuted", async () => {
    await using cluster = await pool(20, seed);
    for (const node of cluster.nodes.slice(10)) {
      await cluster.kill(node);
      const again = await cluster.startNode(node.name, node.host);
      await cluster.world.clock.until(again.gossip.join([hostAt(0)], { signal: NEVER }));
    }
    await agreed(cluster);
    await cluster.runCoarsely(60_000);
    expect(cluster.wrongViews()).toEqual([]);
  });

  test("two with one name: everybody keeps to the first, and says so", async () => {
    await using cluster = await pool(10, seed);
    const twin = await cluster.startNode("n3", "10.7.0.1");
    const joining = twin.gossip.join([`${hostAt(0)}:${PORT}`], { signal: NEVER });
    await cluster.world.clock.until(joining);
    await cluster.runCoarsely(5000);
    const conflicts = cluster.told.filter(
      ({ what, about }) => what === "conflict" && about === "n3",
    );
    expect(new Set(conflicts.map(({ by }) => by)).size).toBeGreaterThan(5);
    const others = cluster.nodes.filter(({ name }) => name !== "n3");
    const addresses = others.map(({ gossip }) => Buffer.from(gossip.member("n3")!.addr).join("."));
    expect(new Set(addresses)).toEqual(new Set([hostAt(3)]));
  });
});

// One hears everything ten seconds late. It believes that the others do not answer, and tells everybody.
test("one slow member gets dozens of healthy ones declared dead in SWIM, hardly any with Lifeguard", async () => {
  const falseDeaths = async (profile: GossipProfile): Promise<number> => {
    await using cluster = await pool(32, "slow", { profile });
    const slow = cluster.nodes[0]!;
    cluster.world.network.links.fault(({ from, to }) => {
      return to === slow.host && from !== to ? { delayMs: 10_000 } : "pass";
    });
    await cluster.runCoarsely(120_000, 10);
    return cluster.told.filter(({ what, about }) => what === "dead" && about !== slow.name).length;
  };
  const swim = await falseDeaths({ ...SIM_PROFILE, ...SWIM_ONLY });
  const lifeguard = await falseDeaths(SIM_PROFILE);
  expect(swim).toBeGreaterThan(50);
  expect(lifeguard).toBeLessThan(swim / 20);
});

// Forty times five seconds in which nothing of it runs, with some packets lost, so that its probes are not all over.
test("who stands still accuses nobody, as it measures its own loop", async () => {
  const accusationsOf = async (profile: GossipProfile) => {
    let accusations = 0;
    const info = (line: string): void => {
      if (line.includes("has failed")) accusations += 1;
    };
    const stalling = "n4";
    const options = (name: string) => (name === stalling ? { logger: { ...noLogger, info } } : {});
    await using cluster = await pool(20, "stalls", { profile, options });
    using _loss = cluster.world.network.links.everywhere({ latency: LAN_LATENCY, lossRatio: 0.05 });
    const node = cluster.nodes.find(({ name }) => name === stalling)!;
    const random = cluster.world.random.fork("pauses");
    let healthScore = 0;
    for (let round = 0; round < 40; round += 1) {
      {
        using _stall = node.loop.stall();
        await cluster.runCoarsely(5000, 10);
      }
      healthScore = Math.max(healthScore, node.gossip.healthScore);
      await cluster.runCoarsely(random.between(0, 3000), 10);
    }
    await cluster.runCoarsely(20_000, 10);
    expect(cluster.wrongViews()).toEqual([]);
    const dead = cluster.told.filter(({ what, about }) => what === "dead" && about !== stalling);
    return { accusations, healthScore, deaths: dead.length };
  };
  expect(await accusationsOf(SIM_PROFILE)).toEqual({ accusations: 0, healthScore: 7, deaths: 0 });
  const without = await accusationsOf({ ...SIM_PROFILE, ...LIFEGUARD_ONLY });
  expect(without.accusations).toBeGreaterThan(0);
});

test("the same seed gives the same run, to the last packet", async () => {
  const hashes = [];
  for (let run = 0; run < 2; run += 1) {
    await using cluster = await pool(20, "twice", { profile: LAN_PROFILE });
    using _loss = cluster.world.network.links.everywhere({ latency: LAN_LATENCY, lossRatio: 0.1 });
    await cluster.kill(cluster.nodes[3]!);
    await cluster.runCoarsely(30_000);
    hashes.push(cluster.world.network.links.traceHash);
  }
  expect(hashes[0]).toBe(hashes[1]);
});
