/** For tests: recorded calls, and values as the index of the recordings shows them. */
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
