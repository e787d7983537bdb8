/** A few nodes, whole: joining, updating, leaving, refusing, stopping. */
import { describe, expect, test, vi } from "vitest";
import { noLogger } from "../platform/index.ts";
import { nodePlatform } from "../platform/node/index.ts";
import { Keyring, LOCAL_PROFILE, startGossip } from "./index.ts";
import { NODE, Peer, sourceOf } from "./scripted-peer.ts";
import { hostAt, NEVER, PORT, SIM_PROFILE, SimCluster, silentDelegate, VSN } from "./testkit.ts";

describe("two real nodes", () => {
  const start = (name: string, host: string, keyring?: Keyring) =>
    startGossip({
      platform: nodePlatform(),
      logger: noLogger,
      name,
      bind: { host, port: 0 },
      vsn: VSN,
      profile: LOCAL_PROFILE,
      delegate: silentDelegate(),
      ...(keyring && { keyring }),
    });

  test.each([
    ["plainly", undefined],
    ["encrypted", new Uint8Array(32).fill(7)],
  ])("find each other, %s", async (_how, key) => {
    const keyring = () => key && new Keyring([key]);
    await using a = await start("a", "127.0.50.1", keyring());
    await using b = await start("b", "127.0.50.2", keyring());
    const addresses = [`${a.address.host}:${a.address.port}`];
    expect(await b.join(addresses, { signal: NEVER })).toBe(1);
    const names = (gossip: typeof a) =>
      gossip
        .members()
        .map(({ name }) => name)
        .toSorted();
    expect(names(b)).toEqual(["a", "b"]);
    // It answers first, and then takes in what it was told.
    await vi.waitFor(() => expect(names(a)).toEqual(["a", "b"]));
    await b.leave({ timeoutMs: 5000 });
    await vi.waitFor(() => expect(a.member("b")?.state).toBe("left"));
  });
});

