/**
 * Queries: questions to the pool that members answer straight to whoever asked (serf.md §8). This is both sides
 * of it: what comes from others, filtered and without repetitions, and what this node asked itself.
 */
import { RollcallError, messageOf } from "../errors/index.ts";
import type { Clock, Instant, Logger, Meter, Random } from "../platform/index.ts";
import {
  encodeSerfMessage,
  QUERY_FLAGS,
  RESPONSE_FLAGS,
  type Query,
  type QueryResponse,
  type Tags,
} from "../wire/index.ts";
import type { Answers } from "./answers.ts";
import type { Broadcasts } from "./broadcasts.ts";
import { IncomingQuery } from "./incoming-query.ts";
import type { LamportClock } from "./lamport-clock.ts";
import {
  encodeFilters,
  passesFilters,
  type CompilePattern,
  type FilterOptions,
} from "./query-filters.ts";
import { RecentMessages } from "./recent-messages.ts";
import { RunningQuery } from "./running-query.ts";

const QUERY_BYTES_MAX = 1024;
/** Ids of queries that were heard. */
const REMEMBERED_MAX = 16_384;
/** Queries of our own whose time is not up. */
const RUNNING_MAX = 1024;
/** The default time to answer, in rounds of gossip: enough to reach all and to come back. */
const TIMEOUT_ROUNDS = 16;
const NANOSECONDS_PER_MS = 1e6;
const ID_COUNT = 2 ** 31;
/** With several, the answer also comes over so many other members. */
const RELAY_FACTOR_MAX = 255;

export interface QueryParams extends FilterOptions {
  /** Default: time for the question to spread, more of it in a larger pool. */
  readonly timeoutMs?: number | undefined;
  /** Whoever is asked says at once that the question has arrived. */
  readonly requestAck?: boolean | undefined;
  /** 0 to 255. */
  readonly relayFactor?: number | undefined;
}

export interface QueriesNeeds {
  readonly self: string;
  readonly tags: () => Tags;
  /** Where answers are to go. */
  readonly address: () => { readonly addr: Uint8Array; readonly port: number };
  /** Members that are there, this node included. */
  readonly aliveCount: () => number;
  readonly gossipIntervalMs: number;
  readonly time: LamportClock;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Meter;
  readonly broadcasts: Broadcasts;
  readonly answers: Answers;
  readonly compilePattern: CompilePattern;
  /** One that this node has not seen before, whether it is for us or not. */
  readonly onSeen: (time: number) => void;
  /** One that is for us. */
  readonly onQuery: (query: IncomingQuery) => void;
}

export class Queries implements Disposable {
  readonly #needs: QueriesNeeds;
  /** By id. */
  readonly #recent: RecentMessages<number>;
  /** Ours, by Lamport time: no two have the same. */
  readonly #running = new Map<number, RunningQuery>();

