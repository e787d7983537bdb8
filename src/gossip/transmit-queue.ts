/**
 * What is to be spread, each message a bounded number of times (memberlist: queue.go; SWIM §4.1, "infection style").
 *
 * A packet is filled with what was sent least often, and among equals with the largest that still fits, then the
 * newest. A message may have a key: a later one with the same key takes its place, as what it says is outdated.
 *
 * Messages lie in tiers by how often they were sent (transmit-tier.ts), so that a packet costs what it holds, however
 * much is waiting: on a bad network that may be a message about each member of a large pool.
 */
import { TransmitTier, type Queued } from "./transmit-tier.ts";

export interface Transmission {
  /** A later message with the same key replaces this one. */
  readonly key?: string;
  /** Called once, when it has been sent often enough, was replaced, or was dropped. */
  readonly onDone?: () => void;
}
export interface Take {
  /** What each message costs beside its own bytes. */
  readonly overheadBytes: number;
  /** For all together, overhead included. */
  readonly limitBytes: number;
  /** How often each is sent; everything is sent at least once. */
  readonly transmitLimit: number;
  readonly maxMessages?: number;
}

export class TransmitQueue {
  readonly #maxMessages: number;
  /** Index = how often it was sent. */
  readonly #tiers: TransmitTier[] = [];
  readonly #byKey = new Map<string, Queued>();
  #length = 0;
  #lastId = 0;

  constructor(options: { readonly maxMessages: number }) {
    this.#maxMessages = options.maxMessages;
  }

  get length(): number {
    return this.#length;
  }

  add(message: Uint8Array, transmission: Transmission = {}): void {
    const { key, onDone } = transmission;
    this.#lastId += 1;
    const entry: Queued = { message, id: this.#lastId, key, onDone, sentCount: 0 };
    const outdated = key === undefined ? undefined : this.#byKey.get(key);
    if (outdated !== undefined) this.#remove(outdated);
    if (key !== undefined) this.#byKey.set(key, entry);
    this.#insert(entry);
    outdated?.onDone?.();
    this.prune(this.#maxMessages);
  }

  /** Messages for one packet, each counted as sent. */
  take(options: Take): Uint8Array[] {
    const { overheadBytes, limitBytes, transmitLimit, maxMessages = Infinity } = options;
    const taken: Queued[] = [];
    let restBytes = limitBytes;
    for (const tier of this.#tiers) {
      if (restBytes <= overheadBytes || taken.length >= maxMessages) break;
      const found = tier.take({
        overheadBytes,
        restBytes,
        maxMessages: maxMessages - taken.length,
      });
      for (const entry of found) {
        restBytes -= entry.message.length + overheadBytes;
        taken.push(entry);
      }
    }
    this.#length -= taken.length;
    for (const entry of taken) {
      entry.sentCount += 1;
      if (entry.sentCount < transmitLimit) this.#insert(entry);
      else this.#forgetKey(entry);
    }
    // Last, as who is told may add something.
    for (const { sentCount, onDone } of taken) {
      if (sentCount >= transmitLimit) onDone?.();
    }
    return taken.map(({ message }) => message);
  }

  /** Drops what was sent most often, then the shortest, then the oldest, until at most `max` are left. */
  prune(max: number): void {
    for (let i = this.#tiers.length - 1; i >= 0 && this.#length > max;) {
      const entry = this.#tiers[i]?.dropLast();
      if (entry === undefined) {
        i -= 1;
        continue;
      }
      this.#length -= 1;
      this.#forgetKey(entry);
      entry.onDone?.();
    }
  }

  #insert(entry: Queued): void {
    while (this.#tiers.length <= entry.sentCount) this.#tiers.push(new TransmitTier());
    this.#tiers[entry.sentCount]?.insert(entry);
    this.#length += 1;
  }

  #remove(entry: Queued): void {
    this.#tiers[entry.sentCount]?.remove(entry);
    this.#length -= 1;
  }

  #forgetKey(entry: Queued): void {
    const { key } = entry;
    if (key !== undefined && this.#byKey.get(key) === entry) this.#byKey.delete(key);
  }
}
