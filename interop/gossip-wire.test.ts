/**
 * The bytes of `src/wire` against real memberlist and Serf. A node that is made of nothing but those codecs and
 * two sockets joins a real agent: it is pinged and answers, exchanges state, sends an event and a query, and
 * leaves. Each agent is met in another dress: plain, compressed with checksums, sealed.
 */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  clientTags,
  compound,
  decodeCoordinate,
  decodeSerfMessage,
  decodeTags,
  encodeCoordinate,
  encodeGossipMessage,
  encodeSerfMessage,
  encodeStreamMessage,
  encodeTags,
  gossipKey,
  NONCE_BYTES,
  openPacket,
  StreamDecoder,
  wrapPacket,
  wrapStream,
  type CipherVersion,
  type GossipKey,
  type GossipMessage,
  type PushPullNode,
  type SerfMessage,
  type StreamMessage,
} from "../src/wire/index.ts";
import { eventually, http, Program, run } from "./testkit.ts";

const SERF_PORT = 7946;
const CONSUL_PORT = 8301;
const OUR_ADDRESS = "127.0.0.109";
const KEY = Buffer.from("0123456789abcdef0123456789ABCDEF");

interface Dress {
  readonly compress: boolean;
  readonly crc: boolean;
  readonly seal: CipherVersion | undefined;
}
interface Peer {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly dress: Dress;
  readonly argv: readonly string[];
  /** What the agent says of our node: alive, left … */
  readonly statusOfUs: () => Promise<string>;
}

const directory = mkdtempSync(join(tmpdir(), "rollcall-gossip-"));
afterAll(() => rmSync(directory, { recursive: true }));

function serf(address: string, dress: Dress, flags: readonly string[]): Peer {
  const rpc = `${address}:7373`;
  return {
    name: "serf",
    address,
    port: SERF_PORT,
    dress,
    argv: [
      "serf",
      "agent",
      "-node=peer",
      `-bind=${address}:${SERF_PORT}`,
      `-rpc-addr=${rpc}`,
    ].concat("-profile=local", flags),
    statusOfUs: async () => {
      const { stdout } = await run(["serf", "members", `-rpc-addr=${rpc}`, "-format=json"]);
      const { members } = JSON.parse(stdout) as {
        readonly members: readonly { readonly name: string; readonly status: string }[];
      };
      return members.find(({ name }) => name === "ours")?.status ?? "unknown";
    },
  };
}

function consul(address: string, dress: Dress, flags: readonly string[]): Peer {
  const statuses = ["none", "alive", "leaving", "left", "failed"];
  return {
    name: "consul",
    address,
    port: CONSUL_PORT,
    dress,
    argv: [
      "consul",
      "agent",
      "-dev",
      "-node=peer",
      `-bind=${address}`,
      `-client=${address}`,
    ].concat(flags),
    statusOfUs: async () => {
      const members = (await http(address, "/v1/agent/members")).json() as readonly {
        readonly Name: string;
        readonly Status: number;
      }[];
      const ours = members.find(({ Name }) => Name === "ours");
      return statuses[ours?.Status ?? 0] ?? "unknown";
    },
  };
}

const ENCRYPT = `-encrypt=${KEY.toString("base64")}`;
const PEERS: readonly Peer[] = [
  serf("127.0.0.101", { compress: false, crc: false, seal: undefined }, ["-disable-compression"]),
  serf("127.0.0.102", { compress: true, crc: true, seal: undefined }, []),
  serf("127.0.0.103", { compress: true, crc: true, seal: 1 }, [ENCRYPT]),
  serf("127.0.0.104", { compress: false, crc: false, seal: 0 }, [ENCRYPT, "-disable-compression"]),
  consul("127.0.0.105", { compress: true, crc: true, seal: undefined }, []),
  consul("127.0.0.106", { compress: true, crc: true, seal: 1 }, [ENCRYPT]),
];

