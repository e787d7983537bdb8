import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  GOSSIP_BODIES,
  PUSH_PULL_HEADER,
  PUSH_PULL_NODE,
  PUSH_PULL_NODE_SCHEMA,
} from "./gossip-messages.ts";
import {
  compress,
  encodeStreamMessage,
  gossipKey,
  NONCE_BYTES,
  StreamDecoder,
  wrapStream,
  type CipherVersion,
  type Opening,
  type PushPullNode,
  type StreamMessage,
} from "./index.ts";
import { arbitraryBytes, arbitraryOf, hex, unhex } from "./testkit.ts";

const PLAIN: Opening = { keys: [], verifyIncoming: true };
const KEY = gossipKey(Buffer.from("0123456789abcdef"));
const OTHER_KEY = gossipKey(Buffer.from("0123456789abcdef0123456789ABCDEF"));
const SEALED: Opening = { keys: [OTHER_KEY, KEY], verifyIncoming: true };
const SEALING = { key: KEY, nonce: Buffer.alloc(NONCE_BYTES, 7) };
const ACK: StreamMessage = { kind: "ack", body: { SeqNo: 24, Payload: null } };
const NODE: PushPullNode = {
  Name: "node-1",
  Addr: Uint8Array.of(127, 0, 0, 1),
  Port: 7946,
  Meta: new Uint8Array(0),
  Incarnation: 1,
  State: 0,
  Vsn: Uint8Array.of(1, 5, 2, 2, 5, 5),
};

test("a message is read in whatever pieces it comes, and not before its end", () => {
  const wrapping = fc.record({
    compress: fc.boolean(),
    sealing: fc.option(
      fc.record({
        key: fc.constant(KEY),
        nonce: fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES }),
        version: fc.constantFrom<CipherVersion>(0, 1),
      }),
      { nil: undefined },
    ),
    label: arbitraryBytes(255),
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
  fc.assert(
    fc.property(anyStreamMessage(), wrapping, cuts, (sent, how, lengths) => {
      const stream = wrapStream(encodeStreamMessage(sent), how);
      const keys = how.sealing === undefined ? [] : [OTHER_KEY, KEY];
      const decoder = new StreamDecoder({ keys, verifyIncoming: true, label: how.label });
      let at = 0;
      for (let i = 0; at < stream.length; i += 1) {
        const end = Math.min(at + (lengths[i % lengths.length] ?? 1), stream.length);
        const received = decoder.read(stream.subarray(at, end));
        at = end;
        if (at === stream.length) expect(received).toEqual(sent);
        else expect(received).toBeUndefined();
      }
    }),
    { numRuns: 200 },
  );
});

test("a state exchange in small pieces is not read anew for every piece", () => {
  const nodes = Array.from({ length: 2000 }, (_, i) => ({ ...NODE, Name: `node-${i}` }));
  const sent: StreamMessage = {
    kind: "pushPull",
    body: { Join: true, nodes, userState: new Uint8Array(100_000).fill(5) },
  };
  const stream = encodeStreamMessage(sent);
  const readNode = vi.spyOn(PUSH_PULL_NODE, "read");
  const readHeader = vi.spyOn(PUSH_PULL_HEADER, "read");
  const decoder = new StreamDecoder(PLAIN);
  let received: StreamMessage | undefined;
  const pieces = Math.ceil(stream.length / 100);
  for (let i = 0; i < pieces; i += 1) {
    received = decoder.read(stream.subarray(100 * i, 100 * (i + 1)));
  }
  expect(received).toEqual(sent);
  expect(readNode.mock.calls.length).toBeLessThanOrEqual(nodes.length + pieces);
  expect(readHeader).toHaveBeenCalledOnce();
});

test("what was read does not change with the chunks that it came in", () => {
  const stream = encodeStreamMessage({ kind: "user", body: Uint8Array.of(1, 2, 3) });
  const received = new StreamDecoder(PLAIN).read(stream);
  stream.fill(0);
  expect(received).toEqual({ kind: "user", body: Uint8Array.of(1, 2, 3) });
});

describe("memberlist's words for", () => {
  const plain = encodeStreamMessage(ACK);
  const sealed = wrapStream(plain, { compress: false, sealing: SEALING });
  test.each([
    [
      "a sealed stream where none is expected",
      sealed,
      PLAIN,
      "Remote state is encrypted and encryption is not configured",
    ],
    [
      "a plain stream where a sealed one is",
      plain,
      SEALED,
      "Encryption is configured but remote state is not encrypted",
    ],
    [
      "a key that is not ours",
      sealed,
      { keys: [OTHER_KEY], verifyIncoming: true },
      "No installed keys could decrypt the message",
    ],
    [
      "too long a stream",
      unhex("0a 01400001"),
      SEALED,
      "Remote node state is larger than limit (20971520)",
    ],
  ])("%s", (_name, stream, opening, text) => {
    expect(() => new StreamDecoder(opening).read(stream)).toThrow(text);
  });
});

