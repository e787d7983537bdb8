/** A node under packets that nobody should send. A million of them: scripts/gossip-hostile.mjs. */
import { expect, test } from "vitest";
import type { Meter } from "../platform/index.ts";
import { encodeGossipMessage, gossipKey, wrapPacket, type GossipMessage } from "../wire/index.ts";
import { goodPackets, mutated } from "./hostile-packets.ts";
import { Keyring } from "./keyring.ts";
import { hostAt, NEVER, PORT, SIM_PROFILE, SimCluster, VSN } from "./testkit.ts";

const PACKETS = 20_000;
const PACKETS_A_STEP = 200;
const KEY = new Uint8Array(32).fill(9);
const QUIET = { ...SIM_PROFILE, probeIntervalMs: 0, gossipNodes: 0, pushPullIntervalMs: 0 };

async function attackerOf(cluster: SimCluster) {
  const network = cluster.world.network.at("10.9.0.66");
  const socket = await network.bindDatagram({ host: "10.9.0.66", port: PORT }, () => {});
  return (packet: Uint8Array) => socket.send(packet, { host: hostAt(0), port: PORT });
}

test("mutated packets: the node goes on, answers, and counts no more members than it was told of", async () => {
  await using cluster = new SimCluster({ seed: process.env["SEED"] ?? 1 });
  await cluster.start(3);
  await cluster.joinAll();
  const send = await attackerOf(cluster);
  const random = cluster.world.random.fork("mutations");
  const packets = goodPackets(["n0", "n1", "n2", "stranger"]);
  for (let sent = 0; sent < PACKETS; sent += PACKETS_A_STEP) {
    for (let i = 0; i < PACKETS_A_STEP; i += 1) send(mutated(packets, random));
    await cluster.runCoarsely(10);
  }
  const [node, other] = cluster.nodes.map(({ gossip }) => gossip);
  expect(node!.local.state).toBe("alive");
  expect(node!.memberCount).toBeLessThan(PACKETS);
  expect(await cluster.world.clock.until(other!.join([hostAt(0)], { signal: NEVER }))).toBe(1);
});

test("with a key no packet of whoever has it not is believed, not even a sealed one that was changed", async () => {
  const counted = new Set<string>();
  const meter: Meter = { count: (name) => counted.add(name), sample: () => {} };
  const options = () => ({ keyring: new Keyring([KEY]), meter });
  await using cluster = new SimCluster({ profile: QUIET, options });
  await cluster.start(1);
  const send = await attackerOf(cluster);
  const random = cluster.world.random.fork("mutations");
  const plain = goodPackets(["n0", "stranger"]);
  const seal = (packet: Uint8Array, key: Uint8Array): Uint8Array => {
    const sealing = { key: gossipKey(key), nonce: random.bytes(12) };
    return wrapPacket(packet, { compress: false, crc: false, sealing });
  };
  const sealed = plain.map((packet) => seal(packet, KEY));
  const otherwise = plain.map((packet) => seal(packet, new Uint8Array(32)));
  // What was only seen on the wire may be sent again as it was; it must have been changed to be a forgery.
  const genuine = new Set(sealed.map((packet) => Buffer.from(packet).toString("hex")));
  let sentCount = 0;
  while (sentCount < PACKETS / 4) {
    const packet = mutated([...plain, ...sealed, ...otherwise], random);
    if (genuine.has(Buffer.from(packet).toString("hex"))) continue;
    send(packet);
    sentCount += 1;
    if (sentCount % PACKETS_A_STEP === 0) await cluster.runCoarsely(10);
  }
  expect([...counted]).toEqual(["memberlist.udp.received"]);
  expect(cluster.nodes[0]!.gossip.memberCount).toBe(1);
});

test("what was true once and is sent again changes nothing", async () => {
  await using cluster = new SimCluster({ profile: QUIET });
  await cluster.start(4);
  await cluster.joinAll();
  const send = await attackerOf(cluster);
  const about = (Node: string, Incarnation: number): GossipMessage[] => {
    const i = Number(Node.slice(1));
    const Addr = Uint8Array.from(hostAt(i).split("."), Number);
    const Meta = new Uint8Array(0);
    return [
      { kind: "alive", body: { Incarnation, Node, Addr, Port: PORT, Meta, Vsn: VSN } },
      { kind: "suspect", body: { Incarnation, Node, From: "n2" } },
      { kind: "dead", body: { Incarnation, Node, From: "n2" } },
    ];
  };
  const names = ["n1", "n2", "n3"];
  for (const name of names) send(encodeGossipMessage(about(name, 9)[0]!));
  await cluster.runCoarsely(10);
  const before = cluster.nodes[0]!.gossip.members();
  expect(before.map(({ incarnation }) => incarnation).toSorted((a, b) => a - b)).toEqual([
    1, 9, 9, 9,
  ]);
  const toldBefore = cluster.told.length;
  for (let round = 0; round < 20; round += 1) {
    for (const name of names) {
      for (let old = 1; old < 9; old += 1) {
        for (const message of about(name, old)) send(encodeGossipMessage(message));
      }
      // At the present incarnation bad news would be news; good news is not.
      send(encodeGossipMessage(about(name, 9)[0]!));
    }
    await cluster.runCoarsely(10);
  }
  const after = cluster.nodes[0]!.gossip.members();
  for (const [i, member] of before.entries()) expect(after[i]).toBe(member);
  expect(cluster.told.length).toBe(toldBefore);
});

test("streams that say nothing, or too much, or are too many, end", async () => {
  await using cluster = new SimCluster({ profile: QUIET });
  await cluster.start(1);
  const node = { host: hostAt(0), port: PORT };
  const network = cluster.world.network.at("10.9.0.66");
  const connect = () => network.connect(node, { signal: new AbortController().signal });
  const closing = async (bytes?: Uint8Array) => {
    const stream = await connect();
    const closed = new Promise((resolve) => stream.once("close", resolve));
    stream.resume();
    if (bytes !== undefined) stream.write(bytes);
    return closed;
  };
  const { clock } = cluster.world;
  await clock.until(closing(Uint8Array.of(99)), 100);
  await clock.until(closing(Uint8Array.of(6, 0x83, 0xa5)), SIM_PROFILE.tcpTimeoutMs);
  const silent = Array.from({ length: 128 }, () => closing());
  await clock.settle();
  await clock.until(closing(), 100); // The one too many, at once.
  await clock.until(Promise.all(silent), SIM_PROFILE.tcpTimeoutMs);
  await clock.until(cluster.nodes[0]!.gossip.join([hostAt(0)], { signal: NEVER }));
});
