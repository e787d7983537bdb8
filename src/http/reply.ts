/**
 * What a handler answers: a status, headers of its own, and a body that can be had in several variants. How it gets
 * onto the wire is respond.ts; the headers that every answer has are added there.
 */

/** Bit 0: indented. Bit 1: gzip. */
export type Variant = 0 | 1 | 2 | 3;
export const PRETTY = 1;
export const GZIP = 2;

/** Bytes ready to send. Small ASCII answers are held as text: Node then sends head and body in one write. */
export interface Encoded {
  readonly data: string | Uint8Array;
  readonly sizeBytes: number;
}

export interface Body {
  readonly contentType: string;
  /** A promise where compressing is left to another thread. */
  encode(variant: Variant): Encoded | Promise<Encoded>;
}

/** Where an answer without an end is written to. */
export interface StreamSink {
  write(text: string): void;
  /** Written and not taken by the client yet. */
  readonly backlogBytes: number;
}
/** Starts writing; disposed when the client has gone. */
export type StreamSource = (sink: StreamSink) => Disposable;

export interface Reply {
  readonly status: number;
  /** Name, value, name, value …; names in Go's canonical spelling. */
  readonly headers: readonly string[];
  readonly body: Body | undefined;
  /** In place of a body: text that goes on until the client hangs up. */
  readonly stream?: StreamSource;
  /** In place of a body: bytes of unknown number, sent as they come. If they fail, the connection ends early. */
  readonly chunks?: AsyncIterable<Uint8Array>;
}

const NO_HEADERS: readonly string[] = [];
export const EMPTY_REPLY: Reply = { status: 200, headers: NO_HEADERS, body: undefined };

export function reply(body: Body, headers = NO_HEADERS, status = 200): Reply {
  return { status, headers, body };
}
export function emptyReply(status: number, headers = NO_HEADERS): Reply {
  return { status, headers, body: undefined };
}
