/** What each setting of servers changes, in whole agents on one simulated network. */
import { expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { openWal } from "../wal/index.ts";
import { agentCluster, wholeAgent, type ClusterAgent, type WholeAgent } from "./testkit.ts";

const lone = async (
  hcl: string,
  platform = simPlatform({ seed: "lone", hostname: "n1" }),
): Promise<WholeAgent> => {
  const argv = ["-server", "-bootstrap-expect=1", "-data-dir=/data", "-bind=127.0.0.1"];
  const running = await wholeAgent(hcl, { platform, argv });
  await platform.clock.run(5000);
  return running;
};

const write = async (agent: WholeAgent, count: number, value: string): Promise<void> => {
  for (let i = 0; i < count; i += 1) {
    await agent.platform.clock.until(agent.put(`/v1/kv/key${i % 5}`, value));
  }
};
/** Of half a megabyte each: more than a segment of the log holds. */
const SEGMENT_ENTRIES = 40;

/** Of the log as it is on the disk. */
async function firstIndexOn({ disk, clock }: SimPlatform): Promise<number> {
  const directory = "/data/raft/wal";
  await using wal = await openWal({ disk, clock, directory, logger: noLogger });
  return wal.firstIndex;
}

test("raft_snapshot_threshold and raft_snapshot_interval say when a snapshot is due", async () => {
  const rows = [
    { hcl: 'raft_snapshot_threshold = 20, raft_snapshot_interval = "5s"', count: 1 },
    { hcl: 'raft_snapshot_interval = "5s"', count: 0 },
    { hcl: 'raft_snapshot_threshold = 20, raft_snapshot_interval = "1h"', count: 0 },
  ];
  for (const { hcl, count } of rows) {
    await using running = await lone(hcl);
    await write(running, 40, "x");
    await running.platform.clock.run(20_000);
    const snapshots = await running.platform.disk.list("/data/raft/snapshots");
    expect(snapshots ?? []).toHaveLength(count);
  }
});

test("raft_trailing_logs is how much of the log stays behind a snapshot, in whole segments", async () => {
  const large = "x".repeat(500_000);
  for (const [trailing, isCut] of [
    [7, true],
    [1000, false],
  ] as const) {
    const platform = simPlatform({ seed: "trailing", hostname: "n1" });
    {
      await using running = await lone(
        `raft_snapshot_threshold = 20, raft_snapshot_interval = "5s", raft_trailing_logs = ${trailing}`,
        platform,
      );
      await write(running, SEGMENT_ENTRIES, large);
      await platform.clock.run(20_000);
    }
    expect((await firstIndexOn(platform)) > 1).toBe(isCut);
  }
});

test("autopilot.cleanup_dead_servers, autopilot.last_contact_threshold, autopilot.max_trailing_logs, autopilot.min_quorum and autopilot.server_stabilization_time are a new cluster's", async () => {
  await using running = await lone(`autopilot {
    cleanup_dead_servers = false, last_contact_threshold = "321ms", max_trailing_logs = 77
    min_quorum = 3, server_stabilization_time = "21s" }`);
  expect(await running.get("/v1/operator/autopilot/configuration")).toMatchObject({
    CleanupDeadServers: false,
    LastContactThreshold: "321ms",
    MaxTrailingLogs: 77,
    MinQuorum: 3,
    ServerStabilizationTime: "21s",
  });
});

test("limits.rpc_handshake_timeout: how long a connection may say nothing; limits.rpc_max_conns_per_client: how many one client has", async () => {
  await using running = await lone(
    'limits { rpc_handshake_timeout = "2s", rpc_max_conns_per_client = 2 }',
  );
  const { clock, network } = running.platform;
  const signal = new AbortController().signal;
  const open = async (): Promise<{ isOpen: boolean }> => {
    const stream = await network.connect({ host: "127.0.0.1", port: 8300 }, { signal });
    const state = { isOpen: true };
    stream.resume();
    stream.on("close", () => (state.isOpen = false));
    return state;
  };
  const connections = [await open(), await open(), await open()];
  await clock.run(1900);
  expect(connections.map(({ isOpen }) => isOpen)).toEqual([true, true, false]);
  await clock.run(200);
  expect(connections.map(({ isOpen }) => isOpen)).toEqual([false, false, false]);
});

const othersThan = (
  agents: readonly ClusterAgent[],
  leader: ClusterAgent,
): readonly ClusterAgent[] => agents.filter((agent) => agent !== leader);

test("performance.raft_multiplier is how patient servers are before they elect another leader", async () => {
  const tookMs: number[] = [];
  for (const multiplier of [1, 5]) {
    await using cluster = await agentCluster(3, `performance { raft_multiplier = ${multiplier} }`);
    const { world, agents } = cluster;
    const old = await cluster.leader();
    const others = othersThan(agents, old);
    const since = world.clock.now();
    world.network.links.partition(
      [old.host],
      others.map(({ host }) => host),
    );
    let leader = old;
    while (leader === old) {
      await world.clock.run(100);
      leader = await cluster.leader(others);
    }
    tookMs.push(world.clock.now() - since);
  }
  const [quickMs = 0, slowMs = 0] = tookMs;
  expect(quickMs).toBeLessThan(3500);
  expect(slowMs).toBeGreaterThan(4500);
});

test("performance.rpc_hold_timeout is how long a call waits for a leader", async () => {
  for (const holdMs of [1500, 9000]) {
    await using cluster = await agentCluster(
      3,
      `performance { raft_multiplier = 1, rpc_hold_timeout = "${holdMs}ms" }`,
    );
    const { world, agents } = cluster;
    const leader = await cluster.leader();
    const [alone] = othersThan(agents, leader);
    if (alone === undefined) return expect.fail("no follower");
    const rest = othersThan(agents, alone).map(({ host }) => host);
    world.network.links.partition([alone.host], rest);
    await world.clock.run(10_000);
    const since = world.clock.now();
    const { status, body } = await world.clock.until(
      alone.send({ method: "PUT", path: "/v1/kv/a", body: "x" }, alone.host),
    );
    expect(`${status} ${body}`).toMatch(/^500 No cluster leader/);
    expect(world.clock.now() - since).toBeGreaterThanOrEqual(holdMs);
    expect(world.clock.now() - since).toBeLessThan(holdMs + 1000);
  }
});

test("performance.leave_drain_time is how long a server that leaves still answers", async () => {
  const tookMs: number[] = [];
  for (const drainMs of [1000, 7000]) {
    await using cluster = await agentCluster(
      3,
      `performance { raft_multiplier = 1, leave_drain_time = "${drainMs}ms" }`,
    );
    const { world, agents } = cluster;
    const leader = await cluster.leader();
    const [leaving] = othersThan(agents, leader);
    if (leaving === undefined) return expect.fail("no follower");
    const since = world.clock.now();
    await world.clock.until(leaving.agent.leave());
    tookMs.push(world.clock.now() - since);
  }
  const [quickMs = 0, slowMs = 0] = tookMs;
  expect(slowMs - quickMs).toBeGreaterThan(5000);
  expect(slowMs - quickMs).toBeLessThan(7000);
});

test("a development agent is healthy, as autopilot and its metrics say", async () => {
  await using running = await wholeAgent("");
  await running.platform.clock.run(11_000);
  expect(await running.get("/v1/operator/autopilot/health")).toMatchObject({
    Healthy: true,
    Servers: [{ Healthy: true, LastTerm: 2 }],
  });
  const { Gauges } = (await running.get("/v1/agent/metrics")) as {
    readonly Gauges: readonly { readonly Name: string; readonly Value: number }[];
  };
  expect(Gauges.find(({ Name }) => Name.endsWith("autopilot.healthy"))?.Value).toBe(1);
});
