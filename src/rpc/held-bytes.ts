/**
 * What all connections together make a server keep: requests that are not complete yet, and replies that their
 * callers do not read. Beyond a limit the connection that holds most is given up, however many there are.
 */

export class HeldBytesLimit {
  readonly #maxBytes: number;
  readonly #all = new Set<HeldBytes>();
  #totalBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @param giveUp ends the connection, which then gives back what it holds */
  connection(giveUp: () => void): HeldBytes {
    const held = new HeldBytes(giveUp, (bytes) => this.#changed(bytes));
    this.#all.add(held);
    return held;
  }

  forget(held: HeldBytes): void {
    this.#all.delete(held);
    held.add(-held.bytes);
  }

  #changed(bytes: number): void {
    this.#totalBytes += bytes;
    if (bytes <= 0 || this.#totalBytes <= this.#maxBytes) return;
    let greediest: HeldBytes | undefined;
    for (const held of this.#all) {
      if (greediest === undefined || held.bytes > greediest.bytes) greediest = held;
    }
    greediest?.giveUp();
  }
}

/** Of one connection. */
export class HeldBytes {
  readonly giveUp: () => void;
  readonly #changed: (bytes: number) => void;
  #bytes = 0;

  constructor(giveUp: () => void, changed: (bytes: number) => void) {
    this.giveUp = giveUp;
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    if (bytes === 0) return;
    this.#bytes += bytes;
    this.#changed(bytes);
  }
}
