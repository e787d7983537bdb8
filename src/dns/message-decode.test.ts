import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeQuery } from "./message-decode.ts";
import { textOf } from "./names.ts";
import { query } from "./testkit.ts";

const base = query("web.service.consul", "A", { id: 0xbeef });

function changed(change: (packet: Buffer) => void): Uint8Array {
  const packet = Buffer.from(base);
  change(packet);
  return packet;
}

/** A query whose OPT record carries this client-subnet option. */
function withSubnet(data: string): Uint8Array {
  const subnet = Buffer.from(data, "hex");
  const packet = Buffer.from(query("web.service.consul", "A", { edns: 1232 }));
  const head = Buffer.from([0, 4 + subnet.length, 0, 8, 0, subnet.length]);
  return Buffer.concat([packet.subarray(0, -2), head, subnet]);
}

test("a plain query", () => {
  const decoded = decodeQuery(base);
  if (decoded.kind !== "query") return expect.fail(decoded.kind);
  const { id, kept, question, edns } = decoded.query;
  expect([id, kept, textOf(question.name), question.type, question.class, edns]).toEqual([
    0xbeef,
    0x100,
    "web.service.consul.",
    1,
    1,
    undefined,
  ]);
});

test.each([
  ["EDNS", query("a.consul", "A", { edns: 1232 }), undefined],
  ["an IPv4 client subnet", withSubnet("00011800010203"), "00011800010203"],
  ["an IPv6 client subnet", withSubnet("0002380020010db8000000"), "0002380020010db8000000"],
])("%s", (_what, packet, subnet) => {
  const decoded = decodeQuery(packet);
  if (decoded.kind !== "query") return expect.fail(decoded.kind);
  expect(decoded.query.edns?.udpSizeBytes).toBe(1232);
  const { clientSubnet } = decoded.query.edns ?? {};
  expect(clientSubnet && Buffer.from(clientSubnet).toString("hex")).toBe(subnet);
});

test.each([
  ["no question", changed((p) => p.writeUInt16BE(0, 4)), "FORMERR", false],
  ["two questions", changed((p) => p.writeUInt16BE(2, 4)), "FORMERR", false],
  ["answers in it", changed((p) => p.writeUInt16BE(2, 6)), "FORMERR", false],
  ["authorities in it", changed((p) => p.writeUInt16BE(2, 8)), "FORMERR", false],
  ["three additional records", changed((p) => p.writeUInt16BE(3, 10)), "FORMERR", false],
  ["a pointer to itself", changed((p) => p.writeUInt16BE(0xc00c, 12)), "FORMERR", false],
  ["UPDATE", changed((p) => p.writeUInt8(5 << 3, 2)), "NOTIMP", false],
  ["NOTIFY", changed((p) => p.writeUInt8(4 << 3, 2)), "NOTIMP", false],
  ["a header alone", base.subarray(0, 12), "FORMERR", false],
  ["a subnet of no known family", withSubnet("0003180001"), "FORMERR", true],
  ["a subnet that is too long", withSubnet("000118000102030405"), "FORMERR", true],
  ["a subnet that is too wide", withSubnet("00012100010203"), "FORMERR", true],
  ["a subnet that is cut off", withSubnet("0001"), "FORMERR", true],
])("%s is refused", (_what, packet, rcode, withQuestion) => {
  const decoded = decodeQuery(packet);
  if (decoded.kind !== "refusal") return expect.fail(decoded.kind);
  expect(decoded.refusal.rcode).toBe(rcode);
  expect(decoded.refusal.question !== undefined).toBe(withQuestion);
});

test.each([
  ["an answer", changed((p) => p.writeUInt8(0x81, 2))],
  ["less than a header", base.subarray(0, 11)],
  ["nothing", new Uint8Array(0)],
])("%s is passed over in silence", (_what, packet) => {
  expect(decodeQuery(packet)).toEqual({ kind: "silence" });
});

test("every truncation is refused or passed over, none is a query", () => {
  const packet = withSubnet("00011800010203");
  const questionEnd = base.length;
  for (let length = 0; length < packet.length; length++) {
    const { kind } = decodeQuery(packet.subarray(0, length));
    // Cut right behind the question it is a query whose additional record has been forgotten.
    const expected = length < 12 ? "silence" : length === questionEnd ? "query" : "refusal";
    expect([length, kind]).toEqual([length, expected]);
  }
});

test("any bytes are one of the three", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(["query", "refusal", "silence"]).toContain(decodeQuery(bytes).kind);
    }),
    { numRuns: 2000 },
  );
});
