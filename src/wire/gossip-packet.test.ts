import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GOSSIP_BODIES } from "./gossip-messages.ts";
import {
  compound,
  COMPOUND_PARTS_MAX,
  compress,
  decompress,
  encodeGossipMessage,
  gossipKey,
  MsgpackWriter,
  NONCE_BYTES,
  openPacket,
  SEALING_BYTES_MAX,
  wrapPacket,
  type CipherVersion,
  type GossipMessage,
  type Opening,
  type Wrapping,
} from "./index.ts";
import { arbitraryBytes, arbitraryOf, hex, unhex } from "./testkit.ts";

const PLAIN: Opening = { keys: [], verifyIncoming: true };
const BARE: Wrapping = { compress: false, crc: false };
const KEY = gossipKey(Buffer.from("0123456789abcdef"));
const OTHER_KEY = gossipKey(Buffer.from("0123456789abcdef0123456789ABCDEF"));
const NONCE = Buffer.alloc(NONCE_BYTES, 7);
const NACK: GossipMessage = { kind: "nack", body: { SeqNo: 24 } };
const USER: GossipMessage = { kind: "user", body: Uint8Array.of(1, 2, 3) };

test.each([
  [
    "ping",
    "00 85 a44e6f6465 a66e6f64652d31 a55365714e6f 01 aa536f7572636541646472 a47f004d0c aa536f757263654e6f6465 a66e6f64652d32 aa536f75726365506f7274 cd1f0a",
  ],
  ["nack", "0b 81 a55365714e6f 18"],
  ["ack", "02 82 a75061796c6f6164 c0 a55365714e6f 18"],
  [
    "suspect",
    "03 83 a446726f6d a66e6f64652d32 ab496e6361726e6174696f6e 02 a44e6f6465 a66e6f64652d33",
  ],
  ["dead", "05 83 a446726f6d a66e6f64652d32 ab496e6361726e6174696f6e 01 a44e6f6465 a66e6f64652d32"],
])("%s as memberlist writes it", (kind, encoded) => {
  const { messages } = openPacket(unhex(encoded), PLAIN);
  expect(messages).toMatchObject([{ kind }]);
  expect(messages.map((message) => hex(encodeGossipMessage(message)))).toEqual([
    hex(unhex(encoded)),
  ]);
});

test("a ping without a source leaves its fields out", () => {
  const body = { SeqNo: 7, Node: "n", SourceAddr: new Uint8Array(), SourcePort: 0, SourceNode: "" };
  const encoded = encodeGossipMessage({ kind: "ping", body });
  expect(hex(encoded)).toBe(hex(unhex("00 82 a44e6f6465 a16e a55365714e6f 07")));
  expect(openPacket(encoded, PLAIN).messages).toEqual([{ kind: "ping", body }]);
});

test("messages are read again whatever they are wrapped in", () => {
  const version = fc.constantFrom<CipherVersion>(0, 1);
  const wrapping = fc.record({
    compress: fc.boolean(),
    crc: fc.boolean(),
    sealing: fc.option(fc.record({ key: fc.constant(KEY), nonce: nonces(), version }), {
      nil: undefined,
    }),
    label: arbitraryBytes(255),
  });
  fc.assert(
    fc.property(fc.array(anyMessage(), { minLength: 1, maxLength: 8 }), wrapping, (sent, how) => {
      const into = new MsgpackWriter();
      const parts = sent.map((message) => encodeGossipMessage(message, into));
      const [first] = parts;
      const plain = first !== undefined && parts.length === 1 ? first : compound(parts);
      const packet = wrapPacket(plain, how);
      const keys = how.sealing === undefined ? [] : [OTHER_KEY, KEY];
      const opened = openPacket(packet, { keys, verifyIncoming: true, label: how.label });
      expect(opened.rejected).toEqual([]);
      expect(opened.messages).toEqual(sent);
      if (how.sealing === undefined || how.label.length > 0) return;
      const room = plain.length + SEALING_BYTES_MAX[how.sealing.version] + (how.crc ? 5 : 0);
      expect(packet.length).toBeLessThanOrEqual(room);
    }),
    { numRuns: 300 },
  );
});

