/**
 * One connection that another server opened: its requests are handled as they come and answered in their order,
 * so that several may wait for the same write to the disk.
 */
import type { Duplex } from "node:stream";
import {
  encodeRaftResponse,
  RaftRequestDecoder,
  type RaftRequest,
  type RaftRequestPart,
} from "../wire/index.ts";
import type { ServerId } from "./configuration.ts";
import type { Handler } from "./ports.ts";
import type { Response } from "./messages.ts";
import { fromWireRequest, toWireResponse } from "./wire-messages.ts";

/** Requests without an answer, on one connection. More are not read. */
const UNANSWERED_MAX = 128;

interface Serving {
  readonly handle: Handler;
  readonly idAt: (address: string) => ServerId | undefined;
}

/** Returns or throws when the connection is of no use any more. */
export async function serveStream(stream: Duplex, serving: Serving): Promise<void> {
  const decoder = new RaftRequestDecoder();
  const replies = new Replies(stream);
  let body: Body | undefined;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      for (const part of decoder.read(chunk)) {
        body = await take(part, body, replies, serving);
      }
    }
  } finally {
    body?.fail(new Error("the connection ended within a snapshot"));
  }
}

async function take(
  part: RaftRequestPart,
  body: Body | undefined,
  replies: Replies,
  { handle, idAt }: Serving,
): Promise<Body | undefined> {
  if (part.kind === "snapshotBytes") {
    await body?.push(part.bytes.slice());
    if (part.leftBytes > 0) return body;
    body?.end();
    return undefined;
  }
  await replies.room();
  const request = fromWireRequest(part, idAt);
  const incoming = hasBody(part) ? new Body() : undefined;
  replies.add(handle(request, incoming).finally(() => incoming?.discard()));
  if (part.kind !== "installSnapshot" || part.body.Size > 0) return incoming;
  incoming?.end();
  return undefined;
}

function hasBody(part: RaftRequest): boolean {
  return part.kind === "installSnapshot";
}

/** Answers that are owed, in order. */
class Replies {
  readonly #stream: Duplex;
  #owed = 0;
  #last: Promise<void> = Promise.resolve();
  #hasRoom: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  async room(): Promise<void> {
    if (this.#owed < UNANSWERED_MAX) return;
    await new Promise<void>((resolve) => (this.#hasRoom = resolve));
  }

  add(answer: Promise<Response>): void {
    this.#owed += 1;
    // It fails in its turn, below.
    answer.catch(() => undefined);
    this.#last = this.#last.then(async () => {
      try {
        const response = await answer;
        if (!this.#stream.destroyed)
          this.#stream.write(encodeRaftResponse(toWireResponse(response)));
      } catch {
        // There is no answer to this one, hence none to those behind it.
        this.#stream.destroy();
      }
      this.#owed -= 1;
      this.#hasRoom?.();
      this.#hasRoom = undefined;
    });
  }
}

/** A snapshot's bytes, from the connection to whoever stores them. Nobody reads on: they are thrown away. */
class Body implements AsyncIterable<Uint8Array> {
  #next: { readonly bytes: Uint8Array; readonly taken: () => void } | undefined;
  #wake: (() => void) | undefined;
  #outcome: "open" | "ended" | Error = "open";
  #isWanted = true;

  /** Resolves once there is room for more. */
  async push(bytes: Uint8Array): Promise<void> {
    if (!this.#isWanted) return;
    await new Promise<void>((taken) => {
      this.#next = { bytes, taken };
      this.#wake?.();
    });
  }

  end(): void {
    if (this.#outcome === "open") this.#outcome = "ended";
    this.#wake?.();
  }

  fail(error: Error): void {
    if (this.#outcome === "open") this.#outcome = error;
    this.#wake?.();
  }

  /** Whoever does not want it says so by not reading, and is not waited for. */
  discard(): void {
    this.#isWanted = false;
    this.#next?.taken();
    this.#next = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        const next = this.#next;
        if (next !== undefined) {
          this.#next = undefined;
          yield next.bytes;
          next.taken();
        } else if (this.#outcome === "ended") return;
        else if (this.#outcome !== "open") throw this.#outcome;
        else await new Promise<void>((wake) => (this.#wake = wake));
      }
    } finally {
      this.discard();
    }
  }
}