test.each(PEERS)("$name at $address takes us for one of its own: $dress", async (peer) => {
  await using _agent = new Program(peer.argv);
  await using ours = await OurNode.start(peer);
  await eventually(
    "the agent listens",
    () => ours.exchange(TCP_PING),
    (answer) => answer !== undefined,
  );

  expect(await ours.exchange(TCP_PING)).toEqual({
    kind: "ack",
    body: { SeqNo: 24, Payload: null },
  });

  ours.send({ kind: "ping", body: { ...ours.source, SeqNo: 25, Node: "peer" } });
  const ack = await ours.received((message) => message.kind === "ack" && message.body.SeqNo === 25);
  if (ack.kind !== "ack" || ack.body.Payload === null)
    throw new Error("an ack without coordinates");
  expect(decodeCoordinate(ack.body.Payload).Vec).toHaveLength(8);

  const state = await ours.join();
  expect(state.body.nodes.map(({ Name }) => Name)).toContain("peer");
  expect(decodeSerfMessage(state.body.userState).kind).toBe("pushPull");
  for (const { Meta } of state.body.nodes) expect(decodeTags(Meta)).toBeTypeOf("object");
  await eventually("we are a member", peer.statusOfUs, (status) => status === "alive");

  await ours.received((message) => message.kind === "ping" && message.body.Node === "ours");

  const event = {
    kind: "userEvent" as const,
    body: { LTime: 5, Name: "deploy", Payload: Buffer.from("v2"), CC: false },
  };
  ours.sendSerf(event);
  const passedOn = await ours.receivedSerf(
    ({ kind, body }) => kind === "userEvent" && body.Name === event.body.Name,
  );
  expect(passedOn).toMatchObject({ kind: "userEvent", body: { LTime: 5, Name: "deploy" } });

  ours.sendSerf(ours.query());
  const answer = await ours.receivedSerf(({ kind }) => kind === "queryResponse");
  expect(answer).toMatchObject({ body: { ID: 77, From: "peer", Flags: 1, Payload: null } });

  expect(await peer.statusOfUs()).toBe("alive");
  ours.sendSerf({ kind: "leave", body: { LTime: 50, Node: "ours", Prune: false } });
  await eventually("we are leaving", peer.statusOfUs, (status) => status === "leaving");
  ours.send({ kind: "dead", body: { Incarnation: 1, Node: "ours", From: "ours" } });
  await eventually("we have left", peer.statusOfUs, (status) => status === "left");
  expect(ours.problems).toEqual([]);
});

test("serf refuses what is sealed with another key, in words that we understand", async () => {
  const peer = serf("127.0.0.107", { compress: false, crc: false, seal: 1 }, [ENCRYPT]);
  await using _agent = new Program(peer.argv);
  await using ours = await OurNode.start(peer);
  await eventually(
    "the agent listens",
    () => ours.exchange(TCP_PING),
    (answer) => answer !== undefined,
  );
  const bare = wrapStream(encodeStreamMessage(TCP_PING), { compress: false });
  expect(await ours.exchangeBytes(bare)).toEqual({
    kind: "err",
    body: { Error: "Encryption is configured but remote state is not encrypted" },
  });
  const sealing = { key: gossipKey(randomBytes(16)), nonce: randomBytes(NONCE_BYTES) };
  const foreign = wrapStream(encodeStreamMessage(TCP_PING), { compress: false, sealing });
  expect(await ours.exchangeBytes(foreign)).toEqual({
    kind: "err",
    body: { Error: "No installed keys could decrypt the message" },
  });
});

const TCP_PING: StreamMessage = {
  kind: "ping",
  body: { SeqNo: 24, Node: "peer", SourceAddr: new Uint8Array(), SourcePort: 0, SourceNode: "" },
};

class OurNode implements AsyncDisposable {
  readonly problems: string[] = [];
  readonly #peer: Peer;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #messages: GossipMessage[] = [];

  static async start(peer: Peer): Promise<OurNode> {
    const udp = createSocket("udp4").bind(peer.port, OUR_ADDRESS);
    const tcp = createServer().listen(peer.port, OUR_ADDRESS);
    await Promise.all([once(udp, "listening"), once(tcp, "listening")]);
    return new OurNode(peer, udp, tcp);
  }