describe("a packet that is only partly good", () => {
  const alive = encodeGossipMessage(NACK);
  test.each([
    ["an unknown type", Uint8Array.of(200, 1)],
    ["a label that nobody asked for", Uint8Array.of(244, 1, 97)],
    ["a body that is no msgpack", Uint8Array.of(3, 0xc1)],
    ["a checksum inside", wrapPacket(alive, { compress: false, crc: true })],
    ["a push/pull, which is for streams", Uint8Array.of(6, 0x80)],
    ["compression of an unknown kind", unhex("09 82 a4416c676f 01 a3427566 a0")],
  ])("%s costs only itself", (_name, bad) => {
    const { messages, rejected } = openPacket(compound([bad, alive]), PLAIN);
    expect(messages).toEqual([NACK]);
    expect(rejected).toHaveLength(1);
    expect(openPacket(bad.subarray(), PLAIN).messages).toEqual(
      _name.startsWith("a checksum") ? [NACK] : [],
    );
  });

  test("a tail that is cut off costs only the parts that it had", () => {
    const packet = compound([alive, alive, encodeGossipMessage(USER)]);
    const { messages, rejected } = openPacket(packet.subarray(0, -1), PLAIN);
    expect(messages).toEqual([NACK, NACK]);
    expect(rejected).toEqual(["a compound cut off after 2 of 3 parts"]);
  });

  test.each([
    ["nothing", ""],
    ["a compound without a count", "07"],
    ["a compound that ends among its lengths", "07 02 0001"],
  ])("%s is rejected", (_name, packet) => {
    const { messages, rejected } = openPacket(unhex(packet), PLAIN);
    expect({ messages, rejected: rejected.length }).toEqual({ messages: [], rejected: 1 });
  });
});

test("an empty compound holds nothing", () => {
  expect(openPacket(unhex("07 00"), PLAIN)).toMatchObject({ messages: [], rejected: [] });
});

test("a wrong checksum drops the packet", () => {
  const packet = wrapPacket(encodeGossipMessage(NACK), { compress: false, crc: true });
  for (let i = 1; i < packet.length; i += 1) {
    const damaged = Uint8Array.from(packet);
    damaged[i] = (damaged[i] ?? 0) ^ 0x10;
    expect(() => openPacket(damaged, PLAIN)).toThrow("wrong checksum");
  }
});

test("compression is kept only where it makes a packet smaller", () => {
  const small = encodeGossipMessage(NACK);
  expect(wrapPacket(small, { ...BARE, compress: true })).toBe(small);
  const large = encodeGossipMessage({ kind: "user", body: new Uint8Array(1000) });
  const packed = wrapPacket(large, { ...BARE, compress: true });
  expect(packed.length).toBeLessThan(100);
  expect(openPacket(packed, PLAIN).messages).toEqual([
    { kind: "user", body: new Uint8Array(1000) },
  ]);
});

describe("a bomb", () => {
  const bomb = (inner: Uint8Array) =>
    Buffer.concat([unhex("09 82 a4416c676f 00 a3427566 da"), u16(inner.length), inner]);

  test("of one part is refused", () => {
    const { rejected } = openPacket(bomb(compress(new Uint8Array(10_000_000))), PLAIN);
    expect(rejected).toEqual(["compressed data is larger than 65536 bytes"]);
  });

  test("of many parts has one allowance for all", () => {
    const part = bomb(compress(Buffer.concat([Uint8Array.of(8), new Uint8Array(30_000)])));
    const { messages, rejected } = openPacket(
      compound(Array.from({ length: 20 }, () => part)),
      PLAIN,
    );
    expect({ messages: messages.length, rejected: rejected.length }).toEqual({
      messages: 2,
      rejected: 18,
    });
  });

  test("of layers is refused", () => {
    let packet = encodeGossipMessage(NACK);
    for (let i = 0; i < 10; i += 1) packet = bomb(compress(packet));
    expect(openPacket(packet, PLAIN).rejected).toEqual(["nested too deeply"]);
    let nested = encodeGossipMessage(NACK);
    for (let i = 0; i < 10; i += 1) nested = compound([nested, nested]);
    const { messages, rejected } = openPacket(nested, PLAIN);
    expect({ messages: messages.length, kinds: new Set(rejected) }).toEqual({
      messages: 0,
      kinds: new Set(["nested too deeply"]),
    });
  });
});

