/** Whole pools in virtual time: what reaches whom, how often, and what becomes of members. */
import { describe, expect, test } from "vitest";
import { Keyring } from "../gossip/index.ts";
import { distanceNs } from "./coordinate.ts";
import { Pool, utf8, type PoolNode } from "./testkit.ts";

const SEEDS = [1, 2, 3];
const HALF_HOUR_MS = 1_800_000;

const userEventsOf = ({ events }: PoolNode): string[] =>
  events.filter((event) => event.startsWith("user")).toSorted();
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);
const hosts = (nodes: readonly PoolNode[]): string[] => nodes.map(({ host }) => host);

describe.each(SEEDS)("seed %i", (seed) => {
  test("events reach twenty nodes, each once, though a fifth of all packets is lost", async () => {
    await using pool = new Pool(seed);
    await pool.startMany(20);
    const latency = { kind: "tailed", minMs: 1, meanMs: 20 } as const;
    using _bad = pool.world.network.links.everywhere({
      latency,
      lossRatio: 0.2,
      duplicateRatio: 0.1,
    });
    pool.node("n7").serf.fireEvent("deploy", utf8("v2"));
    pool.node("n3").serf.fireEvent("deploy", utf8("v1"));
    const all = ["user deploy:v1@1", "user deploy:v2@1"];
    await pool.until("all have both", () =>
      pool.nodes.every((node) => userEventsOf(node).length >= 2),
    );
    await pool.world.clock.run(60_000);
    for (const node of pool.nodes) expect(userEventsOf(node)).toEqual(all);
  });

  test("a query reaches twenty nodes, each once, and all of their answers come back", async () => {
    await using pool = new Pool(seed);
    await pool.startMany(20);
    for (const { name, serf } of pool.nodes) {
      serf.subscribe((event) => {
        if (event.kind === "query") event.query.respond(utf8(`${name} is well`));
      });
    }
    const query = pool.node("n4").serf.query("health", utf8("?"), { requestAck: true });
    const answers: string[] = [];
    const collected = (async () => {
      for await (const answer of query) {
        answers.push(answer.kind === "ack" ? answer.from : Buffer.from(answer.payload).toString());
      }
    })();
    await pool.world.clock.until(collected);
    expect(answers.toSorted()).toEqual(
      names(20)
        .flatMap((name) => [name, `${name} is well`])
        .toSorted(),
    );
    for (const { events } of pool.nodes) {
      expect(events.filter((event) => event === "query health")).toHaveLength(1);
    }
  });

  test("after a split has healed everybody has every event once, and sees everybody", async () => {
    await using pool = new Pool(seed);
    await pool.startMany(10);
    const [left, right] = [pool.nodes.slice(0, 4), pool.nodes.slice(4)];
    {
      using _split = pool.world.network.links.partition(hosts(left), hosts(right));
      pool.node("n1").serf.fireEvent("left", utf8("1"));
      pool.node("n6").serf.fireEvent("right", utf8("1"));
      await pool.until("each side believes the other to be gone", () =>
        pool.nodes.every(({ serf }) => serf.stats().failed > 0),
      );
      pool.node("n6").serf.fireEvent("right", utf8("2"));
      await pool.world.clock.run(20_000);
      expect(userEventsOf(pool.node("n9"))).toEqual(["user right:1@1", "user right:2@2"]);
    }
    await pool.until(
      "all are alive",
      () => pool.nodes.every(({ serf }) => serf.members().every((m) => m.status === "alive")),
      600_000,
    );
    await pool.until(
      "all have all",
      () => pool.nodes.every((node) => userEventsOf(node).length >= 3),
      600_000,
    );
    await pool.world.clock.run(120_000);
    const all = ["user left:1@1", "user right:1@1", "user right:2@2"];
    for (const node of pool.nodes) expect(userEventsOf(node)).toEqual(all);
  });
});

