/** One node, or a few, and what they say: each rule of the protocol that packets or streams can show. */
import { describe, expect, test } from "vitest";
import { noLogger, type DatagramSocket, type IpAddress } from "../platform/index.ts";
import { nodePlatform } from "../platform/node/index.ts";
import {
  compound,
  encodeGossipMessage,
  gossipKey,
  openPacket,
  wrapPacket,
  type GossipMessage,
  type Opening,
} from "../wire/index.ts";
import { Keyring, LOCAL_PROFILE, startGossip } from "./index.ts";
import { hostAt, NEVER, PORT, SIM_PROFILE, SimCluster, silentDelegate, VSN } from "./testkit.ts";

const PLAIN: Opening = { keys: [], verifyIncoming: true };
const PEER = "10.9.0.1";
const NODE: IpAddress = { host: hostAt(0), port: PORT };
const NO_BYTES = new Uint8Array(0);

/** Somebody who speaks the protocol by hand. */
class Peer {
  readonly heard: GossipMessage[] = [];
  readonly #cluster: SimCluster;
  #socket: DatagramSocket | undefined;

  private constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  static async at(cluster: SimCluster, host = PEER, opening = PLAIN): Promise<Peer> {
    const peer = new Peer(cluster);
    const network = cluster.world.network.at(host);
    peer.#socket = await network.bindDatagram({ host, port: PORT }, (bytes) => {
      peer.heard.push(...openPacket(bytes, opening).messages);
    });
    return peer;
  }

  async say(...messages: GossipMessage[]): Promise<void> {
    const parts = messages.map((message) => encodeGossipMessage(message));
    await this.sayBytes(parts.length === 1 ? parts[0]! : compound(parts));
  }
  async sayBytes(bytes: Uint8Array): Promise<void> {
    this.#socket?.send(bytes, NODE);
    await this.#cluster.world.clock.settle();
  }
  /** What was heard since the last time it was asked, of one kind. */
  take<K extends GossipMessage["kind"]>(kind: K): Extract<GossipMessage, { kind: K }>["body"][] {
    const found = this.heard.filter((message) => message.kind === kind);
    this.heard.length = 0;
    return found.map(({ body }) => body) as never;
  }
}

function source(host = PEER) {
  const SourceAddr = Uint8Array.from(host.split("."), Number);
  return { SourceAddr, SourcePort: PORT, SourceNode: "peer" };
}
function ping(SeqNo: number, Node = "n0", from = source()): GossipMessage {
  return { kind: "ping", body: { SeqNo, Node, ...from } };
}
function aliveOf(Node: string, host = PEER, Incarnation = 1): GossipMessage {
  const Addr = Uint8Array.from(host.split("."), Number);
  return { kind: "alive", body: { Incarnation, Node, Addr, Port: PORT, Meta: NO_BYTES, Vsn: VSN } };
}

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
    expect([names(a), names(b)]).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    await b.leave({ timeoutMs: 5000 });
    expect(a.member("b")?.state).toBe("left");
  });
});

describe("packets", () => {
  test("a ping for us is answered to the address that it names, with the payload of the layer above", async () => {
    const delegate = silentDelegate({ ackPayload: () => Buffer.from("here") });
    await using cluster = new SimCluster({ options: () => ({ delegate }) });
    await cluster.start(1);
    const peer = await Peer.at(cluster);
    const elsewhere = await Peer.at(cluster, "10.9.0.2");
    await peer.say(ping(7));
    await peer.say(ping(8, "", { SourceAddr: NO_BYTES, SourcePort: 0, SourceNode: "" }));
    await peer.say(ping(9, "n0", source("10.9.0.2")));
    expect(peer.take("ack")).toEqual([
      { SeqNo: 7, Payload: new Uint8Array(Buffer.from("here")) },
      { SeqNo: 8, Payload: new Uint8Array(Buffer.from("here")) },
    ]);
    expect(elsewhere.take("ack")).toMatchObject([{ SeqNo: 9 }]);
    await peer.say(ping(10, "somebody else"));
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
        body: { SeqNo, Target, Port: PORT, Node: "t", Nack, ...source() },
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
    await peer.say(ping(1));
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
      return wrapPacket(encodeGossipMessage(ping(fill)), wrapping);
    };
    await peer.say(ping(3));
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
    await peer.say(ping(3));
    expect(peer.take("ack")).toMatchObject([{ SeqNo: 3 }]);
  });
});

describe("probing", () => {
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
        "\t* Failed to join 10.8.0.1:7946: dial tcp 10.8.0.1:7946: connect: connection refused\n" +
        "\t* Failed to join nosuch:7946: dial tcp: lookup nosuch: no such host\n" +
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
  await peer.say({ kind: "indirectPing", body: { ...body, ...source() } });
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
