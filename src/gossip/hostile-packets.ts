/** For tests: packets as somebody could send them who wishes no good, made from good ones. */
import type { Random } from "../platform/index.ts";
import { compound, encodeGossipMessage, wrapPacket, type GossipMessage } from "../wire/index.ts";

const NO_BYTES = new Uint8Array(0);

/** One of each kind and wrapping, about the given members. */
export function goodPackets(about: readonly string[]): Uint8Array[] {
  const addr = Uint8Array.of(10, 9, 0, 1);
  const source = { SourceAddr: addr, SourcePort: 7946, SourceNode: "peer" };
  const Vsn = Uint8Array.of(1, 5, 2, 2, 5, 4);
  const messages = about.flatMap((Node): GossipMessage[] => [
    { kind: "ping", body: { SeqNo: 1, Node, ...source } },
    {
      kind: "indirectPing",
      body: { SeqNo: 2, Target: addr, Port: 7946, Node, Nack: true, ...source },
    },
    { kind: "ack", body: { SeqNo: 1, Payload: Uint8Array.of(1, 2, 3) } },
    { kind: "nack", body: { SeqNo: 1 } },
    { kind: "suspect", body: { Incarnation: 1, Node, From: "peer" } },
    { kind: "dead", body: { Incarnation: 1, Node, From: "peer" } },
    {
      kind: "alive",
      body: { Incarnation: 2, Node, Addr: addr, Port: 7946, Meta: NO_BYTES, Vsn },
    },
    { kind: "user", body: Uint8Array.of(1, 0x80) },
  ]);
  const parts = messages.map((message) => encodeGossipMessage(message));
  const together = compound(parts.slice(0, 30));
  const wrapped = [parts[0] ?? NO_BYTES, together].flatMap((message) => [
    wrapPacket(message, { compress: true, crc: false }),
    wrapPacket(message, { compress: false, crc: true }),
    wrapPacket(message, { compress: true, crc: true }),
  ]);
  // Plain ones: a Buffer's `slice` would share its bytes.
  return [...parts, together, ...wrapped].map((packet) => Uint8Array.from(packet));
}

type Mutation = (packet: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  (packet, random) => changed(packet, random, (byte) => byte ^ (1 << below(random, 8))),
  (packet, random) => changed(packet, random, () => below(random, 256)),
  (packet, random) => changed(packet, random, () => (random.float() < 0.5 ? 0xff : 0)),
  (packet, random) => packet.slice(0, below(random, packet.length + 1)),
  (packet, random) => Buffer.concat([packet, random.bytes(below(random, 64))]),
  (packet, random, others) => {
    const other = others[below(random, others.length)] ?? packet;
    const at = below(random, Math.min(packet.length, other.length) + 1);
    return Buffer.concat([packet.subarray(0, at), other.subarray(at)]);
  },
  (packet, random) => {
    const at = below(random, packet.length + 1);
    return Buffer.concat([
      packet.subarray(0, at),
      random.bytes(below(random, 8)),
      packet.subarray(at),
    ]);
  },
  (_packet, random) => random.bytes(below(random, 200)),
];

/** A good one with one to four things wrong with it. */
export function mutated(packets: readonly Uint8Array[], random: Random): Uint8Array {
  let packet: Uint8Array = packets[below(random, packets.length)] ?? NO_BYTES;
  for (let times = 1 + below(random, 4); times > 0; times -= 1) {
    const mutation = MUTATIONS[below(random, MUTATIONS.length)];
    packet = mutation?.(packet, random, packets) ?? packet;
  }
  return Uint8Array.from(packet);
}

function changed(packet: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(packet);
  const at = below(random, copy.length);
  if (copy.length > 0) copy[at] = change(copy[at] ?? 0);
  return copy;
}

function below(random: Random, limit: number): number {
  return Math.floor(random.float() * limit);
}
