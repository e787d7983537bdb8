/** For tests: recorded calls, values as the index of the recordings shows them, and connections that chop. */
import { Duplex } from "node:stream";
import type { Clock } from "../platform/index.ts";
import type { SimRandom } from "../platform/sim/index.ts";
import { decodeGoText, encodeGoText } from "../wire/go-text.ts";
import { any, codecOf, rpcRequestReader, rpcResponseReader } from "../wire/index.ts";
import type {
  AnyValue,
  MsgpackReader,
  RpcRequestHeader,
  RpcResponseHeader,
} from "../wire/index.ts";

export interface Recording<Header> {
  readonly header: Header;
  /** After the header. */
  readonly body: Buffer;
  /** As the index shows the body. */
  readonly decoded: unknown;
}
export interface RecordedCall {
  readonly name: string;
  /** false: by a client that leaves out what is zero. */
  readonly isComplete: boolean;
  readonly request: Recording<RpcRequestHeader>;
  readonly response: Recording<RpcResponseHeader>;
}
interface Entry {
  readonly file: string;
  readonly program: string;
  readonly decoded: { readonly header: unknown; readonly body: unknown };
}

/** @param index the text of testdata/index.json */
export function entriesOf(index: Uint8Array): readonly Entry[] {
  return (JSON.parse(index.toString()) as { readonly fixtures: Entry[] }).fixtures;
}

/** @param testdata reads a file of that directory */
export function recordedCalls(testdata: (file: string) => Buffer): readonly RecordedCall[] {
  const all = new Map(entriesOf(testdata("index.json")).map((entry) => [entry.file, entry]));
  return [...all.values()].flatMap((request) => {
    const { file, program, decoded } = request;
    const response = all.get(file.replace(".req.bin", ".resp.bin"));
    if (!file.endsWith(".req.bin") || response === undefined) return [];
    return {
      name: file.replace(".req.bin", ""),
      isComplete: program.startsWith("Consul"),
      request: recording(rpcRequestReader(), testdata(file), decoded.body),
      response: recording(rpcResponseReader(), testdata(response.file), response.decoded.body),
    };
  });
}

interface Reader<H> {
  add(bytes: Uint8Array): void;
  take(): { readonly header: H; readonly body: MsgpackReader } | undefined;
}
function recording<H>(reader: Reader<H>, bytes: Buffer, decoded: unknown): Recording<H> {
  reader.add(bytes);
  const message = reader.take();
  if (message === undefined) throw new Error("no whole message");
  return { header: message.header, body: bytes.subarray(message.body.offset), decoded };
}

const anything = codecOf(any);

/** Whatever is in the bytes, as the index shows it. */
export const shownBytes = (bytes: Uint8Array): unknown => shown(anything.decode(bytes));

/** Integers stay integers. */
export const encoded = (value: unknown): Uint8Array => anything.encode(withBigints(value));

function withBigints(value: unknown): AnyValue {
  if (typeof value === "number") return BigInt(value);
  if (Array.isArray(value)) return value.map(withBigints);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) {
    return value as AnyValue;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, withBigints(field)] as const),
  );
}

/** A value as the index shows it: integers and floats are both numbers, and what is no text is hex. */
export function shown(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string") return shownText(value);
  if (value instanceof Uint8Array) return shownRaw(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shown(field)]));
}

const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\udc80-\udcff]/u;
const shownText = (text: string): unknown =>
  UNPRINTABLE.test(text) ? { $hex: Buffer.from(encodeGoText(text)).toString("hex") } : text;
const shownRaw = (bytes: Uint8Array): unknown => shownText(decodeGoText(bytes, 0, bytes.length));

/**
 * Two ends of a connection on which bytes arrive in pieces of any size, each a while after the last, and on which
 * who does not read holds up who writes.
 */
export function choppedPair(clock: Clock, random: SimRandom): readonly [ChoppedEnd, ChoppedEnd] {
  const left = new ChoppedEnd(clock, random.fork("left"));
  const right = new ChoppedEnd(clock, random.fork("right"));
  left.peer = right;
  right.peer = left;
  return [left, right];
}

export class ChoppedEnd extends Duplex {
  peer: ChoppedEnd | undefined;
  /** Nothing arrives any more, and nobody notices. */
  isCut = false;
  readonly #clock: Clock;
  readonly #random: SimRandom;
  #resume: (() => void) | undefined;

  constructor(clock: Clock, random: SimRandom) {
    super({ allowHalfOpen: false });
    this.#clock = clock;
    this.#random = random;
    this.on("error", () => {});
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#carry(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#carry(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _final(done: () => void): void {
    this.#clock.after(0, () => this.peer?.push(null));
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    this.#clock.after(0, () => {
      if (peer !== undefined && !peer.destroyed && !peer.isCut) peer.push(null);
    });
    done(error);
  }

  #carry(bytes: Buffer, done: () => void): void {
    const { peer } = this;
    if (bytes.length === 0) {
      done();
      return;
    }
    if (peer === undefined || peer.isCut || peer.destroyed) return;
    const most = this.#random.chance(0.5) ? 20 : 100_000;
    const size = Math.min(bytes.length, this.#random.between(1, most));
    this.#clock.after(this.#random.between(0, 2), () => {
      if (peer.destroyed || peer.isCut) return;
      const goOn = (): void => this.#carry(bytes.subarray(size), done);
      if (peer.push(Buffer.from(bytes.subarray(0, size)))) goOn();
      else peer.#resume = goOn;
    });
  }
}