describe("a sealed packet", () => {
  const plain = encodeGossipMessage(NACK);
  const sealed = wrapPacket(plain, { ...BARE, sealing: { key: KEY, nonce: NONCE } });

  test("is longer by what was said", () => {
    expect(sealed.length - plain.length).toBe(SEALING_BYTES_MAX[1]);
  });

  test("opens with any of the keys, and with no other", () => {
    expect(openPacket(sealed, { keys: [OTHER_KEY, KEY], verifyIncoming: true }).messages).toEqual([
      NACK,
    ]);
    const openWithOther = () => openPacket(sealed, { keys: [OTHER_KEY], verifyIncoming: true });
    expect(openWithOther).toThrow("No installed keys could decrypt the message");
  });

  test("does not open when one bit of it is changed", () => {
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const forged = Uint8Array.from(sealed);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openPacket(forged, { keys: [KEY], verifyIncoming: true })).toThrow(
        "No installed keys",
      );
    }
  });

  test("does not open under another label", () => {
    const label = Buffer.from("east");
    const labelled = wrapPacket(plain, { ...BARE, sealing: { key: KEY, nonce: NONCE }, label });
    const open = (wanted: string, packet: Uint8Array = labelled) =>
      openPacket(packet, { keys: [KEY], verifyIncoming: true, label: Buffer.from(wanted) });
    expect(open("east").messages).toEqual([NACK]);
    expect(() => open("west")).toThrow("the label of another cluster, or none");
    const relabelled = Buffer.from(labelled);
    relabelled.write("west", 2);
    expect(() => open("west", relabelled)).toThrow("No installed keys");
    expect(() => open("", labelled)).toThrow("No installed keys");
    expect(() => open("east", sealed)).toThrow("the label of another cluster, or none");
  });

  test("may be plain while a cluster is moved to encryption, and only then", () => {
    expect(() => openPacket(plain, { keys: [KEY], verifyIncoming: true })).toThrow(
      "No installed keys",
    );
    expect(openPacket(plain, { keys: [KEY], verifyIncoming: false }).messages).toEqual([NACK]);
    expect(openPacket(sealed, { keys: [KEY], verifyIncoming: false }).messages).toEqual([NACK]);
  });

  test.each([0, 15, 17, 33])("needs a key of 16, 24 or 32 bytes, not %s", (length) => {
    expect(() => gossipKey(new Uint8Array(length))).toThrow("key size must be 16, 24 or 32 bytes");
  });
});

test("what old receivers cannot read is not written", () => {
  const nack = encodeGossipMessage(NACK);
  const parts = Array.from({ length: COMPOUND_PARTS_MAX + 1 }, () => nack);
  expect(() => compound(parts)).toThrow(RangeError);
  expect(() => compound([nack, new Uint8Array()])).toThrow(RangeError);
  expect(openPacket(compound(parts.slice(1)), PLAIN).messages).toHaveLength(COMPOUND_PARTS_MAX);
});

test("a decompressed part is what was compressed", () => {
  const plain = Buffer.from("node-1 node-1 node-1 node-1");
  expect(hex(decompress(compress(plain), 100))).toBe(hex(plain));
});

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function nonces(): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES });
}

function anyMessage(): fc.Arbitrary<GossipMessage> {
  const bodied = Object.entries(GOSSIP_BODIES).map(([kind, schema]) =>
    arbitraryOf(schema).map((body) => ({ kind, body }) as GossipMessage),
  );
  const user = arbitraryBytes().map((body): GossipMessage => ({ kind: "user", body }));
  return fc.oneof(user, ...bodied);
}
