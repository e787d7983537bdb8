// Goal: a backup that is restored is what every server has afterwards. Method: a cluster of whole servers writes on
// while its leader restores, on a slow network; then everything is compared.
import { expect, test } from "vitest";
import { SimRandom } from "../src/platform/sim/index.ts";
import { Cluster } from "./cluster.ts";
import { History } from "./history.ts";
import { Invariants } from "./invariants.ts";
import { encodeCommand, Registers } from "./register.ts";
import type { SimServer } from "./server.ts";
import { drawSwarm } from "./swarm.ts";

const SEEDS = 10;

/** As the servers of the simulation write their snapshots: the index, then the registers. */
function backup(): Uint8Array {
  const registers = new Registers();
  registers.apply(7, command("kept", "from the backup"));
  return Buffer.concat([Buffer.from("40\n"), registers.save()]);
}
function command(key: string, value: string): Uint8Array {
  return encodeCommand({ id: `${key} ${value}`, key, call: { kind: "set", value } });
}
async function* inSlices(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += 16) yield bytes.subarray(at, at + 16);
}

async function begun(seed: number): Promise<{ cluster: Cluster; leader: SimServer }> {
  const swarm = { ...drawSwarm(new SimRandom(`swarm ${seed}`)), serverCount: 3, nonvoterCount: 1 };
  const history = new History();
  const invariants = new Invariants();
  const cluster = new Cluster({
    seed: `restore ${seed}`,
    swarm: { ...swarm, strangerCount: 0 },
    invariants,
    history,
    mutation: {},
  });
  cluster.links.everywhere({ latency: swarm.latency, lossRatio: 0 });
  await cluster.clock.until(cluster.start());
  await cluster.clock.run(20 * swarm.heartbeatTimeoutMs);
  return { cluster, leader: cluster.leader as SimServer };
}

test.each(Array.from({ length: SEEDS }, (_, seed) => [seed]))(
  "a restored backup is what all have, and what is written later comes on top (seed %i)",
  async (seed) => {
    const { cluster, leader } = await begun(seed);
    const raft = leader.raft;
    if (raft === undefined) throw new Error("nobody leads");
    await cluster.clock.until(raft.apply(command("gone", "before")));
    const underWay = raft
      .apply(command("gone", "meanwhile"))
      .catch((error: Error) => error.message);
    // So that it is in the log, but nobody has acknowledged it.
    await cluster.clock.run(0);
    const restored = raft.restore(inSlices(backup()), 40);
    await cluster.clock.until(restored);
    expect(["snapshot restored while committing log", true]).toContain(await underWay);
    await cluster.clock.until(raft.apply(command("later", "after")));
    await cluster.clock.run(10_000);
    for (const { name, registers, raft: own } of cluster.servers) {
      const values = ["kept", "gone", "later"].map((key) => registers.read(key));
      expect([name, ...values]).toEqual([name, "from the backup", "", "after"]);
      expect(own?.applied.index).toBe(raft.commitIndex);
    }
    expect(raft.commitIndex).toBeGreaterThan(41);
    cluster.demandHealthy();
    await cluster.stop();
  },
);

test("a restored backup is still there after all servers were restarted", async () => {
  const { cluster, leader } = await begun(99);
  const raft = leader.raft;
  if (raft === undefined) throw new Error("nobody leads");
  await cluster.clock.until(raft.restore(inSlices(backup()), 40));
  for (const server of cluster.servers) server.crash();
  for (const server of cluster.servers) await cluster.clock.until(cluster.restart(server));
  await cluster.clock.run(20_000);
  for (const { registers } of cluster.servers)
    expect(registers.read("kept")).toBe("from the backup");
  await cluster.stop();
});