describe("members", () => {
  test("one that crashes is failed, one that leaves has left, and back they are alive", async () => {
    await using pool = new Pool();
    await pool.startMany(5);
    await pool.world.clock.until(pool.node("n3").serf.leave());
    await pool.kill("n3");
    await pool.kill("n4");
    await pool.until("all know", () =>
      pool.nodes.every(
        ({ serf }) =>
          serf.member("n3")?.status === "left" && serf.member("n4")?.status === "failed",
      ),
    );
    for (const name of ["n3", "n4"]) {
      const { serf } = await pool.start(name);
      await pool.world.clock.until(serf.join([pool.node("n0").host]));
    }
    await pool.until("all are alive", () =>
      pool.nodes.every(({ serf }) => serf.members().every(({ status }) => status === "alive")),
    );
  });

  test("one that is gone is erased: failed after the time to reconnect, left after its own", async () => {
    const limits = { reconnectTimeoutMs: 60_000, tombstoneTimeoutMs: 120_000 };
    await using pool = new Pool(1, () => limits);
    await pool.startMany(3);
    await pool.world.clock.until(pool.node("n2").serf.leave());
    await pool.kill("n2");
    await pool.kill("n1");
    const { serf, events } = pool.node("n0");
    await pool.until("n1 is erased", () => events.includes("reap n1"));
    expect(events).not.toContain("reap n2");
    await pool.until("n2 is erased", () => events.includes("reap n2"));
    expect(serf.members().map(({ name }) => name)).toEqual(["n0"]);
  });

  test("a failed one can be declared to have left, or to be forgotten", async () => {
    await using pool = new Pool();
    await pool.startMany(5);
    await pool.kill("n3");
    await pool.kill("n4");
    await pool.until("both are failed", () =>
      ["n3", "n4"].every((name) => pool.statusesOf(name).every((status) => status === "failed")),
    );
    const { serf } = pool.node("n1");
    await pool.world.clock.until(serf.forceLeave("n3", { prune: false }));
    await pool.world.clock.until(serf.forceLeave("n4", { prune: true }));
    await pool.until("all know", () =>
      pool.nodes.every(
        (node) => node.serf.member("n3")?.status === "left" && node.serf.member("n4") === undefined,
      ),
    );
    for (const { events } of pool.nodes) {
      expect(events.slice(-2)).toEqual(["leave n4", "reap n4"]);
      expect(events).toContain("leave n3");
    }
  });

  test("one that is there objects to having left", async () => {
    await using pool = new Pool();
    await pool.startMany(4);
    await pool.world.clock.until(pool.node("n1").serf.forceLeave("n2", { prune: true }));
    await pool.world.clock.run(30_000);
    expect(pool.statusesOf("n2")).toEqual(["alive", "alive", "alive"]);
  });

  test("new tags reach all", async () => {
    await using pool = new Pool();
    await pool.startMany(4);
    await pool.world.clock.until(pool.node("n2").serf.setTags({ role: "db" }));
    await pool.until("all know them", () =>
      pool.nodes.every(({ serf }) => serf.member("n2")?.tags["role"] === "db"),
    );
    const tooLong = { role: "x".repeat(600) };
    await expect(pool.node("n2").serf.setTags(tooLong)).rejects.toThrow(
      "Encoded length of tags exceeds limit of 512 bytes",
    );
    expect(pool.node("n2").serf.local.tags).toEqual({ role: "db" });
  });

  test("who is refused does not come in", async () => {
    await using pool = new Pool(1, (name) => ({
      tags: { dc: name === "n3" ? "dc2" : "dc1" },
      checkMerge: (candidates) => {
        if (name === "n3") return;
        const stranger = candidates.find(({ tags }) => tags["dc"] !== "dc1");
        if (stranger !== undefined) throw new Error(`${stranger.name} part of wrong datacenter`);
      },
    }));
    await pool.startMany(3);
    const { serf } = await pool.start("n3");
    await pool.world.clock.until(serf.join([pool.node("n0").host])).catch(() => {});
    await pool.world.clock.run(20_000);
    for (const name of names(3)) expect(pool.node(name).serf.member("n3")).toBeUndefined();
  });

  test("of two with one name the pool keeps the one that it knows", async () => {
    await using pool = new Pool();
    await pool.startMany(5);
    const rival = await pool.start("n2", "10.0.0.99");
    await pool.world.clock.until(rival.serf.join([pool.node("n0").host])).catch(() => {});
    await pool.until("the rival has gone", () => rival.serf.stopped.aborted);
    expect(rival.log.join("\n")).toContain("minority in name conflict resolution, quitting");
    await pool.world.clock.run(10_000);
    const [first] = pool.nodes.filter(({ name }) => name === "n2");
    expect(first?.serf.state).toBe("alive");
    for (const { serf } of pool.nodes.filter((node) => node.name !== "n2")) {
      expect(serf.member("n2")).toMatchObject({
        status: "alive",
        addr: Uint8Array.of(10, 0, 0, 3),
      });
    }
  });

  test("without resolution both stay", async () => {
    await using pool = new Pool(1, () => ({ resolveNameConflicts: false }));
    await pool.startMany(4);
    const rival = await pool.start("n2", "10.0.0.99");
    await pool.world.clock.until(rival.serf.join([pool.node("n0").host])).catch(() => {});
    await pool.world.clock.run(60_000);
    expect(rival.serf.state).toBe("alive");
  });
});

