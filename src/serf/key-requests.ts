/** Asks the whole pool to change its keys, or to list them, and counts what comes back (serf.md §8). */
import type { Logger } from "../platform/index.ts";
import { decodeSerfMessage, encodeSerfMessage, type KeyResponse } from "../wire/index.ts";
import type { Queries } from "./queries.ts";
import { INTERNAL_QUERIES } from "./internal-queries.ts";

export interface KeyRequestOptions {
  /** Answers also come over so many other members. */
  readonly relayFactor?: number | undefined;
}

export interface KeyOutcome {
  /** Members that were asked, this node included. */
  readonly nodeCount: number;
  readonly responseCount: number;
  readonly errorCount: number;
  /** What members had to say, by name. */
  readonly messages: ReadonlyMap<string, string>;
  /** On how many members each key is, in base64; only from `list`. */
  readonly keys: ReadonlyMap<string, number>;
  /** Of how many members it is the primary one. */
  readonly primaryKeys: ReadonlyMap<string, number>;
  /** Undefined when every member has done it. */
  readonly failure: string | undefined;
}

/** A change that some members did not make stays where it was made: ask again. */
export class KeyRequests {
  readonly #queries: Queries;
  readonly #logger: Logger;

  constructor(queries: Queries, logger: Logger) {
    this.#queries = queries;
    this.#logger = logger;
  }

  /** @param key 16, 24 or 32 bytes */
  install(key: Uint8Array, options?: KeyRequestOptions): Promise<KeyOutcome> {
    return this.#ask(INTERNAL_QUERIES.installKey, key, options);
  }

  use(key: Uint8Array, options?: KeyRequestOptions): Promise<KeyOutcome> {
    return this.#ask(INTERNAL_QUERIES.useKey, key, options);
  }

  remove(key: Uint8Array, options?: KeyRequestOptions): Promise<KeyOutcome> {
    return this.#ask(INTERNAL_QUERIES.removeKey, key, options);
  }

  list(options?: KeyRequestOptions): Promise<KeyOutcome> {
    return this.#ask(INTERNAL_QUERIES.listKeys, new Uint8Array(0), options);
  }

  async #ask(
    name: string,
    Key: Uint8Array,
    { relayFactor }: KeyRequestOptions = {},
  ): Promise<KeyOutcome> {
    const payload = encodeSerfMessage({ kind: "keyRequest", body: { Key } });
    using query = this.#queries.ask(name, payload, { relayFactor });
    const messages = new Map<string, string>();
    const keys = new Map<string, number>();
    const primaryKeys = new Map<string, number>();
    let responseCount = 0;
    let errorCount = 0;
    for await (const answer of query) {
      if (answer.kind === "ack") continue;
      responseCount += 1;
      const { Result, Message, Keys, PrimaryKey } = keyResponseOf(answer.payload);
      if (!Result) errorCount += 1;
      if (!Result || Message !== "") messages.set(answer.from, Message);
      if (Result && Message !== "") this.#logger.warn(`serf: ${Message}`, { node: answer.from });
      for (const key of Keys ?? []) countOne(keys, key);
      if (PrimaryKey !== "") countOne(primaryKeys, PrimaryKey);
      if (responseCount === query.asked) break;
    }
    const nodeCount = query.asked;
    const failure =
      errorCount > 0
        ? `${errorCount}/${nodeCount} nodes reported failure`
        : responseCount < nodeCount
          ? `${responseCount}/${nodeCount} nodes reported success`
          : undefined;
    return { nodeCount, responseCount, errorCount, messages, keys, primaryKeys, failure };
  }
}

/** An answer that cannot be read is a failure. */
function keyResponseOf(payload: Uint8Array): KeyResponse {
  const failed = { Result: false, Keys: null, PrimaryKey: "" };
  try {
    const message = decodeSerfMessage(payload);
    if (message.kind === "keyResponse") return message.body;
    return { ...failed, Message: `Invalid key query response type: ${payload[0] ?? "none"}` };
  } catch {
    return { ...failed, Message: "Failed to decode key query response" };
  }
}

function countOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
