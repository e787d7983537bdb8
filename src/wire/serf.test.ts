/** Serf's messages against examples that real agents sent, and against themselves. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeCoordinate,
  decodeFilter,
  decodeSerfMessage,
  decodeSnapshotLine,
  decodeTags,
  encodeCoordinate,
  encodeFilter,
  encodeSerfMessage,
  encodeSnapshotLine,
  encodeTags,
  type QueryFilter,
  type SerfMessage,
} from "./index.ts";
import { SERF_BODIES } from "./serf-messages.ts";
import { arbitraryBytes, arbitraryOf, hex, unhex } from "./testkit.ts";

const EXAMPLES: readonly (readonly [string, string, unknown])[] = [
  ["join", "01 82 a54c54696d65 01 a44e6f6465 a66e6f64652d33", { LTime: 1, Node: "node-3" }],
  [
    "leave",
    "00 83 a54c54696d65 02 a44e6f6465 a66e6f64652d33 a55072756e65 c3",
    { LTime: 2, Node: "node-3", Prune: true },
  ],
  [
    "userEvent",
    "03 84 a24343 c3 a54c54696d65 01 a44e616d65 a66465706c6f79 a75061796c6f6164 a97061796c6f61642d32",
    { CC: true, LTime: 1, Name: "deploy", Payload: new Uint8Array(Buffer.from("payload-2")) },
  ],
  [
    "queryResponse",
    "05 85 a5466c616773 01 a446726f6d a66e6f64652d31 a24944 ce1dfed765 a54c54696d65 01 a75061796c6f6164 c0",
    { Flags: 1, From: "node-1", ID: 503_240_549, LTime: 1, Payload: null },
  ],
  ["keyRequest", "07 81 a34b6579 a0", { Key: new Uint8Array(0) }],
  ["conflictResponse", "06 c0", null],
];

test.each(EXAMPLES)("%s as serf writes it", (kind, encoded, body) => {
  const message = decodeSerfMessage(unhex(encoded));
  expect(message).toEqual({ kind, body });
  expect(hex(encodeSerfMessage(message))).toBe(hex(unhex(encoded)));
});

test("every message is read again as it was written", () => {
  const bodied = Object.entries(SERF_BODIES).map(([kind, schema]) =>
    arbitraryOf(schema).map((body) => ({ kind, body }) as SerfMessage),
  );
  const relay = fc
    .record({
      DestAddr: fc.record({ IP: arbitraryBytes(16), Port: fc.nat(65_535), Zone: fc.string() }),
      DestName: fc.string(),
      inner: arbitraryBytes(),
    })
    .map((body): SerfMessage => ({ kind: "relay", body }));
  fc.assert(
    fc.property(fc.oneof(relay, ...bodied), (message) => {
      expect(decodeSerfMessage(encodeSerfMessage(message))).toEqual(message);
    }),
    { numRuns: 500 },
  );
});

test("older peers leave fields out, newer ones add some", () => {
  const older = unhex("00 82 a54c54696d65 02 a44e6f6465 a16e");
  expect(decodeSerfMessage(older).body).toEqual({ LTime: 2, Node: "n", Prune: false });
  const newer = unhex("01 83 a54c54696d65 02 a34e6577 92c0c3 a44e6f6465 a16e");
  expect(decodeSerfMessage(newer).body).toEqual({ LTime: 2, Node: "n" });
});

test.each([
  ["", "unknown serf message type: none"],
  ["0a 80", "unknown serf message type: 10"],
  ["01 c1", "expected a map, found 0xc1"],
  ["01", "the bytes end early"],
])("%j is malformed", (encoded, text) => {
  expect(() => decodeSerfMessage(unhex(encoded))).toThrow(text);
});

describe("tags", () => {
  test("as serf writes them", () => {
    const meta = unhex("ff 82 a4726f6c65 a3776562 a3696478 a131");
    expect({ ...decodeTags(meta) }).toEqual({ role: "web", idx: "1" });
    expect(hex(encodeTags({ role: "web", idx: "1" }))).toBe(hex(meta));
  });

  test.each([
    ["of protocol 2 are a role", "776562", { role: "web" }],
    ["may be none", "", { role: "" }],
    ["may be an empty map", "ff80", {}],
    ["may be a nil", "ffc0", {}],
  ])("%s", (_name, meta, tags) => {
    expect({ ...decodeTags(unhex(meta)) }).toEqual(tags);
  });

  test("have a limit, in serf's words", () => {
    const value = "x".repeat(512 - 1 - 1 - 2 - 3);
    expect(encodeTags({ a: value })).toHaveLength(512);
    expect(() => encodeTags({ a: `${value}x` })).toThrow(
      "Encoded length of tags exceeds limit of 512 bytes",
    );
  });
});

test.each<[QueryFilter, string]>([
  [{ kind: "nodes", names: ["node-2"] }, "00 91 a66e6f64652d32"],
  [{ kind: "tag", Tag: "role", Expr: "w.*" }, "01 82 a445787072 a3772e2a a3546167 a4726f6c65"],
])("filter %j", (filter, encoded) => {
  expect(decodeFilter(unhex(encoded))).toEqual(filter);
  expect(hex(encodeFilter(filter))).toBe(hex(unhex(encoded)));
});

test("a filter of an unknown kind is malformed", () => {
  expect(() => decodeFilter(unhex("02 80"))).toThrow("unknown filter type: 2");
  expect(() => decodeFilter(unhex(""))).toThrow("unknown filter type: none");
});

test("the coordinate of a fresh node", () => {
  const vec = `98 ${"cb0000000000000000".repeat(8)}`;
  const encoded = `01 84 aa41646a7573746d656e74 cb0000000000000000 a54572726f72 cb3ff8000000000000
    a6486569676874 cb3ee4f8b588e368f1 a3566563 ${vec}`;
  const coordinate = { Vec: Array(8).fill(0) as number[], Error: 1.5, Adjustment: 0, Height: 1e-5 };
  expect(decodeCoordinate(unhex(encoded))).toEqual(coordinate);
  expect(hex(encodeCoordinate(coordinate))).toBe(hex(unhex(encoded)));
  expect(() => decodeCoordinate(unhex("02 80"))).toThrow("unknown coordinate version: 2");
});

describe("a line of a snapshot", () => {
  test.each([
    [
      "alive: a node with blanks 10.0.0.1:8301\n",
      { kind: "alive", name: "a node with blanks", address: "10.0.0.1:8301" },
    ],
    ["alive: n [fe80::1]:8301\n", { kind: "alive", name: "n", address: "[fe80::1]:8301" }],
    ["not-alive: n o\n", { kind: "not-alive", name: "n o" }],
    ["clock: 7\n", { kind: "clock", time: 7 }],
    ["event-clock: 0\n", { kind: "event-clock", time: 0 }],
    ["query-clock: 9007199254740991\n", { kind: "query-clock", time: Number.MAX_SAFE_INTEGER }],
    ["leave\n", { kind: "leave" }],
  ] as const)("%j", (line, read) => {
    expect(decodeSnapshotLine(line)).toEqual(read);
    expect(encodeSnapshotLine(read)).toBe(line);
  });

  test.each(["# a comment\n", "coordinate: {}\n"])("%j is skipped", (line) => {
    expect(decodeSnapshotLine(line)).toEqual({ kind: "skipped" });
  });

  test.each([
    "alive: node-1 127.0.0.1:79",
    "alive: node-1\n",
    "clock: seven\n",
    "clock: -1\n",
    "clock: 99999999999999999999\n",
    "later: 1\n",
    "\n",
    "",
  ])("%j is to be warned about", (line) => {
    expect(() => decodeSnapshotLine(line)).toThrow(
      expect.objectContaining({ code: "wire/malformed" }) as Error,
    );
  });
});