describe("a restart", () => {
  const withSnapshot = { snapshotPath: "/serf.snapshot" };

  test("after a crash the node finds the pool by itself, and hears nothing twice", async () => {
    await using pool = new Pool(1, () => withSnapshot);
    await pool.startMany(6);
    pool.node("n0").serf.fireEvent("before", utf8("1"));
    await pool.until("it is heard", () => userEventsOf(pool.node("n5")).length === 1);
    await pool.world.clock.run(1000);
    const { platform } = pool.node("n5");
    await pool.kill("n5");
    platform.disk.crash();
    await pool.until("it is missed", () => pool.statusesOf("n5").every((s) => s === "failed"));
    pool.node("n0").serf.fireEvent("meanwhile", utf8("1"));
    await pool.world.clock.run(10_000);

    const again = await pool.start("n5");
    await pool.until("it is back", () => pool.statusesOf("n5").every((s) => s === "alive"), 20_000);
    await pool.world.clock.run(60_000);
    expect(again.serf.members()).toHaveLength(6);
    expect(userEventsOf(again)).toEqual(["user meanwhile:1@2"]);
    expect(again.log.join("\n")).toContain("Re-joined to previously known node");
  });

  test.each([
    ["it stays away", false, 1],
    ["it comes back if it should", true, 3],
  ])("after a leave %s", async (_, rejoinAfterLeave, count) => {
    await using pool = new Pool(1, () => ({ ...withSnapshot, rejoinAfterLeave }));
    await pool.startMany(3);
    await pool.world.clock.run(1000);
    await pool.world.clock.until(pool.node("n2").serf.leave());
    await pool.kill("n2");
    const { serf } = await pool.start("n2");
    await pool.world.clock.run(20_000);
    expect(serf.members()).toHaveLength(count);
  });

  test("who joins and wants no old events gets none, but all new ones", async () => {
    await using pool = new Pool();
    await pool.startMany(3);
    pool.node("n0").serf.fireEvent("old", utf8("1"));
    await pool.world.clock.run(5000);
    const curious = await pool.start("n3");
    await pool.world.clock.until(curious.serf.join([pool.node("n0").host]));
    const late = await pool.start("n4");
    await pool.world.clock.until(late.serf.join([pool.node("n0").host], { oldEvents: "ignore" }));
    pool.node("n1").serf.fireEvent("new", utf8("1"));
    await pool.world.clock.run(10_000);
    expect(userEventsOf(curious)).toEqual(["user new:1@2", "user old:1@1"]);
    expect(userEventsOf(late)).toEqual(["user new:1@2"]);
  });
});

