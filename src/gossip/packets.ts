/** Datagrams, out and in (memberlist: net.go). What is sent to a member makes room for news to ride along. */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { DatagramSocket, IpAddress, Logger, Meter } from "../platform/index.ts";
import {
  compound,
  COMPOUND_HEADER_BYTES,
  COMPOUND_PART_BYTES,
  encodeGossipMessage,
  MsgpackWriter,
  openPacket,
  wrapPacket,
  type GossipMessage,
} from "../wire/index.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { Sealer } from "./sealing.ts";

/** `checksummed`: with a CRC-32 in front. Only for members whose protocol has it. */
export type Integrity = "checksummed" | "bare";

export interface PacketsOptions {
  readonly sealer: Sealer;
  readonly broadcasts: Broadcasts;
  readonly packetBytesMax: number;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly memberCount: () => number;
  readonly onMessage: (message: GossipMessage, from: IpAddress) => void;
}

export class Packets {
  readonly #options: PacketsOptions;
  readonly #writer = new MsgpackWriter();
  #socket: DatagramSocket | undefined;

  constructor(options: PacketsOptions) {
    this.#options = options;
  }

  /** Before that, nothing is sent. */
  use(socket: DatagramSocket): void {
    this.#socket = socket;
  }

  /** With as much news as fits. */
  send(to: IpAddress, message: GossipMessage): void {
    const encoded = encodeGossipMessage(message, this.#writer);
    const { broadcasts, memberCount } = this.#options;
    const restBytes = this.#roomBytes - encoded.length - COMPOUND_PART_BYTES;
    this.#sendParts(to, [encoded, ...broadcasts.take(restBytes, memberCount())], "bare");
  }

  /** As they are, in one packet. */
  sendAlone(to: IpAddress, messages: readonly GossipMessage[], integrity: Integrity): void {
    this.#sendParts(
      to,
      messages.map((message) => encodeGossipMessage(message, this.#writer)),
      integrity,
    );
  }

  /** News only. @returns whether there was any */
  sendNews(to: IpAddress, integrity: Integrity): boolean {
    const { broadcasts, memberCount } = this.#options;
    const news = broadcasts.take(this.#roomBytes, memberCount());
    if (news.length > 0) this.#sendParts(to, news, integrity);
    return news.length > 0;
  }

  /** What came from outside is never a reason to throw: it counts, or is logged and dropped. */
  receive(bytes: Uint8Array, from: IpAddress): void {
    const { sealer, logger, meter, onMessage } = this.#options;
    meter.count("memberlist.udp.received", bytes.length);
    try {
      const { messages, rejected } = openPacket(bytes, sealer.opening());
      for (const message of messages) onMessage(message, from);
      for (const reason of rejected) {
        logger.debug(`memberlist: dropped a part of a packet: ${reason}`, { from: from.host });
      }
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      logger.debug(`memberlist: dropped a packet: ${messageOf(error)}`, { from: from.host });
    }
  }

  get #roomBytes(): number {
    const { packetBytesMax, sealer } = this.#options;
    return packetBytesMax - COMPOUND_HEADER_BYTES - sealer.overheadBytes;
  }

  #sendParts(to: IpAddress, parts: readonly Uint8Array[], integrity: Integrity): void {
    const { sealer, meter } = this.#options;
    const [first] = parts;
    if (first === undefined) return;
    const message = parts.length === 1 ? first : compound(parts);
    const wrapping = { ...sealer.wrapping(message.length), crc: integrity === "checksummed" };
    const packet = wrapPacket(message, wrapping);
    meter.count("memberlist.udp.sent", packet.length);
    this.#socket?.send(packet, to);
  }
}