describe("membership by packets and streams", () => {
  test("new meta reaches the others, and resolves once it has been passed on", async () => {
    let meta = "one";
    const updates: string[] = [];
    const delegate = silentDelegate({
      meta: () => Buffer.from(meta),
      onUpdate: (member) => updates.push(Buffer.from(member.meta).toString()),
    });
    await using cluster = new SimCluster({ options: () => ({ delegate }) });
    await cluster.start(3);
    await cluster.joinAll();
    meta = "two";
    const updating = cluster.nodes[0]!.gossip.updateMeta({ timeoutMs: 5000 });
    await cluster.world.clock.until(updating);
    expect(updates.length).toBe(3);
    expect(new Set(updates)).toEqual(new Set(["two"]));
    meta = "x".repeat(513);
    await expect(cluster.nodes[0]!.gossip.updateMeta({ timeoutMs: 5000 })).rejects.toThrow(
      "Node meta data provided is longer than the limit (512 bytes)",
    );
  });

  test("who leaves is known to have left, not to have failed", async () => {
    await using cluster = new SimCluster();
    await cluster.start(4);
    await cluster.joinAll();
    await cluster.world.clock.run(2000);
    const leaver = cluster.nodes[2]!;
    await cluster.world.clock.until(leaver.gossip.leave({ timeoutMs: 5000 }));
    await cluster.kill(leaver);
    await cluster.world.clock.run(20_000);
    const farewells = cluster.told.filter(({ what }) => what === "left" || what === "dead");
    expect(farewells.map(({ by, what, about }) => `${by} ${what} ${about}`).toSorted()).toEqual(
      ["n0", "n1", "n2", "n3"].map((by) => `${by} left n2`),
    );
  });

  test("leaving alone, or updating alone, waits for nobody", async () => {
    await using cluster = new SimCluster();
    await cluster.start(1);
    const { gossip } = cluster.nodes[0]!;
    await gossip.updateMeta({ timeoutMs: 5000 });
    await gossip.leave({ timeoutMs: 5000 });
    await expect(gossip.updateMeta({ timeoutMs: 5000 })).rejects.toThrow("leaving");
  });

  test("a farewell that nobody takes in time says so", async () => {
    await using cluster = new SimCluster({ profile: { ...SIM_PROFILE, gossipNodes: 0 } });
    await cluster.start(2);
    await cluster.joinAll();
    const leaving = cluster.nodes[0]!.gossip.leave({ timeoutMs: 1000 });
    const failing = expect(leaving).rejects.toThrow("timeout waiting for leave broadcast");
    await cluster.world.clock.run(1000);
    await failing;
  });

  test("joining nobody says why, for each address; one that works is enough", async () => {
    await using cluster = new SimCluster();
    await cluster.start(2);
    const { gossip } = cluster.nodes[1]!;
    const { clock } = cluster.world;
    const nobody = gossip.join(["10.8.0.1:7946", "nosuch", ":"], { signal: NEVER });
    await expect(clock.until(nobody)).rejects.toThrow(
      "3 errors occurred:\n" +
        "\t* Failed to join 10.8.0.1: dial tcp 10.8.0.1:7946: connect: connection refused\n" +
        "\t* Failed to join nosuch: dial tcp: lookup nosuch: no such host\n" +
        "\t* Failed to resolve :: invalid address\n\n",
    );
    const some = gossip.join(["10.8.0.1:7946", `${hostAt(0)}:${PORT}`], { signal: NEVER });
    expect(await clock.until(some)).toBe(1);
  });

  test("the layer above may refuse to become one cluster: then nobody knows the other", async () => {
    const refusing = silentDelegate({
      checkMerge: (members) => {
        throw new Error(`not with ${members.map(({ name }) => name).join()}`);
      },
    });
    await using cluster = new SimCluster({
      options: (name) => (name === "n1" ? { delegate: refusing } : {}),
    });
    await cluster.start(2);
    const joining = cluster.nodes[1]!.gossip.join([hostAt(0)], { signal: NEVER });
    await expect(cluster.world.clock.until(joining)).rejects.toThrow("not with n0");
    expect(cluster.nodes[1]!.gossip.memberCount).toBe(1);
  });

  test("the state of the layer above crosses with a push/pull, marked as a join or not", async () => {
    const merged: string[] = [];
    const delegateOf = (name: string) =>
      silentDelegate({
        localState: (join) => Buffer.from(`${name} ${join}`),
        mergeRemoteState: (bytes, join) =>
          merged.push(`${name} has ${Buffer.from(bytes).toString()} ${join}`),
      });
    await using cluster = new SimCluster({ options: (name) => ({ delegate: delegateOf(name) }) });
    await cluster.start(2);
    await cluster.joinAll();
    expect(merged.toSorted()).toEqual(["n0 has n1 true true", "n1 has n0 true true"]);
    merged.length = 0;
    await cluster.world.clock.run(SIM_PROFILE.pushPullIntervalMs);
    expect(new Set(merged)).toEqual(new Set(["n0 has n1 false false", "n1 has n0 false false"]));
  });

  test("with the wrong key, or none, who joins is told why", async () => {
    const withKey = (fill: number) => ({ keyring: new Keyring([new Uint8Array(16).fill(fill)]) });
    const keys: Record<string, object> = { n0: withKey(1), n1: withKey(2), n2: {} };
    await using cluster = new SimCluster({ options: (name) => keys[name] ?? {} });
    await cluster.start(3);
    const join = (from: number, to: number) =>
      cluster.world.clock.until(cluster.nodes[from]!.gossip.join([hostAt(to)], { signal: NEVER }));
    await expect(join(2, 0)).rejects.toThrow(
      "Remote state is encrypted and encryption is not configured",
    );
    await expect(join(0, 2)).rejects.toThrow(
      "Encryption is configured but remote state is not encrypted",
    );
    await expect(join(0, 1)).rejects.toThrow("No installed keys could decrypt the message");
  });

  test("only nodes with one label hear each other", async () => {
    const labels: Record<string, string> = { n0: "blue", n1: "blue", n2: "green" };
    await using cluster = new SimCluster({ options: (name) => ({ label: labels[name]! }) });
    await cluster.start(3);
    const join = (from: number) =>
      cluster.world.clock.until(cluster.nodes[from]!.gossip.join([hostAt(0)], { signal: NEVER }));
    expect(await join(1)).toBe(1);
    await expect(join(2)).rejects.toThrow("the label of another cluster, or none");
    await cluster.world.clock.run(10_000);
    expect(cluster.nodes.map(({ gossip }) => gossip.aliveCount)).toEqual([2, 2, 1]);
  });
});

test("a node that has stopped leaves no timer, no socket and no stream behind", async () => {
  const cluster = new SimCluster();
  await cluster.start(3);
  await cluster.joinAll();
  await cluster.world.clock.run(3000);
  const peer = await Peer.at(cluster);
  const body = { SeqNo: 1, Target: Uint8Array.of(10, 8, 0, 1), Port: PORT, Node: "t", Nack: true };
  await peer.say({ kind: "indirectPing", body: { ...body, ...sourceOf() } });
  const idle = await cluster.world.network.connect(NODE, { signal: NEVER });
  idle.resume();
  using _silence = cluster.world.network.silence("10.8.0.1");
  const pending = cluster.nodes[0]!.gossip.join(["10.8.0.1"], { signal: NEVER });
  const ended = expect(pending).rejects.toThrow("the node has stopped");
  const closed = new Promise((resolve) => idle.once("close", resolve));
  await cluster[Symbol.asyncDispose]();
  await Promise.all([ended, closed]);
  await cluster.world.clock.settle();
  expect(cluster.world.clock.timerCount).toBe(0);
});
