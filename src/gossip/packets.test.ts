/** What a node makes of packets, and what it sends back. */
import { expect, test } from "vitest";
import { encodeGossipMessage, gossipKey, wrapPacket, type GossipMessage } from "../wire/index.ts";
import { Keyring } from "./keyring.ts";
import { aliveOf, Peer, PEER, pingOf, sourceOf } from "./scripted-peer.ts";
import { NEVER, PORT, SIM_PROFILE, SimCluster, silentDelegate } from "./testkit.ts";

const NO_BYTES = new Uint8Array(0);

test("a ping for us is answered to the address that it names, with the payload of the layer above", async () => {
  const delegate = silentDelegate({ ackPayload: () => Buffer.from("here") });
  await using cluster = new SimCluster({ options: () => ({ delegate }) });
  await cluster.start(1);
  const peer = await Peer.at(cluster);
  const elsewhere = await Peer.at(cluster, "10.9.0.2");
  await peer.say(pingOf(7));
  await peer.say(pingOf(8, "", { SourceAddr: NO_BYTES, SourcePort: 0, SourceNode: "" }));
  await peer.say(pingOf(9, "n0", sourceOf("10.9.0.2")));
  expect(peer.take("ack")).toEqual([
    { SeqNo: 7, Payload: new Uint8Array(Buffer.from("here")) },
    { SeqNo: 8, Payload: new Uint8Array(Buffer.from("here")) },
  ]);
  expect(elsewhere.take("ack")).toMatchObject([{ SeqNo: 9 }]);
  await peer.say(pingOf(10, "somebody else"));
  expect(peer.take("ack")).toEqual([]);
});

test("what is asked through us is answered: an ack when there is one, else a nack for who wants it", async () => {
  await using cluster = new SimCluster();
  await cluster.start(1);
  const peer = await Peer.at(cluster);
  const target = await Peer.at(cluster, "10.9.0.2");
  const Target = Uint8Array.of(10, 9, 0, 2);
  const ask = (SeqNo: number, Nack: boolean): GossipMessage => {
    return {
      kind: "indirectPing",
      body: { SeqNo, Target, Port: PORT, Node: "t", Nack, ...sourceOf() },
    };
  };
  await peer.say(ask(7, true));
  const [relayed] = target.take("ping");
  expect(relayed).toMatchObject({ Node: "t", SourceNode: "n0" });
  await target.say({ kind: "ack", body: { SeqNo: relayed!.SeqNo, Payload: Buffer.from("x") } });
  expect(peer.take("ack")).toEqual([{ SeqNo: 7, Payload: null }]);
  // No second one, and no nack, however long we wait.
  await target.say({ kind: "ack", body: { SeqNo: relayed!.SeqNo, Payload: null } });
  await cluster.world.clock.run(1000);
  expect(peer.heard).toEqual([]);

  await peer.say(ask(8, true), ask(9, false));
  await cluster.world.clock.run(SIM_PROFILE.probeTimeoutMs);
  expect(peer.take("nack")).toEqual([{ SeqNo: 8 }]);
});

test("news rides on answers, within the size of a packet", async () => {
  const sizes: number[] = [];
  const delegate = silentDelegate({
    broadcasts: () => [Buffer.alloc(300, "u"), Buffer.alloc(2000)],
  });
  await using cluster = new SimCluster({ options: () => ({ delegate }) });
  await cluster.start(1);
  cluster.world.network.links.fault(({ bytes, to }) => {
    if (to === PEER) sizes.push(bytes);
    return "pass";
  });
  const peer = await Peer.at(cluster);
  for (let i = 0; i < 40; i += 1) await peer.say(aliveOf(`m${i}`, "10.9.1.1"));
  await peer.say(pingOf(1));
  expect(peer.heard[0]?.kind).toBe("ack");
  expect(peer.heard.filter(({ kind }) => kind === "alive").length).toBeGreaterThan(8);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(SIM_PROFILE.packetBytesMax);
  expect(Math.max(...sizes)).toBeGreaterThan(1200);
});

test("user messages go up, from a packet and from a stream", async () => {
  const heard: string[] = [];
  const delegate = silentDelegate({
    onUserMessage: (bytes) => heard.push(Buffer.from(bytes).toString()),
  });
  await using cluster = new SimCluster({ options: () => ({ delegate }) });
  await cluster.start(2);
  const [a, b] = cluster.nodes.map(({ gossip }) => gossip);
  a!.sendUser(b!.address, Buffer.from("by packet"));
  await cluster.world.clock.settle();
  const sending = a!.sendUserReliable(b!.address, Buffer.from("by stream"), { signal: NEVER });
  await cluster.world.clock.until(sending);
  await cluster.world.clock.settle();
  expect(heard).toEqual(["by packet", "by stream"]);
});

test("with keys, what is plain, forged or sealed with another key does not count", async () => {
  const key = gossipKey(new Uint8Array(16).fill(1));
  const options = () => ({ keyring: new Keyring([key.bytes]) });
  await using cluster = new SimCluster({ options });
  await cluster.start(1);
  const peer = await Peer.at(cluster, PEER, { keys: [key], verifyIncoming: true });
  const sealed = (fill: number) => {
    const sealing = { key: gossipKey(new Uint8Array(16).fill(fill)), nonce: new Uint8Array(12) };
    const wrapping = { compress: false, crc: false, sealing };
    return wrapPacket(encodeGossipMessage(pingOf(fill)), wrapping);
  };
  await peer.say(pingOf(3));
  await peer.sayBytes(sealed(2));
  const forged = sealed(1);
  forged[20] = forged[20]! ^ 1;
  await peer.sayBytes(forged);
  expect(peer.heard).toEqual([]);
  await peer.sayBytes(sealed(1));
  expect(peer.take("ack")).toMatchObject([{ SeqNo: 1 }]);
});

test("while a cluster moves to encryption, plain packets count, and are answered plainly", async () => {
  const keyring = new Keyring([new Uint8Array(16)]);
  const options = () => ({ keyring, verifyIncoming: false, verifyOutgoing: false });
  await using cluster = new SimCluster({ options });
  await cluster.start(1);
  const peer = await Peer.at(cluster);
  await peer.say(pingOf(3));
  expect(peer.take("ack")).toMatchObject([{ SeqNo: 3 }]);
});
