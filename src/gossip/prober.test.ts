/** How failures are found, and when they are not. */
import { expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import type { GossipMessage } from "../wire/index.ts";
import { startGossip } from "./gossip.ts";
import { aliveOf, Peer, PEER } from "./scripted-peer.ts";
import { NEVER, PORT, SIM_PROFILE, SimCluster, silentDelegate, VSN } from "./testkit.ts";

/** A node that knows one peer, who answers nothing by itself, and nothing over TCP. */
async function watched(vsn = VSN) {
  const cluster = new SimCluster();
  await cluster.start(1);
  const peer = await Peer.at(cluster);
  const body = { ...(aliveOf("peer").body as object), Vsn: vsn };
  await peer.say({ kind: "alive", body } as GossipMessage);
  return { cluster, peer };
}

test("who answers stays, and the layer above is told how long it took and what was in the answer", async () => {
  const answers: string[] = [];
  const delegate = silentDelegate({
    onPingAnswered: ({ name }, rttMs, payload) =>
      answers.push(`${name} ${Math.round(rttMs)} ${payload.length}`),
  });
  await using cluster = new SimCluster({ options: () => ({ delegate }) });
  await cluster.start(1);
  const peer = await Peer.at(cluster);
  using _latency = cluster.world.network.links.everywhere({ latency: { kind: "fixed", ms: 20 } });
  await peer.say(aliveOf("peer"));
  await cluster.runUntil(() => peer.heard.some(({ kind }) => kind === "ping"), 3000, {
    stepMs: 1,
  });
  const [asked] = peer.take("ping");
  await peer.say({ kind: "ack", body: { SeqNo: asked!.SeqNo, Payload: Buffer.from("abc") } });
  await cluster.world.clock.run(100);
  expect(answers).toEqual(["peer 41 3"]);
  await cluster.world.clock.run(500);
  expect(cluster.nodes[0]!.gossip.member("peer")?.state).toBe("alive");
});

test("who does not is suspected, told so with the next ping, and dead when the time is over", async () => {
  const { cluster, peer } = await watched();
  await using _cluster = cluster;
  const { gossip } = cluster.nodes[0]!;
  await cluster.runUntil(() => gossip.member("peer")?.state === "suspect", 5000);
  expect(gossip.healthScore).toBe(1);
  peer.heard.length = 0;
  // Gossip has it too: what matters is that the ping and the suspicion come in one packet.
  await cluster.runUntil(() => peer.heard.some(({ kind }) => kind === "ping"), 5000);
  const pingAt = peer.heard.findIndex(({ kind }) => kind === "ping");
  expect(peer.heard[pingAt + 1]).toEqual({
    kind: "suspect",
    body: { Incarnation: 1, Node: "peer", From: "n0" },
  });
  await cluster.runUntil(() => gossip.member("peer")?.state === "dead", 10_000);
  expect(cluster.told.map(({ what }) => what)).toEqual(["join", "join", "dead"]);
});

test("the less well we are, the longer a probe may take before it accuses", async () => {
  const { cluster, peer } = await watched();
  await using _cluster = cluster;
  const pingedAt: number[] = [];
  for (let i = 0; i < 500 && pingedAt.length < 3; i += 1) {
    await cluster.world.clock.run(10);
    if (peer.take("ping").length > 0) pingedAt.push(cluster.nowMs);
  }
  const [first = 0, second = 0, third = 0] = pingedAt;
  expect([second - first, third - second]).toEqual([1000, 2000]);
});

test("the dead are still told what is new, for half a minute: they may be alive, and say so", async () => {
  const { cluster, peer } = await watched();
  await using _cluster = cluster;
  const { gossip } = cluster.nodes[0]!;
  await cluster.runUntil(() => gossip.member("peer")?.state === "dead", 20_000);
  peer.heard.length = 0;
  await cluster.world.clock.run(1000);
  expect(peer.take("dead")).toContainEqual({ Incarnation: 1, Node: "peer", From: "n0" });
  await cluster.world.clock.run(SIM_PROFILE.gossipToTheDeadMs);
  peer.heard.length = 0;
  await gossip.updateMeta({ timeoutMs: 1000 });
  await cluster.world.clock.run(10_000);
  expect(peer.heard).toEqual([]);
});

test("a suspect that refutes is alive again", async () => {
  const { cluster, peer } = await watched();
  await using _cluster = cluster;
  const { gossip } = cluster.nodes[0]!;
  await cluster.runUntil(() => gossip.member("peer")?.state === "suspect", 5000);
  await peer.say(aliveOf("peer", PEER, 2));
  expect(gossip.member("peer")).toMatchObject({ state: "alive", incarnation: 2 });
});

test("who answers only over TCP is well, if its protocol has that", async () => {
  const { cluster } = await watched();
  await using _cluster = cluster;
  const { gossip } = cluster.nodes[0]!;
  const network = cluster.world.network.at(PEER);
  await using other = await startGossip({
    platform: { ...cluster.world, network },
    logger: noLogger,
    name: "peer",
    bind: { host: PEER, port: PORT + 1 },
    vsn: VSN,
    profile: { ...SIM_PROFILE, probeIntervalMs: 0 },
    delegate: silentDelegate(),
  });
  // The same TCP door for the port of the peer, whose UDP says nothing.
  await using _door = await network.listen({ host: PEER, port: PORT }, (stream) => {
    void network
      .connect(other.address, { signal: NEVER })
      .then((to) => stream.pipe(to).pipe(stream));
  });
  await cluster.world.clock.run(10_000);
  expect(gossip.member("peer")?.state).toBe("alive");
  expect(gossip.healthScore).toBe(0);
});

test("helpers that keep silent count against us, those that send nacks do not", async () => {
  for (const [answer, expectedScore] of [
    ["silence", 3],
    ["nacks", 0],
  ] as const) {
    await using cluster = new SimCluster({ profile: { ...SIM_PROFILE, gossipNodes: 0 } });
    await cluster.start(1);
    const { gossip } = cluster.nodes[0]!;
    const hosts = ["10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4"];
    const peers = await Promise.all(hosts.map((host) => Peer.at(cluster, host)));
    for (const [i, peer] of peers.entries()) await peer.say(aliveOf(`p${i}`, hosts[i]));
    const asked = () =>
      peers.flatMap((peer) => peer.take("indirectPing").map(({ SeqNo }) => ({ peer, SeqNo })));
    let requests: ReturnType<typeof asked> = [];
    await cluster.runUntil(() => (requests = asked()).length > 0, 5000);
    expect(requests.length).toBe(3);
    for (const { peer, SeqNo } of requests) {
      if (answer === "nacks") await peer.say({ kind: "nack", body: { SeqNo } });
    }
    await cluster.runUntil(() => gossip.members().some(({ state }) => state === "suspect"), 5000);
    expect(gossip.healthScore).toBe(expectedScore);
  }
});
