/**
 * A query of this node's own, until its time is up: an async iterable of what comes back, for one reader.
 *
 * Each member counts once, as an acknowledgement and as an answer, and no more of either are kept than there
 * were members to ask: so much may wait for a slow reader, and not more. Leaving the loop ends the query.
 */
import type { Instant } from "../platform/index.ts";
import { RESPONSE_FLAGS, type QueryResponse } from "../wire/index.ts";

export type QueryAnswer =
  | Readonly<{ kind: "ack"; from: string }>
  | Readonly<{ kind: "response"; from: string; payload: Uint8Array }>;

export interface RunningQueryFacts {
  readonly id: number;
  readonly ltime: number;
  readonly deadline: Instant;
  /** Members that are there. */
  readonly asked: number;
  readonly onEnd: () => void;
}

const NOTHING = new Uint8Array(0);

export class RunningQuery implements AsyncIterable<QueryAnswer>, Disposable {
  readonly id: number;
  readonly ltime: number;
  readonly deadline: Instant;
  readonly asked: number;
  readonly #onEnd: () => void;
  readonly #acks = new Set<string>();
  readonly #responses = new Set<string>();
  readonly #waiting: QueryAnswer[] = [];
  #wake: () => void = () => {};
  #ended = false;

  constructor({ id, ltime, deadline, asked, onEnd }: RunningQueryFacts) {
    this.id = id;
    this.ltime = ltime;
    this.deadline = deadline;
    this.asked = asked;
    this.#onEnd = onEnd;
  }

  /** @returns false for one that is not kept: the member has answered before, or there are too many */
  receive({ Flags, From, Payload }: QueryResponse): boolean {
    const isAck = (Flags & RESPONSE_FLAGS.ack) !== 0;
    const seen = isAck ? this.#acks : this.#responses;
    if (this.#ended || seen.has(From) || seen.size >= this.asked) return false;
    seen.add(From);
    this.#waiting.push(
      isAck
        ? { kind: "ack", from: From }
        : { kind: "response", from: From, payload: Payload ?? NOTHING },
    );
    this.#wake();
    return true;
  }

  /** Ends the query; what has come is still read. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<QueryAnswer, void> {
    try {
      for (;;) {
        for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
          yield next;
        }
        if (this.#ended) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this[Symbol.dispose]();
    }
  }
}
