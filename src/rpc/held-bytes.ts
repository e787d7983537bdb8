/**
 * What all connections together make a server keep: their streams, requests that are not complete yet, and replies
 * that their callers do not read. Beyond a limit the connection that holds most is given up, however many there are.
 */

export class HeldBytesLimit {
  readonly #maxBytes: number;
  readonly #all = new Set<HeldBytes>();
  #totalBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** @param giveUp ends the connection, which then lets go what it holds */
  connection(giveUp: () => void): HeldBytes {
    const held = new HeldBytes(giveUp, (bytes) => this.#changed(bytes));
    this.#all.add(held);
    return held;
  }

  /** It holds nothing any more, whatever it may still report. */
  forget(held: HeldBytes): void {
    if (this.#all.delete(held)) this.#totalBytes -= held.close();
  }

  #changed(bytes: number): void {
    this.#totalBytes += bytes;
    if (bytes <= 0) return;
    while (this.#totalBytes > this.#maxBytes && this.#all.size > 0) this.#giveUpGreediest();
  }

  #giveUpGreediest(): void {
    let greediest: HeldBytes | undefined;
    for (const held of this.#all) {
      if (greediest === undefined || held.bytes > greediest.bytes) greediest = held;
    }
    if (greediest === undefined) return;
    const { giveUp } = greediest;
    this.forget(greediest);
    giveUp();
  }
}

/** Of one connection. */
export class HeldBytes {
  readonly giveUp: () => void;
  readonly #changed: (bytes: number) => void;
  #bytes = 0;
  #isClosed = false;

  constructor(giveUp: () => void, changed: (bytes: number) => void) {
    this.giveUp = giveUp;
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    if (bytes === 0 || this.#isClosed) return;
    this.#bytes += bytes;
    this.#changed(bytes);
  }

  /** @returns what it held */
  close(): number {
    this.#isClosed = true;
    return this.#bytes;
  }
}
