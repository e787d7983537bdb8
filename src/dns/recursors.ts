/**
 * The DNS servers that are asked about names outside our zones (`recursors`): one after the other, until one
 * has an answer that can be used.
 *
 * Every exchange has a random id, and a socket and port of its own that takes datagrams from that recursor
 * alone (RFC 5452 §9.2). What comes back but does not belong to the query is dropped, and asked for again
 * with another id and port, a few times: who guesses has to start afresh.
 *
 * Bounded: so many questions at a time, each for the recursors' number times their timeout. Nothing is kept;
 * caching is what recursors do.
 */
import { RollcallError } from "../errors/index.ts";
import type { Clock, IpAddress, Logger, Network, Random } from "../platform/index.ts";
import { createDraw, drawAt, type Draw } from "./draw.ts";
import { failureReporter, type ReportFailure } from "./failure-log.ts";
import { u16, type Query } from "./message-decode.ts";
import { encodeQuestion } from "./message-encode.ts";
import { textOf, type Name } from "./names.ts";
import { RECORD_TYPES, type ResourceRecord } from "./records.ts";
import { addressRecords, isUsable, readAnswer, type RecursorAnswer } from "./recursor-answer.ts";
import type { Recursion } from "./served.ts";
import { UDP_PLAIN_MAX_BYTES, type Transport } from "./truncate.ts";

/** Questions under way; each may hold a socket. */
export const RECURSIONS_MAX = 512;
/** Datagrams sent to one recursor for one question, when others' answers come back. */
export const ATTEMPTS_MAX = 3;

const LENGTH_BYTES = 2;
/** Of the name and its closing zero byte follow type and class. */
const TYPE_AND_CLASS_BYTES = 4;

export interface RecursorsNeeds {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Question {
  readonly message: Uint8Array;
  readonly questionBytes: number;
  readonly transport: Transport;
  /** Of the answer; a client that asked over UDP could not take more. */
  readonly answerMaxBytes: number;
}

export class Recursors implements Disposable {
  readonly #needs: RecursorsNeeds;
  readonly #draw: Draw;
  readonly #report: ReportFailure;
  /** One for each exchange under way. */
  readonly #live = new Set<AbortController>();
  #closed = false;
  /** Names that are being chased; who asks meanwhile shares the answer. */
  readonly #chased = new Map<string, Promise<readonly ResourceRecord[]>>();
  #outstanding = 0;

  constructor(needs: RecursorsNeeds) {
    this.#needs = needs;
    this.#draw = createDraw(needs.random);
    const { clock, logger } = needs;
    this.#report = failureReporter(clock, (message, fields) => logger.error(message, fields));
  }

