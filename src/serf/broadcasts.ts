/**
 * What Serf spreads: three queues, of which a packet takes intents first, then queries, then user events. Nothing
 * in them replaces anything. Each is cut when it is too long: what was sent most often goes first.
 */
import { retransmitLimit, TransmitQueue } from "../gossip/index.ts";
import type { Logger, Meter } from "../platform/index.ts";

/** In the order in which they fill a packet. */
const QUEUES = ["intent", "query", "event"] as const;
export type QueueName = (typeof QUEUES)[number];

const TITLES: Readonly<Record<QueueName, string>> = {
  intent: "Intent",
  query: "Query",
  event: "Event",
};

export interface BroadcastsNeeds {
  readonly retransmitMult: number;
  readonly packetBytesMax: number;
  readonly queueDepthMax: number;
  readonly queueDepthMin: number;
  readonly queueDepthWarning: number;
  /** All that are known, whatever their status. */
  readonly memberCount: () => number;
  readonly logger: Logger;
  readonly metrics: Meter;
}

interface Queue {
  readonly messages: TransmitQueue;
  dropped: number;
}

export class Broadcasts {
  readonly #needs: BroadcastsNeeds;
  readonly #queues: Readonly<Record<QueueName, Queue>> = {
    intent: newQueue(),
    query: newQueue(),
    event: newQueue(),
  };

  constructor(needs: BroadcastsNeeds) {
    this.#needs = needs;
  }

  depth(name: QueueName): number {
    return this.#queues[name].messages.length;
  }

  /** @param onDone called once it has been sent often enough, or is given up */
  add(name: QueueName, message: Uint8Array, onDone?: () => void): void {
    if (message.length > this.#needs.packetBytesMax) {
      this.#needs.logger.debug(
        `serf: ${message.length} bytes fit into no packet, and are not spread`,
      );
      onDone?.();
      return;
    }
    const queue = this.#queues[name];
    queue.messages.add(message, onDone === undefined ? {} : { onDone });
    const excess = queue.messages.length - this.#depthMax();
    if (excess <= 0) return;
    queue.dropped += excess;
    queue.messages.prune(this.#depthMax());
  }

  /** As many as fit, each with its overhead. */
  take(overheadBytes: number, limitBytes: number): readonly Uint8Array[] {
    const { retransmitMult, memberCount, metrics } = this.#needs;
    const transmitLimit = retransmitLimit(retransmitMult, memberCount());
    const taken: Uint8Array[] = [];
    let restBytes = limitBytes;
    for (const name of QUEUES) {
      const { messages } = this.#queues[name];
      if (messages.length === 0) continue;
      for (const message of messages.take({
        overheadBytes,
        limitBytes: restBytes,
        transmitLimit,
      })) {
        restBytes -= message.length + overheadBytes;
        metrics.sample("serf.msgs.sent", message.length);
        taken.push(message);
      }
    }
    return taken;
  }

  /** To be called now and then: tells of long queues. */
  check(): void {
    const { queueDepthWarning, logger, metrics } = this.#needs;
    for (const name of QUEUES) {
      const queue = this.#queues[name];
      const depth = queue.messages.length;
      metrics.sample(`serf.queue.${TITLES[name]}`, depth);
      if (depth >= queueDepthWarning) logger.warn(`serf: ${TITLES[name]} queue depth: ${depth}`);
      if (queue.dropped === 0) continue;
      const limit = this.#depthMax();
      logger.warn(
        `serf: ${TITLES[name]} queue exceeded limit (${limit}), dropped ${queue.dropped}`,
      );
      queue.dropped = 0;
    }
  }

  #depthMax(): number {
    const { queueDepthMin, queueDepthMax, memberCount } = this.#needs;
    return queueDepthMin > 0 ? Math.max(queueDepthMin, 2 * memberCount()) : queueDepthMax;
  }
}

/** Cut by `add`, whose limit moves with the number of members. */
function newQueue(): Queue {
  return { messages: new TransmitQueue({ maxMessages: Number.POSITIVE_INFINITY }), dropped: 0 };
}