describe("keys", () => {
  const [oldKey, newKey] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)];
  const encrypted = () => ({ keyring: new Keyring([oldKey]), keyringFile: "/serf.keyring" });

  test("are rotated in the whole pool, and who has only the old one stays outside", async () => {
    await using pool = new Pool(1, encrypted);
    await pool.startMany(8);
    const { keys } = pool.node("n3").serf;
    const steps = [() => keys.install(newKey), () => keys.use(newKey), () => keys.remove(oldKey)];
    for (const step of steps) {
      expect(await pool.world.clock.until(step())).toMatchObject({ failure: undefined });
    }
    const base64 = Buffer.from(newKey).toString("base64");
    const outcome = await pool.world.clock.until(pool.node("n5").serf.keys.list());
    expect(outcome).toMatchObject({ failure: undefined, nodeCount: 8, errorCount: 0 });
    expect(outcome.keys).toEqual(new Map([[base64, 8]]));
    expect(outcome.primaryKeys).toEqual(new Map([[base64, 8]]));
    for (const { platform, serf } of pool.nodes) {
      const file = Buffer.from((await platform.disk.read("/serf.keyring")) ?? []).toString();
      expect(JSON.parse(file)).toEqual([base64]);
      expect(serf.stats()).toMatchObject({ encrypted: true, members: 8, failed: 0 });
    }
    const { serf } = await pool.start("n8");
    const joining = pool.world.clock.until(serf.join([pool.node("n0").host]));
    await expect(joining).rejects.toThrow();
  });

  test("that are not everywhere cannot be used, and that is told", async () => {
    await using pool = new Pool(1, encrypted);
    await pool.startMany(4);
    const outcome = await pool.world.clock.until(pool.node("n1").serf.keys.use(newKey));
    expect(outcome).toMatchObject({
      failure: "4/4 nodes reported failure",
      messages: new Map(names(4).map((name) => [name, "Requested key is not in the keyring"])),
    });
  });

  test("a member that does not answer is a failure", async () => {
    await using pool = new Pool(1, encrypted);
    await pool.startMany(4);
    using _silence = pool.world.network.silence(pool.node("n2").host);
    const outcome = await pool.world.clock.until(pool.node("n1").serf.keys.install(newKey));
    expect(outcome).toMatchObject({ failure: "3/4 nodes reported success", responseCount: 3 });
  });
});

test("an answer that is lost on its way comes over another member", async () => {
  await using pool = new Pool();
  await pool.startMany(5);
  const [asker, answerer] = [pool.node("n1"), pool.node("n4")];
  const ask = async (relayFactor: number): Promise<string[]> => {
    const froms: string[] = [];
    const collected = (async () => {
      const params = { requestAck: true, relayFactor, filterNodes: ["n4"], timeoutMs: 3000 };
      for await (const { from } of asker.serf.query("ping", utf8(""), params)) froms.push(from);
    })();
    await pool.world.clock.until(collected);
    return froms;
  };
  using _cut = pool.world.network.links.cut([answerer.host], [asker.host]);
  expect(await ask(0)).toEqual([]);
  expect(await ask(3)).toEqual(["n4"]);
});

test("estimated round trips come close to the real ones", async () => {
  await using pool = new Pool();
  await pool.startMany(4);
  const { links } = pool.world.network;
  const oneWayMs = (one: number, other: number): number => 5 + 10 * Math.abs(one - other);
  for (const [i, one] of pool.nodes.entries()) {
    for (const [j, other] of pool.nodes.entries()) {
      links.between(one.host, other.host, { latency: { kind: "fixed", ms: oneWayMs(i, j) } });
    }
  }
  await pool.world.clock.run(600_000);
  for (let i = 1; i < 4; i += 1) {
    const [one, other] = [pool.node("n0").serf, pool.node(`n${i}`).serf];
    const estimatedMs = distanceNs(one.coordinate(), other.coordinate()) / 1e6;
    const realMs = 2 * oneWayMs(0, i);
    expect(Math.abs(estimatedMs - realMs) / realMs).toBeLessThan(0.25);
    expect(one.coordinateOf(`n${i}`)).toBeDefined();
  }
});

test("a node that stops leaves no timer behind, however it stops", async () => {
  const pool = new Pool(1, () => ({ snapshotPath: "/serf.snapshot" }));
  const before = pool.world.clock.timerCount;
  for (let round = 0; round < 3; round += 1) {
    await pool.startMany(3);
    pool.node("n0").serf.query("health", utf8("?"));
    const { serf } = pool.node("n1");
    if (round > 0) void serf.leave();
    await pool.world.clock.run(round * 500);
    for (const name of names(3)) await pool.kill(name);
    await pool.world.clock.settle();
    expect(pool.world.clock.timerCount).toBe(before);
  }
});

test("half an hour in which nothing happens leaves nothing in any queue", async () => {
  await using pool = new Pool();
  await pool.startMany(2);
  await pool.world.clock.run(HALF_HOUR_MS);
  for (const { serf } of pool.nodes) {
    expect(serf.stats()).toMatchObject({
      members: 2,
      failed: 0,
      intent_queue: 0,
      event_queue: 0,
      query_queue: 0,
    });
  }
});