  /**
   * Passes a client's query on, as it came and over the transport that it came by.
   * @returns the answer with the client's id; undefined when no recursor had one
   */
  async relay(
    message: Uint8Array,
    { id, question, edns }: Query,
    transport: Transport,
    recursion: Recursion,
  ): Promise<Uint8Array | undefined> {
    const answer = await this.#ask(recursion, isUsable, {
      message,
      questionBytes: question.name.length + TYPE_AND_CLASS_BYTES,
      transport,
      answerMaxBytes:
        transport === "tcp"
          ? Number.POSITIVE_INFINITY
          : Math.max(edns?.udpSizeBytes ?? 0, UDP_PLAIN_MAX_BYTES),
    });
    return answer === undefined ? undefined : withId(answer.bytes, id);
  }

  /** IPv4 addresses of a name, with the aliases on the way; none when it has none or nobody answers. */
  addressesOf(name: Name, recursion: Recursion): Promise<readonly ResourceRecord[]> {
    const key = textOf(name);
    const known = this.#chased.get(key);
    if (known !== undefined) return known;
    const asked = this.#askAddresses(name, recursion).finally(() => this.#chased.delete(key));
    this.#chased.set(key, asked);
    return asked;
  }

  /** Who waits for a recursor is told at once that there is no answer. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const exchange of this.#live) exchange.abort(new RollcallError("request/aborted"));
  }

  async #askAddresses(name: Name, recursion: Recursion): Promise<readonly ResourceRecord[]> {
    // As Consul does, the first recursor that says anything is believed, whatever its rcode.
    const answer = await this.#ask(recursion, () => true, {
      message: encodeQuestion(name, RECORD_TYPES.A.code),
      questionBytes: name.length + TYPE_AND_CLASS_BYTES,
      transport: "udp",
      answerMaxBytes: UDP_PLAIN_MAX_BYTES,
    });
    if (answer === undefined) return [];
    try {
      return addressRecords(answer);
    } catch (error) {
      this.#report("cname recurse failed for name", error, { name: textOf(name) });
      return [];
    }
  }

  async #ask(
    recursion: Recursion,
    isWanted: (answer: RecursorAnswer) => boolean,
    question: Question,
  ): Promise<RecursorAnswer | undefined> {
    if (this.#outstanding >= RECURSIONS_MAX) {
      const busy = new RollcallError("net/dial", "too many questions to recursors under way");
      this.#report("recurse failed", busy);
      return undefined;
    }
    this.#outstanding += 1;
    try {
      for (const recursor of this.#inOrder(recursion)) {
        const answer = await this.#exchange(recursor, recursion, question);
        if (answer !== undefined && isWanted(answer)) return answer;
        if (this.#closed) return undefined;
      }
      return undefined;
    } finally {
      this.#outstanding -= 1;
    }
  }

  #inOrder({ recursors, isRandom }: Recursion): readonly IpAddress[] {
    if (!isRandom) return recursors;
    const order = Uint32Array.from(recursors.keys());
    return recursors.flatMap((_, i) => recursors[drawAt(order, i, this.#draw)] ?? []);
  }

  async #exchange(
    recursor: IpAddress,
    { timeoutMs }: Recursion,
    question: Question,
  ): Promise<RecursorAnswer | undefined> {
    const exchange = new AbortController();
    const timer = this.#needs.clock.after(timeoutMs, () => {
      exchange.abort(new RollcallError("net/dial", "i/o timeout"));
    });
    this.#live.add(exchange);
    try {
      return await this.#persist(recursor, question, exchange.signal);
    } catch (error) {
      const { host, port } = recursor;
      if (!this.#closed) this.#report("recurse failed", error, { recursor: `${host}:${port}` });
      return undefined;
    } finally {
      this.#live.delete(exchange);
      timer[Symbol.dispose]();
    }
  }

  async #persist(
    recursor: IpAddress,
    question: Question,
    signal: AbortSignal,
  ): Promise<RecursorAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(recursor, question, signal);
      } catch (error) {
        const isAlien = error instanceof RollcallError && error.code === "wire/malformed";
        if (!isAlien || attempt >= ATTEMPTS_MAX || signal.aborted) throw error;
      }
    }
  }

  /** @throws {RollcallError} `net/dial`, `wire/malformed`, or the signal's reason */
  async #attempt(
    recursor: IpAddress,
    { message, questionBytes, transport, answerMaxBytes }: Question,
    signal: AbortSignal,
  ): Promise<RecursorAnswer> {
    const { network, random } = this.#needs;
    const [high = 0, low = 0] = random.bytes(2);
    const sent = withId(message, (high << 8) | low);
    const bytes =
      transport === "udp"
        ? await network.exchangeDatagram(recursor, sent, { signal })
        : await exchangeStream(network, recursor, sent, signal);
    if (bytes.length > answerMaxBytes) {
      throw new RollcallError("net/dial", `answer of ${bytes.length} bytes is too large`);
    }
    // The platform may have given the sent bytes away: id and question are compared with a copy of ours.
    return readAnswer(bytes, withId(message, (high << 8) | low), questionBytes);
  }
}

/** One message each way on a connection of its own, with its length in front (RFC 1035 §4.2.2). */
async function exchangeStream(
  network: Network,
  recursor: IpAddress,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stream = await network.connect(recursor, { signal });
  const hangUp = (): void => void stream.destroy();
  signal.addEventListener("abort", hangUp);
  try {
    stream.write(Uint8Array.from([message.length >>> 8, message.length & 0xff, ...message]));
    let received: Uint8Array = new Uint8Array(0);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      received = Buffer.concat([received, chunk]);
      if (received.length < LENGTH_BYTES) continue;
      const end = LENGTH_BYTES + u16(received, 0);
      if (received.length >= end) return received.slice(LENGTH_BYTES, end);
    }
    throw new RollcallError("net/dial", "connection closed before the answer");
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", hangUp);
    stream.destroy();
  }
}

function withId(message: Uint8Array, id: number): Uint8Array {
  const copy = message.slice();
  copy[0] = id >>> 8;
  copy[1] = id & 0xff;
  return copy;
}
