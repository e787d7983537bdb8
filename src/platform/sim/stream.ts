/**
 * Two ends of one stream inside this process, with what matters of TCP: bytes arrive later and in order, as
 * the two lanes between the hosts have it (links.ts), a reader that does not read holds its writer up, ending is seen as "end", and writing to who has gone fails.
 */
import { Duplex } from "node:stream";
import { errnoError } from "../go-errors.ts";

type Done = (error?: Error | null) => void;

/** Has `deliver` called when that many bytes have travelled, in the order of the calls. */
export type Lane = (bytes: number, deliver: () => void) => void;

/** @param there from the first end to the second */
export function streamPair(there: Lane, back: Lane): readonly [Duplex, Duplex] {
  const left = new SimStream(there);
  const right = new SimStream(back);
  left.join(right);
  right.join(left);
  return [left, right];
}

class SimStream extends Duplex {
  readonly #lane: Lane;
  #peer: SimStream | undefined;
  #ended = false;
  /** The peer's write that waits for our reader. */
  #heldUp: Done | undefined;

  constructor(lane: Lane) {
    super({ allowHalfOpen: false });
    this.#lane = lane;
    // "close" follows; who does not care why need not listen.
    this.on("error", () => {});
  }

  join(peer: SimStream): void {
    this.#peer = peer;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    const copy = Buffer.from(chunk);
    this.#lane(copy.length, () => this.#peer?.receive(copy, done));
  }

  /** What gathers while a segment is on its way goes with the next one. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "utf8", done);
  }

  override _read(): void {
    const done = this.#heldUp;
    this.#heldUp = undefined;
    done?.();
  }

  override _final(done: Done): void {
    this.#lane(0, () => {
      this.#peer?.hangUp();
      done();
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    const heldUp = this.#heldUp;
    this.#heldUp = undefined;
    this.#lane(0, () => {
      heldUp?.(errnoError("ECONNRESET"));
      this.#peer?.hangUp();
    });
    done(error);
  }

  receive(chunk: Buffer, done: Done): void {
    if (this.destroyed || this.#ended) done(errnoError("EPIPE"));
    else if (this.push(chunk)) done();
    else this.#heldUp = done;
  }

  hangUp(): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.push(null);
  }
}