  private constructor(peer: Peer, udp: Socket, tcp: Server) {
    this.#peer = peer;
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on("message", (datagram) => this.#receive(datagram));
    tcp.on("connection", (stream) => {
      const decoder = new StreamDecoder({ keys: this.#keys, verifyIncoming: true });
      stream.on("error", (error) => this.problems.push(error.message));
      stream.on("data", (chunk) => {
        const message = decoder.read(chunk);
        if (message?.kind === "pushPull") stream.end(this.#wrapStream(this.#state(false)));
        if (message?.kind === "ping") {
          const { SeqNo } = message.body;
          stream.end(this.#wrapStream({ kind: "ack", body: { SeqNo, Payload: null } }));
        }
      });
    });
  }

  get source() {
    return {
      SourceAddr: addressBytes(OUR_ADDRESS),
      SourcePort: this.#peer.port,
      SourceNode: "ours",
    };
  }

  query(): SerfMessage {
    const body = {
      LTime: 9,
      ID: 77,
      Addr: addressBytes(OUR_ADDRESS),
      Port: this.#peer.port,
      SourceNode: "ours",
      Filters: null,
      Flags: 1,
      RelayFactor: 0,
      Timeout: 5_000_000_000,
      Name: "_serf_ping",
      Payload: null,
    };
    return { kind: "query", body };
  }

  send(...messages: readonly GossipMessage[]): void {
    const parts = messages.map((message) => encodeGossipMessage(message));
    const [first] = parts;
    const plain = first !== undefined && parts.length === 1 ? first : compound(parts);
    const { compress, crc } = this.#peer.dress;
    const packet = wrapPacket(plain, { compress, crc, sealing: this.#sealing() });
    this.#udp.send(packet, this.#peer.port, this.#peer.address);
  }

  sendSerf(message: SerfMessage): void {
    this.send({ kind: "user", body: encodeSerfMessage(message) });
  }

  async join(): Promise<Extract<StreamMessage, { kind: "pushPull" }>> {
    const answer = await this.exchange(this.#state(true));
    if (answer?.kind !== "pushPull") throw new Error(`no state: ${JSON.stringify(answer)}`);
    return answer;
  }

  exchange(message: StreamMessage): Promise<StreamMessage | undefined> {
    return this.exchangeBytes(this.#wrapStream(message));
  }

  /** @returns undefined when the peer closed without an answer */
  async exchangeBytes(bytes: Uint8Array): Promise<StreamMessage | undefined> {
    const stream = connect(this.#peer.port, this.#peer.address);
    stream.write(bytes);
    const decoder = new StreamDecoder({ keys: this.#keys, verifyIncoming: true });
    try {
      for await (const chunk of stream) {
        const message = decoder.read(chunk as Buffer);
        if (message !== undefined) return message;
      }
      return undefined;
    } finally {
      stream.destroy();
    }
  }

  received(isWanted: (message: GossipMessage) => boolean): Promise<GossipMessage> {
    return eventually(
      "a message",
      async () => this.#messages.find(isWanted) ?? Promise.reject(new Error(this.#seen())),
      () => true,
    );
  }

  async receivedSerf(isWanted: (message: SerfMessage) => boolean): Promise<SerfMessage> {
    const isSerf = (message: GossipMessage) =>
      message.kind === "user" && isWanted(decodeSerfMessage(message.body));
    const { body } = await this.received(isSerf);
    if (!(body instanceof Uint8Array)) throw new Error("not serf's");
    return decodeSerfMessage(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#udp, "close");
    this.#udp.close();
    await closed;
    await new Promise((resolve) => this.#tcp.close(resolve));
  }

  get #keys(): readonly GossipKey[] {
    return this.#peer.dress.seal === undefined ? [] : [gossipKey(KEY)];
  }

  #sealing() {
    const version = this.#peer.dress.seal;
    if (version === undefined) return undefined;
    return { key: gossipKey(KEY), nonce: randomBytes(NONCE_BYTES), version };
  }

  #wrapStream(message: StreamMessage): Uint8Array {
    const { compress } = this.#peer.dress;
    return wrapStream(encodeStreamMessage(message), { compress, sealing: this.#sealing() });
  }

  #receive(datagram: Buffer): void {
    const { messages, rejected } = openPacket(datagram, { keys: this.#keys, verifyIncoming: true });
    this.problems.push(...rejected);
    this.#messages.push(...messages);
    for (const message of messages) {
      if (message.kind !== "ping" || message.body.Node !== "ours") continue;
      const Payload = encodeCoordinate({
        Vec: [0, 0, 0, 0, 0, 0, 0, 0],
        Error: 1.5,
        Adjustment: 0,
        Height: 1e-5,
      });
      this.send({ kind: "ack", body: { SeqNo: message.body.SeqNo, Payload } });
    }
  }

  #state(Join: boolean): StreamMessage {
    const tags = clientTags({
      Datacenter: "dc1",
      Segment: "",
      NodeID: "11111111-2222-3333-4444-555555555555",
      Build: "1.8.7:",
      Acls: "disabled",
    });
    const node: PushPullNode = {
      Name: "ours",
      Addr: addressBytes(OUR_ADDRESS),
      Port: this.#peer.port,
      Meta: encodeTags(tags),
      Incarnation: 1,
      State: 0,
      Vsn: Uint8Array.of(1, 5, 2, 2, 5, 4),
    };
    const serfState: SerfMessage = {
      kind: "pushPull",
      body: {
        LTime: 1,
        StatusLTimes: { ours: 1 },
        LeftMembers: [],
        EventLTime: 1,
        Events: Array.from({ length: 512 }, () => null),
        QueryLTime: 1,
      },
    };
    const userState = encodeSerfMessage(serfState);
    return { kind: "pushPull", body: { Join, nodes: [node], userState } };
  }

  #seen(): string {
    return this.#messages.map(({ kind }) => kind).join(" ");
  }
}

function addressBytes(address: string): Uint8Array {
  return Uint8Array.from(address.split("."), Number);
}
