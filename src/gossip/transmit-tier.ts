/**
 * Messages that were sent equally often: the largest that fits comes first, and of equal ones the newest.
 *
 * They lie in a shelf for each length. Most of a pool's rumors have one of a few lengths, and the newest of a shelf is
 * its last: to take one costs no search, and what does not fit is passed over a whole shelf at a time.
 */

export interface Queued {
  readonly message: Uint8Array;
  /** Rises: what has the larger one is newer. */
  readonly id: number;
  readonly key: string | undefined;
  readonly onDone: (() => void) | undefined;
  sentCount: number;
}

/** What is left of a packet. */
export interface Room {
  /** What each message costs beside its own bytes. */
  readonly overheadBytes: number;
  readonly restBytes: number;
  readonly maxMessages: number;
}

export class TransmitTier {
  /** By length; each oldest first, none of them empty. */
  readonly #shelves = new Map<number, Queued[]>();
  /** Those of the shelves, longest first. */
  readonly #lengths: number[] = [];

  insert(entry: Queued): void {
    const { length } = entry.message;
    const shelf = this.#shelves.get(length);
    if (shelf !== undefined) {
      // What is new comes last, and is most of what comes.
      if ((shelf.at(-1)?.id ?? 0) < entry.id) shelf.push(entry);
      else
        shelf.splice(
          placeOf(shelf, (other) => other.id < entry.id),
          0,
          entry,
        );
      return;
    }
    this.#shelves.set(length, [entry]);
    this.#lengths.splice(this.#placeOfLength(length), 0, length);
  }

  /** One that is here. */
  remove(entry: Queued): void {
    const { length } = entry.message;
    const shelf = this.#shelves.get(length) ?? [];
    shelf.splice(
      placeOf(shelf, (other) => other.id < entry.id),
      1,
    );
    if (shelf.length === 0) this.#dropShelf(length);
  }

  /** Removes what goes into a packet. */
  take({ overheadBytes, restBytes, maxMessages }: Room): Queued[] {
    const taken: Queued[] = [];
    let left = restBytes;
    let i = this.#placeOfLength(left - overheadBytes);
    while (i < this.#lengths.length && taken.length < maxMessages) {
      const length = this.#lengths[i] ?? 0;
      const costBytes = length + overheadBytes;
      const shelf = this.#shelves.get(length) ?? [];
      while (shelf.length > 0 && costBytes <= left && taken.length < maxMessages) {
        taken.push(shelf.pop() as Queued);
        left -= costBytes;
      }
      if (shelf.length === 0) this.#dropShelf(length);
      else i += 1;
    }
    return taken;
  }

  /** Removes the shortest, of equal ones the oldest. */
  dropLast(): Queued | undefined {
    const length = this.#lengths.at(-1);
    if (length === undefined) return undefined;
    const shelf = this.#shelves.get(length) ?? [];
    const dropped = shelf.shift();
    if (shelf.length === 0) this.#dropShelf(length);
    return dropped;
  }

  #dropShelf(length: number): void {
    this.#shelves.delete(length);
    this.#lengths.splice(this.#placeOfLength(length), 1);
  }

  /** Of the longest that is not longer than this. */
  #placeOfLength(length: number): number {
    return placeOf(this.#lengths, (other) => other > length);
  }
}

/** How many stand before the first that `isBefore` does not hold for; it holds for none after that. */
function placeOf<T>(sorted: readonly T[], isBefore: (one: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(sorted[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
