/** What this node does when the pool is asked to change its keys, or to list them (serf.md §8). */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Keyring } from "../gossip/index.ts";
import type { Logger } from "../platform/index.ts";
import { decodeSerfMessage, encodeSerfMessage, type KeyResponse } from "../wire/index.ts";
import { keyText, type KeyringFile } from "./keyring-file.ts";
import type { IncomingQuery } from "./incoming-query.ts";

/** Of the smallest key in base64, with its header: so many cannot fit more often than that into an answer. */
const KEY_TEXT_BYTES_MIN = 25;

export interface KeyAnswersNeeds {
  readonly keyring: Keyring | undefined;
  readonly file: KeyringFile | undefined;
  readonly responseBytesMax: number;
  readonly logger: Logger;
}

export type KeyChange = "install" | "use" | "remove";

/** Changes the ring, and its file. */
export async function answerKeyChange(
  query: IncomingQuery,
  change: KeyChange,
  { keyring, file, logger }: KeyAnswersNeeds,
): Promise<void> {
  logger.info(`serf: Received ${change}-key query`);
  query.respond(encodeSerfMessage({ kind: "keyResponse", body: await outcome() }));

  async function outcome(): Promise<KeyResponse> {
    try {
      const ring = requireKeys(keyring, "No keyring to modify (encryption not enabled)");
      ring[change](keyOf(query.payload));
      await file?.write(ring);
      return { Result: true, Message: "", Keys: null, PrimaryKey: "" };
    } catch (error) {
      return failure(error);
    }
  }
}

/** As many keys as fit into one answer. */
export function answerKeyList(
  query: IncomingQuery,
  { keyring, responseBytesMax, logger }: KeyAnswersNeeds,
): void {
  const whole = list();
  const keys = whole.Keys ?? [];
  const mayFit = Math.min(Math.floor(responseBytesMax / KEY_TEXT_BYTES_MIN), keys.length);
  for (let count = mayFit; count >= 0; count -= 1) {
    const body = count === keys.length ? whole : truncated(whole, count);
    const payload = encodeSerfMessage({ kind: "keyResponse", body });
    if (!query.fits(payload)) continue;
    if (body.Message !== "") logger.warn(`serf: ${body.Message}`);
    query.respond(payload);
    return;
  }
  throw new RollcallError("request/refused", "not even an empty list of keys fits");

  function list(): KeyResponse {
    try {
      const ring = requireKeys(keyring, "Keyring is empty (encryption not enabled)");
      const Keys = ring.keys.map(({ bytes }) => keyText(bytes));
      return { Result: true, Message: "", Keys, PrimaryKey: Keys[0] ?? "" };
    } catch (error) {
      return failure(error);
    }
  }
}

function truncated(whole: KeyResponse, count: number): KeyResponse {
  const keys = whole.Keys ?? [];
  const Message = `truncated key list response, showing first ${count} of ${keys.length} keys`;
  return { ...whole, Keys: keys.slice(0, count), Message };
}

function failure(error: unknown): KeyResponse {
  return { Result: false, Message: messageOf(error), Keys: null, PrimaryKey: "" };
}

function requireKeys(keyring: Keyring | undefined, otherwise: string): Keyring {
  if (keyring !== undefined && keyring.keys.length > 0) return keyring;
  throw new RollcallError("request/refused", otherwise);
}

/** @throws {RollcallError} `wire/malformed` */
function keyOf(payload: Uint8Array): Uint8Array {
  const message = decodeSerfMessage(payload);
  if (message.kind === "keyRequest") return message.body.Key;
  throw new RollcallError("wire/malformed", `a key request is expected, not ${message.kind}`);
}
