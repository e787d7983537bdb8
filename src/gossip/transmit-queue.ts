/**
 * What is to be spread, each message a bounded number of times (memberlist: queue.go; SWIM §4.1, "infection style").
 *
 * A packet is filled with what was sent least often, and among equals with the largest that still fits, then the
 * newest. A message may have a key: a later one with the same key takes its place, as what it says is outdated.
 *
 * Messages lie in tiers by how often they were sent. Within a tier they are ordered by size, so one walk fills a
 * packet: what did not fit before does not fit later either.
 */

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

interface Entry {
  readonly message: Uint8Array;
  /** Rises: what has the larger one is newer. */
  readonly id: number;
  readonly transmission: Transmission;
  sentCount: number;
}

export class TransmitQueue {
  readonly #maxMessages: number;
  /** Index = how often it was sent. Each by size, largest first, then newest first. */
  readonly #tiers: Entry[][] = [];
  readonly #byKey = new Map<string, Entry>();
  #length = 0;
  #lastId = 0;

  constructor(options: { readonly maxMessages: number }) {
    this.#maxMessages = options.maxMessages;
  }

  get length(): number {
    return this.#length;
  }

  add(message: Uint8Array, transmission: Transmission = {}): void {
    const { key } = transmission;
    this.#lastId += 1;
    const entry: Entry = { message, id: this.#lastId, transmission, sentCount: 0 };
    const outdated = key === undefined ? undefined : this.#byKey.get(key);
    if (outdated !== undefined) this.#remove(outdated);
    if (key !== undefined) this.#byKey.set(key, entry);
    this.#insert(entry);
    outdated?.transmission.onDone?.();
    this.prune(this.#maxMessages);
  }

  /** Messages for one packet, each counted as sent. */
  take(options: Take): Uint8Array[] {
    const { overheadBytes, limitBytes, transmitLimit, maxMessages = Infinity } = options;
    const taken: Entry[] = [];
    let restBytes = limitBytes;
    for (const tier of this.#tiers) {
      let kept = 0;
      for (const entry of tier) {
        const costBytes = entry.message.length + overheadBytes;
        if (costBytes <= restBytes && taken.length < maxMessages) {
          restBytes -= costBytes;
          taken.push(entry);
        } else {
          tier[kept] = entry;
          kept += 1;
        }
      }
      tier.length = kept;
      if (restBytes <= overheadBytes || taken.length >= maxMessages) break;
    }
    this.#length -= taken.length;
    for (const entry of taken) {
      entry.sentCount += 1;
      if (entry.sentCount < transmitLimit) this.#insert(entry);
      else this.#forgetKey(entry);
    }
    // Last, as who is told may add something.
    for (const { sentCount, transmission } of taken) {
      if (sentCount >= transmitLimit) transmission.onDone?.();
    }
    return taken.map(({ message }) => message);
  }

  /** Drops what was sent most often, then the shortest, then the oldest, until at most `max` are left. */
  prune(max: number): void {
    for (let i = this.#tiers.length - 1; i >= 0 && this.#length > max; i -= 1) {
      const tier = this.#tiers[i] ?? [];
      while (this.#length > max && tier.length > 0) {
        const entry = tier.pop() as Entry;
        this.#length -= 1;
        this.#forgetKey(entry);
        entry.transmission.onDone?.();
      }
    }
  }

  #insert(entry: Entry): void {
    while (this.#tiers.length <= entry.sentCount) this.#tiers.push([]);
    const tier = this.#tiers[entry.sentCount] as Entry[];
    tier.splice(placeOf(entry, tier), 0, entry);
    this.#length += 1;
  }

  #remove(entry: Entry): void {
    const tier = this.#tiers[entry.sentCount] as Entry[];
    tier.splice(placeOf(entry, tier), 1);
    this.#length -= 1;
  }

  #forgetKey(entry: Entry): void {
    const { key } = entry.transmission;
    if (key !== undefined && this.#byKey.get(key) === entry) this.#byKey.delete(key);
  }
}

/** Where it stands in its tier, or would. */
function placeOf(entry: Entry, tier: readonly Entry[]): number {
  let low = 0;
  let high = tier.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comesBefore(tier[middle] as Entry, entry)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function comesBefore(one: Entry, other: Entry): boolean {
  const byLength = one.message.length - other.message.length;
  return byLength === 0 ? one.id > other.id : byLength > 0;
}