test("a plain stream is taken while a cluster is moved to encryption", () => {
  const plain = encodeStreamMessage(ACK);
  expect(new StreamDecoder({ keys: [KEY], verifyIncoming: false }).read(plain)).toEqual(ACK);
});

test("a sealed stream does not open when one bit of it is changed", () => {
  const sealed = wrapStream(encodeStreamMessage(ACK), { compress: false, sealing: SEALING });
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const forged = Uint8Array.from(sealed);
    forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    // A length that says more than there is waits for the rest; none is ever accepted.
    const read = (): unknown => new StreamDecoder(SEALED).read(forged);
    const outcome = outcomeOf(read);
    expect(outcome === undefined || outcome instanceof Error).toBe(true);
  }
});

test("a label belongs to what is authenticated", () => {
  const label = Buffer.from("east");
  const stream = wrapStream(encodeStreamMessage(ACK), { compress: true, sealing: SEALING, label });
  const read = (wanted: string, bytes: Uint8Array) =>
    new StreamDecoder({ ...SEALED, label: Buffer.from(wanted) }).read(bytes);
  expect(read("east", stream)).toEqual(ACK);
  const relabelled = Buffer.from(stream);
  relabelled.write("west", 2);
  expect(() => read("west", relabelled)).toThrow("No installed keys");
  expect(() => read("west", stream)).toThrow("the label of another cluster, or none");
  expect(() => read("", stream)).toThrow("Encryption is configured but");
});

test.each([
  ["a type that is for packets", "03 80", "unexpected message type on a stream: 3"],
  ["a type that nobody knows", "f4", "unexpected message type on a stream: 244"],
  [
    "a negative count of nodes",
    "06 83 a44a6f696e c3 a54e6f646573 ff ac5573657253746174654c656e 00",
    "too many nodes",
  ],
  [
    "a count of nodes beyond reason",
    "06 83 a44a6f696e c3 a54e6f646573 ce7fffffff ac5573657253746174654c656e 00",
    "too many nodes",
  ],
  ["a negative length", "08 81 aa557365724d73674c656e ff", "a negative length"],
  ["a length beyond the limit", "08 81 aa557365724d73674c656e ce7fffffff", "larger than limit"],
  [
    "compression inside of compression",
    `09 82 a4416c676f 00 a3427566 ${raw(compress(unhex("09")))}`,
    "unexpected message type on a stream: 9",
  ],
  [
    "a message that ends inside of compression",
    `09 82 a4416c676f 00 a3427566 ${raw(compress(unhex("06 83")))}`,
    "the bytes end early",
  ],
])("%s is malformed", (_name, bytes, text) => {
  expect(() => new StreamDecoder(PLAIN).read(unhex(bytes))).toThrow(text);
});

test("a bomb is refused", () => {
  const packed = compress(new Uint8Array(45 * 1024 * 1024));
  expect(packed.length).toBeLessThan(200_000);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(packed.length);
  const stream = Buffer.concat([unhex("09 82 a4416c676f 00 a3427566 db"), length, packed]);
  expect(() => new StreamDecoder(PLAIN).read(stream)).toThrow("compressed data is larger than");
});

test("a stream that never ends is cut off at the limit", () => {
  const decoder = new StreamDecoder(PLAIN);
  decoder.read(unhex("08 81 aa557365724d73674c656e ce01400000"));
  const chunk = new Uint8Array(1024 * 1024);
  const feed = () => {
    for (let i = 0; i < 22; i += 1) decoder.read(chunk);
  };
  expect(feed).toThrow("Remote node state is larger than limit (20971520)");
});

function outcomeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

function raw(bytes: Uint8Array): string {
  return `da ${bytes.length.toString(16).padStart(4, "0")} ${hex(bytes)}`;
}

function anyStreamMessage(): fc.Arbitrary<StreamMessage> {
  const bodied = (["ping", "ack", "err"] as const).map((kind) =>
    arbitraryOf(GOSSIP_BODIES[kind]).map((body) => ({ kind, body }) as StreamMessage),
  );
  const user = arbitraryBytes(500).map((body): StreamMessage => ({ kind: "user", body }));
  const pushPull = fc
    .record({
      Join: fc.boolean(),
      nodes: fc.array(arbitraryOf(PUSH_PULL_NODE_SCHEMA), { maxLength: 10 }),
      userState: arbitraryBytes(500),
    })
    .map((body): StreamMessage => ({ kind: "pushPull", body }));
  return fc.oneof(user, pushPull, ...bodied);
}
