/**
 * One client on TCP: messages with their length in front (RFC 1035 §4.2.2), several under way at a time
 * (RFC 7766 §6.2.1.1), answered as they are ready.
 *
 * Bounded in every direction: a client that asks faster than answers come, or reads slower than they are
 * sent, is not read from until it has caught up; one that neither ends a message nor takes an answer for a while
 * is hung up on.
 */
import type { Duplex } from "node:stream";
import type { Clock, Instant } from "../platform/index.ts";
import type { Handle } from "./handler.ts";

/** Each may become an answer of 64 KiB that the client does not read. */
export const OUTSTANDING_MAX = 8;
export const IDLE_TIMEOUT_MS = 8000;
const LENGTH_BYTES = 2;
const NOTHING = new Uint8Array(0);

export interface Conversation {
  readonly stream: Duplex;
  readonly clock: Clock;
  readonly handle: Handle;
  /** IP address of the other end. */
  readonly client: string;
  /** Called once, when the connection is over. */
  readonly closed: () => void;
}

/** A connection as its server sees it. */
export interface Connection {
  /** When it last asked something, or took an answer. */
  readonly lastActiveAt: Instant;
  /** Nothing is owed to it. */
  readonly isIdle: boolean;
  readonly end: () => void;
}

export function converse({ stream, clock, handle, client, closed }: Conversation): Connection {
  let pending: Uint8Array = NOTHING;
  let outstanding = 0;
  let lastActiveAt: Instant = clock.now();
  let timer = clock.after(IDLE_TIMEOUT_MS, checkIdle);

  function checkIdle(): void {
    const idleMs = clock.now() - lastActiveAt;
    if (idleMs >= IDLE_TIMEOUT_MS) stream.destroy();
    else timer = clock.after(IDLE_TIMEOUT_MS - idleMs, checkIdle);
  }

  /** Takes whole messages off the front until there are none, or too many are under way. */
  function advance(): void {
    let at = 0;
    while (outstanding < OUTSTANDING_MAX && !stream.writableNeedDrain && !stream.destroyed) {
      if (pending.length - at < LENGTH_BYTES) break;
      const end = at + LENGTH_BYTES + (((pending[at] ?? 0) << 8) | (pending[at + 1] ?? 0));
      if (end > pending.length) break;
      accept(pending.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    pending = at === pending.length ? NOTHING : pending.subarray(at);
    const busy = outstanding >= OUTSTANDING_MAX || stream.writableNeedDrain;
    if (busy && !stream.isPaused()) stream.pause();
    else if (!busy && stream.isPaused()) stream.resume();
  }

  function accept(message: Uint8Array): void {
    lastActiveAt = clock.now();
    const answer = handle(message, "tcp", client);
    // What is no DNS query will not become one further on.
    if (answer === undefined) stream.destroy();
    else if (answer instanceof Promise) {
      outstanding += 1;
      answer.then(
        (bytes) => {
          outstanding -= 1;
          send(bytes);
          advance();
        },
        () => stream.destroy(),
      );
    } else send(answer);
  }

  function send(bytes: Uint8Array): void {
    if (stream.destroyed || !stream.writable) return;
    lastActiveAt = clock.now();
    stream.write(bytes);
  }

  stream.on("data", (chunk: Uint8Array) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    advance();
  });
  stream.on("drain", () => {
    lastActiveAt = clock.now();
    advance();
  });
  stream.on("error", () => stream.destroy());
  stream.once("close", () => {
    timer[Symbol.dispose]();
    closed();
  });
  return {
    get lastActiveAt() {
      return lastActiveAt;
    },
    get isIdle() {
      return outstanding === 0 && stream.writableLength === 0;
    },
    end: () => stream.destroy(),
  };
}
