/** A query that somebody asked the pool, and that this node may answer once, before its deadline. */
import { RollcallError } from "../errors/index.ts";
import type { Clock, Instant } from "../platform/index.ts";
import { encodeSerfMessage, type Query, type QueryResponse } from "../wire/index.ts";

/** Of an encoded answer: it goes into one datagram. */
export const RESPONSE_BYTES_MAX = 1024;
const NANOSECONDS_PER_MS = 1e6;
const NOTHING = new Uint8Array(0);

export interface AnswerNeeds {
  readonly self: string;
  readonly clock: Clock;
  readonly send: (response: QueryResponse) => void;
}

export class IncomingQuery {
  readonly ltime: number;
  readonly name: string;
  readonly payload: Uint8Array;
  /** Name of the member who asks; empty when it is an old one. */
  readonly source: string;
  readonly deadline: Instant;
  readonly #id: number;
  readonly #needs: AnswerNeeds;
  #answered = false;

  constructor(query: Query, needs: AnswerNeeds) {
    this.ltime = query.LTime;
    this.name = query.Name;
    this.payload = query.Payload ?? NOTHING;
    this.source = query.SourceNode;
    this.deadline = (needs.clock.now() + query.Timeout / NANOSECONDS_PER_MS) as Instant;
    this.#id = query.ID;
    this.#needs = needs;
  }

  /** Whether such an answer is not too large. */
  fits(payload: Uint8Array): boolean {
    return this.#sizeBytes(payload) <= RESPONSE_BYTES_MAX;
  }

  /** @throws {RollcallError} `request/refused`, in Serf's words: too large, too late, or a second answer */
  respond(payload: Uint8Array): void {
    if (!this.fits(payload)) throw refused(`response exceeds limit of ${RESPONSE_BYTES_MAX} bytes`);
    if (this.#answered) throw refused("response already sent");
    if (this.#needs.clock.now() > this.deadline) throw refused("response is past the deadline");
    this.#answered = true;
    this.#needs.send(this.#response(payload));
  }

  #sizeBytes(payload: Uint8Array): number {
    return encodeSerfMessage({ kind: "queryResponse", body: this.#response(payload) }).length;
  }

  #response(payload: Uint8Array): QueryResponse {
    const { self } = this.#needs;
    return { LTime: this.ltime, ID: this.#id, From: self, Flags: 0, Payload: payload };
  }
}

function refused(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}
