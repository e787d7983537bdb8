/** For tests: a member that says what it is told to, packet by packet, to the first node of a cluster. */
import type { DatagramSocket, IpAddress } from "../platform/index.ts";
import {
  compound,
  encodeGossipMessage,
  openPacket,
  type GossipMessage,
  type Opening,
} from "../wire/index.ts";
import type { Source } from "./relays.ts";
import { hostAt, PORT, VSN, type SimCluster } from "./testkit.ts";

export const PEER = "10.9.0.1";
export const NODE: IpAddress = { host: hostAt(0), port: PORT };
const PLAIN: Opening = { keys: [], verifyIncoming: true };
const NO_BYTES = new Uint8Array(0);

/** Somebody who speaks the protocol by hand. */
export class Peer {
  readonly heard: GossipMessage[] = [];
  readonly #cluster: SimCluster;
  #socket: DatagramSocket | undefined;

  private constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  /** @param opening with keys, it takes sealed packets only */
  static async at(cluster: SimCluster, host = PEER, opening = PLAIN): Promise<Peer> {
    const peer = new Peer(cluster);
    const network = cluster.world.network.at(host);
    peer.#socket = await network.bindDatagram({ host, port: PORT }, (bytes) => {
      peer.heard.push(...openPacket(bytes, opening).messages);
    });
    return peer;
  }

  /** To n0, in one packet; resolves when it has been dealt with. */
  async say(...messages: GossipMessage[]): Promise<void> {
    const parts = messages.map((message) => encodeGossipMessage(message));
    const [first] = parts;
    await this.sayBytes(parts.length === 1 && first ? first : compound(parts));
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

export function sourceOf(host = PEER): Source {
  const SourceAddr = Uint8Array.from(host.split("."), Number);
  return { SourceAddr, SourcePort: PORT, SourceNode: "peer" };
}
export function pingOf(SeqNo: number, Node = "n0", from = sourceOf()): GossipMessage {
  return { kind: "ping", body: { SeqNo, Node, ...from } };
}
export function aliveOf(Node: string, host = PEER, Incarnation = 1): GossipMessage {
  const Addr = Uint8Array.from(host.split("."), Number);
  return { kind: "alive", body: { Incarnation, Node, Addr, Port: PORT, Meta: NO_BYTES, Vsn: VSN } };
}
