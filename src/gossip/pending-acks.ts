/** Pings that are not answered yet, by the number that the answer repeats. */

export interface Waiting {
  onAck(payload: Uint8Array): void;
  onNack?(): void;
}

/** Own probes are one at a time; the rest is what others ask for. */
const WAITING_MAX = 4096;
const NO_PAYLOAD = new Uint8Array(0);

export class PendingAcks {
  readonly #waiting = new Map<number, Waiting>();
  #lastNumber = 0;

  /** @returns the number to send, until `close`; undefined when too many wait already */
  open(waiting: Waiting): number | undefined {
    if (this.#waiting.size >= WAITING_MAX) return undefined;
    this.#lastNumber = (this.#lastNumber + 1) >>> 0;
    this.#waiting.set(this.#lastNumber, waiting);
    return this.#lastNumber;
  }

  close(number: number): void {
    this.#waiting.delete(number);
  }

  ack(number: number, payload: Uint8Array | null): void {
    this.#waiting.get(number)?.onAck(payload ?? NO_PAYLOAD);
  }

  nack(number: number): void {
    this.#waiting.get(number)?.onNack?.();
  }
}