  constructor(needs: QueriesNeeds) {
    this.#needs = needs;
    this.#recent = new RecentMessages({
      clock: needs.time,
      isSame: (one, other) => one === other,
      weightOf: () => 1,
      weightMax: REMEMBERED_MAX,
    });
  }

  get runningCount(): number {
    return this.#running.size;
  }

  ignoreBefore(time: number): void {
    this.#recent.ignoreBefore(time);
  }

  defaultTimeoutMs(): number {
    const { aliveCount, gossipIntervalMs } = this.#needs;
    return gossipIntervalMs * TIMEOUT_ROUNDS * Math.ceil(Math.log10(aliveCount() + 1));
  }

  /** @throws {RollcallError} `request/refused`: too large, in Serf's words, or too many at a time */
  ask(name: string, payload: Uint8Array, params: QueryParams = {}): RunningQuery {
    const { time, random, broadcasts, address, self } = this.#needs;
    const { timeoutMs = this.defaultTimeoutMs(), requestAck = false, relayFactor = 0 } = params;
    if (!(relayFactor >= 0 && relayFactor <= RELAY_FACTOR_MAX)) {
      throw refused(`Relay factor must be between 0 and ${RELAY_FACTOR_MAX}`);
    }
    const { addr, port } = address();
    const filters = encodeFilters(params);
    const body: Query = {
      LTime: time.time,
      ID: Math.floor(random.float() * ID_COUNT),
      Addr: addr,
      Port: port,
      SourceNode: self,
      Filters: filters.length === 0 ? null : filters,
      Flags: requestAck ? QUERY_FLAGS.ack : 0,
      RelayFactor: relayFactor,
      Timeout: Math.round(timeoutMs * NANOSECONDS_PER_MS),
      Name: name,
      Payload: payload,
    };
    const bytes = encodeSerfMessage({ kind: "query", body });
    if (bytes.length > QUERY_BYTES_MAX) {
      throw refused(`query exceeds limit of ${QUERY_BYTES_MAX} bytes`);
    }
    const running = this.#start(body, timeoutMs);
    this.receive(body);
    broadcasts.add("query", bytes);
    return running;
  }

  /**
   * @returns whether it is to be passed on
   * @throws {RollcallError} `wire/malformed`
   */
  receive(query: Query): boolean {
    const { onSeen, onQuery, metrics, clock, self, answers } = this.#needs;
    if (this.#recent.judge(query.LTime, query.ID) !== "new") return false;
    onSeen(query.LTime);
    const passOn = (query.Flags & QUERY_FLAGS.noBroadcast) === 0;
    if (!this.#isForUs(query)) return passOn;
    metrics.count("serf.queries");
    if ((query.Flags & QUERY_FLAGS.ack) !== 0) {
      const { LTime, ID } = query;
      answers.send(query, { LTime, ID, From: self, Flags: RESPONSE_FLAGS.ack, Payload: null });
    }
    const send = (response: QueryResponse): void => answers.send(query, response);
    onQuery(new IncomingQuery(query, { self, clock, send }));
    return passOn;
  }

  /** An answer to a query of ours, or an acknowledgement. */
  receiveResponse(response: QueryResponse): void {
    const { LTime, ID, From } = response;
    const { logger, metrics } = this.#needs;
    const running = this.#running.get(LTime);
    if (running === undefined) {
      logger.warn(`serf: reply for non-running query (LTime: ${LTime}, ID: ${ID}) From: ${From}`);
    } else if (running.id !== ID) {
      logger.warn(`serf: query reply ID mismatch (Local: ${running.id}, Response: ${ID})`);
    } else if (running.receive(response)) {
      const isAck = (response.Flags & RESPONSE_FLAGS.ack) !== 0;
      metrics.count(isAck ? "serf.query_acks" : "serf.query_responses");
    }
  }

  [Symbol.dispose](): void {
    for (const running of this.#running.values()) running[Symbol.dispose]();
  }

  #start({ LTime, ID }: Query, timeoutMs: number): RunningQuery {
    if (this.#running.size >= RUNNING_MAX) throw refused("too many queries are running");
    const { clock, aliveCount } = this.#needs;
    const timer = clock.after(timeoutMs, () => running[Symbol.dispose]());
    const running = new RunningQuery({
      id: ID,
      ltime: LTime,
      deadline: (clock.now() + timeoutMs) as Instant,
      asked: aliveCount(),
      onEnd: () => {
        timer[Symbol.dispose]();
        this.#running.delete(LTime);
      },
    });
    this.#running.set(LTime, running);
    return running;
  }

  #isForUs({ Filters, Name }: Query): boolean {
    if (Filters === null) return true;
    const { self, tags, compilePattern, logger } = this.#needs;
    try {
      return passesFilters(Filters, { name: self, tags: tags() }, compilePattern);
    } catch (error) {
      logger.warn(`serf: failed to read a filter of the query ${Name}: ${messageOf(error)}`);
      return false;
    }
  }
}

function refused(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}
