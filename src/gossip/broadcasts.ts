/** What rides along in packets: this room's own news first, then what the layer above has to spread. */
import {
  COMPOUND_PARTS_MAX,
  COMPOUND_PART_BYTES,
  encodeGossipMessage,
  MsgpackWriter,
} from "../wire/index.ts";
import type { CommonKnowledge } from "./common-knowledge.ts";
import type { GossipDelegate } from "./gossip-types.ts";
import type { Rumor } from "./judge.ts";
import { MEMBERS_MAX } from "./member-table.ts";
import { retransmitLimit } from "./scaling.ts";
import { TransmitQueue } from "./transmit-queue.ts";

/** The type byte of a user message. */
const USER_BYTES = 1;

export class Broadcasts {
  /** One message a member, as each replaces the one before. */
  readonly #queue = new TransmitQueue({ maxMessages: MEMBERS_MAX });
  readonly #writer = new MsgpackWriter();
  readonly #delegate: Pick<GossipDelegate, "broadcasts">;
  readonly #retransmitMult: number;

  readonly #common: CommonKnowledge | undefined;
  readonly #encode = (rumor: Rumor): Uint8Array => encodeGossipMessage(rumor, this.#writer);

  constructor(
    delegate: Pick<GossipDelegate, "broadcasts">,
    retransmitMult: number,
    common?: CommonKnowledge,
  ) {
    this.#delegate = delegate;
    this.#retransmitMult = retransmitMult;
    this.#common = common;
  }

  get queuedCount(): number {
    return this.#queue.length;
  }

  /** @param onDone called when it has been sent often enough, or a later one about the same member has come */
  add(about: string, rumor: Rumor, onDone?: () => void): void {
    const message = this.#common?.message(about, rumor, this.#encode) ?? this.#encode(rumor);
    this.#queue.add(message, { key: about, ...(onDone && { onDone }) });
  }

  /** Messages that fit into a compound packet with so much room left, its own lengths counted. */
  take(limitBytes: number, memberCount: number): Uint8Array[] {
    const taken = this.#queue.take({
      overheadBytes: COMPOUND_PART_BYTES,
      limitBytes,
      transmitLimit: retransmitLimit(this.#retransmitMult, memberCount),
      // One place is for the message that they ride on.
      maxMessages: COMPOUND_PARTS_MAX - 1,
    });
    let restBytes = limitBytes;
    for (const { length } of taken) restBytes -= length + COMPOUND_PART_BYTES;
    const overheadBytes = COMPOUND_PART_BYTES + USER_BYTES;
    if (restBytes <= overheadBytes) return taken;
    for (const body of this.#delegate.broadcasts(overheadBytes, restBytes)) {
      // What the layer above hands out beyond the room or the number of parts is lost, as a packet may be.
      const costBytes = body.length + overheadBytes;
      if (costBytes > restBytes || taken.length >= COMPOUND_PARTS_MAX - 1) continue;
      restBytes -= costBytes;
      taken.push(encodeGossipMessage({ kind: "user", body }, this.#writer));
    }
    return taken;
  }
}
