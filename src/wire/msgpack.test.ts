/** Against outputs of Go's codec library (testdata/vectors/msgpack.json), and against itself. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { GOSSIP_BODIES } from "./gossip-messages.ts";
import {
  any,
  bool,
  bytes,
  codecOf,
  duration,
  EndsEarly,
  float32,
  float64,
  int32,
  int64,
  list,
  map,
  MsgpackReader,
  MsgpackWriter,
  nullable,
  omitEmpty,
  sharedBytes,
  struct,
  text,
  time,
  uint16,
  uint32,
  uint64,
  uint8,
  wideUint64,
  ZERO_TIME,
  type Codec,
  type Schema,
} from "./index.ts";
import { ELEMENTS_MAX } from "./msgpack-reader.ts";
import { SERF_BODIES } from "./serf-messages.ts";
import { arbitraryOf, hex, unhex } from "./testkit.ts";

interface Vectors {
  readonly encode: readonly { readonly Name: string; readonly Hex: string }[];
  readonly decode: readonly { readonly Name: string; readonly Result: string }[];
}
const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const VECTORS = JSON.parse(testdata("vectors/msgpack.json").toString()) as Vectors;

const AB = struct({ A: uint8, B: text });
const FLAT = struct({
  Zed: int64,
  Omit: omitEmpty(text),
  Inner: nullable(AB),
  renamed: int64,
  ...struct({ Token: text, AllowStale: bool }).fields,
});
const BIG = struct({
  U8: nullable(bytes),
  I: any,
  D: int64,
  F32: float32,
  F64: float64,
  B: nullable(bytes),
  S: nullable(list(text)),
  SS: nullable(list(AB)),
  M: nullable(map(text)),
  MI: nullable(map(int64)),
  P: nullable(int64),
  T: time,
  PT: nullable(time),
  IP: nullable(bytes),
});
const INSTANT = {
  unixSeconds: 1_619_267_445,
  nanoseconds: 123_456_789,
  zoneMinutes: undefined,
};
const AT = struct({ T: time });

/** Schema and value for what Go wrote, by the name of the vector. */
const WRITTEN: Readonly<Record<string, readonly [Schema, unknown]>> = {
  "int64 0": [int64, 0],
  "int64 1": [int64, 1],
  "int64 127": [int64, 127],
  "int64 128": [int64, 128],
  "int64 255": [int64, 255],
  "int64 256": [int64, 256],
  "int64 65535": [int64, 65_535],
  "int64 65536": [int64, 65_536],
  "int64 4294967295": [int64, 4_294_967_295],
  "int64 4294967296": [int64, 4_294_967_296],
  "int64 9223372036854775807": [wideUint64, 9_223_372_036_854_775_807n],
  "int64 -1": [int64, -1],
  "int64 -32": [int64, -32],
  "int64 -33": [int64, -33],
  "int64 -128": [int64, -128],
  "int64 -129": [int64, -129],
  "int64 -32768": [int64, -32_768],
  "int64 -32769": [int64, -32_769],
  "int64 -2147483648": [int64, -2_147_483_648],
  "int64 -2147483649": [int64, -2_147_483_649],
  "int64 -9223372036854775808": [{ kind: "wide", signed: true }, -9_223_372_036_854_775_808n],
  "uint64 max": [wideUint64, 18_446_744_073_709_551_615n],
  "bool true": [bool, true],
  nil: [any, null],
  "float64 1.5": [float64, 1.5],
  "float32 1.5": [float32, 1.5],
  "float64 5": [float64, 5],
  "string len 0": [text, ""],
  "string len 31": [text, "a".repeat(31)],
  "string len 32": [text, "a".repeat(32)],
  "string len 255": [text, "a".repeat(255)],
  "string len 256": [text, "a".repeat(256)],
  "string len 65535": [text, "a".repeat(65_535)],
  "string len 65536": [text, "a".repeat(65_536)],
  "[]byte len 0": [bytes, new Uint8Array(0)],
  "[]byte len 1": [bytes, Uint8Array.of(0xee)],
  "[]byte len 31": [bytes, new Uint8Array(31).fill(0xee)],
  "[]byte len 32": [bytes, new Uint8Array(32).fill(0xee)],
  "[]byte len 256": [bytes, new Uint8Array(256).fill(0xee)],
  "string len 31 WriteExt": [text, "a".repeat(31)],
  "string len 32 WriteExt": [text, "a".repeat(32)],
  "string len 255 WriteExt": [text, "a".repeat(255)],
  "string len 256 WriteExt": [text, "a".repeat(256)],
  "[]byte len 1 WriteExt": [bytes, Uint8Array.of(0xee)],
  "[]byte len 32 WriteExt": [bytes, new Uint8Array(32).fill(0xee)],
  "[]byte len 256 WriteExt": [bytes, new Uint8Array(256).fill(0xee)],
  "[]byte(nil) top level": [bytes, new Uint8Array(0)],
  "struct with nil byte slice field": [struct({ B: nullable(bytes) }), { B: null }],
  "struct with empty byte slice field": [struct({ B: bytes }), { B: new Uint8Array(0) }],
  "Flat zero": [FLAT, { Zed: 0, Omit: "", Inner: null, renamed: 0, Token: "", AllowStale: false }],
  "Flat full": [
    FLAT,
    { Zed: 7, Omit: "o", Inner: { A: 1, B: "x" }, renamed: 3, Token: "t", AllowStale: true },
  ],
  Tagged: [
    struct({ Emb: struct({ Token: text, AllowStale: bool }), X: int64 }),
    { Emb: { Token: "t", AllowStale: true }, X: 1 },
  ],
  "Empty struct": [struct({}), {}],
  "Big zero": [BIG, codecOf(BIG).zero],
  "Big full": [
    BIG,
    {
      U8: Uint8Array.of(9),
      I: "i",
      D: 1_500_000_000,
      F32: 1,
      F64: 2,
      B: Uint8Array.of(1, 2),
      S: ["a", "b"],
      SS: [{ A: 1, B: "q" }],
      M: { k: "v" },
      MI: { k: 1 },
      P: 1,
      T: INSTANT,
      PT: INSTANT,
      IP: Uint8Array.of(10, 0, 0, 1),
    },
  ],
  "time UTC": [AT, { T: INSTANT }],
  "time -05:00": [AT, { T: { unixSeconds: 1_619_285_445, nanoseconds: 0, zoneMinutes: -300 } }],
  "time zero": [AT, { T: ZERO_TIME }],
  "interface map": [struct({ C: map(any) }), { C: { m: { a: ["x", 1n, 1.5, true, null] } } }],
};

test.each(VECTORS.encode)("$Name is written as Go does, and read again", ({ Name, Hex }) => {
  const [schema, value] = WRITTEN[Name] ?? [];
  if (schema === undefined) throw new Error("a vector without a row");
  const codec = codecOf(schema) as Codec<unknown>;
  const into = new MsgpackWriter({ extended: Name.includes("WriteExt") });
  codec.write(into, value);
  expect(shortHex(into.finish())).toBe(Hex);
  expect(codec.decode(into.finish())).toEqual(value);
});

const GO_ERROR = "ERROR";
/** Schema, and what Go made of the bytes that end the name of the vector. */
const READ: Readonly<Record<string, readonly [Schema, unknown]>> = {
  "string<-str8 d90161": [text, "a"],
  "string<-bin8 c40161": [text, GO_ERROR],
  "string<-nil c0": [text, ""],
  "bytes<-bin8 c40161": [bytes, Uint8Array.of(97)],
  "bytes<-str8 d90161": [bytes, Uint8Array.of(97)],
  "bytes<-fixstr a161": [bytes, Uint8Array.of(97)],
  "uint8<-256 cd0100": [uint8, GO_ERROR],
  "uint64<-int8 5 d005": [uint64, 5],
  "uint64<-int8 -1 d0ff": [uint64, GO_ERROR],
  "int64<-uint64 cf00000000000000ff": [int64, 255],
  "int64<-float cb3ff0000000000000": [int64, GO_ERROR],
  "bool<-1 01": [bool, true],
  "bool<-0 00": [bool, false],
  "float<-int 05": [float64, 5],
  "float<-float32 ca3fc00000": [float64, 1.5],
  "struct unknown key ignored 82a14101a15a02": [AB, { A: 1, B: "" }],
  "struct missing key 81a14107": [AB, { A: 7, B: "" }],
  "struct from array (declaration order) 9203a171": [AB, { A: 3, B: "q" }],
  "struct nil field 82a141c0a142c0": [AB, { A: 0, B: "" }],
  "struct lower-case key 81a16107": [AB, { A: 0, B: "" }],
  "struct<-nil c0": [AB, { A: 0, B: "" }],
  "[]string with nil elem 92a161c0": [list(text), ["a", ""]],
};
/** Go has nil for a list refused only at the top; here it is empty there as everywhere. */
const MORE_TOLERANT = "[]string<-nil c0";

test.each(VECTORS.decode.filter(({ Name }) => Name !== MORE_TOLERANT))(
  "$Name is read as Go does",
  ({ Name, Result }) => {
    const [schema, value] = READ[Name] ?? [];
    if (schema === undefined) throw new Error("a vector without a row");
    const decode = () => codecOf(schema).decode(unhex(Name.slice(Name.lastIndexOf(" "))));
    expect(Result.startsWith(GO_ERROR)).toBe(value === GO_ERROR);
    if (value === GO_ERROR) expect(decode).toThrow(malformedError());
    else expect(decode()).toEqual(value);
  },
);

const SCHEMAS: readonly (readonly [string, Schema])[] = [
  ...Object.entries(GOSSIP_BODIES),
  ...Object.entries(SERF_BODIES).map(([kind, schema]) => [`serf ${kind}`, schema] as const),
  ["every kind", struct({ ...BIG.fields, any, wide: wideUint64, i: int32, shared: sharedBytes })],
];

test.each(SCHEMAS)("%s: what was written is read again", (_name, schema) => {
  const codec = codecOf(schema);
  fc.assert(
    fc.property(arbitraryOf(schema), (value) => {
      expect(codec.decode(codec.encode(value))).toEqual(value);
    }),
  );
});

test.each(SCHEMAS)("%s: every truncation asks for more", (_name, schema) => {
  const codec = codecOf(schema);
  fc.assert(
    fc.property(arbitraryOf(schema), fc.nat(), (value, cut) => {
      const encoded = codec.encode(value);
      const kept = cut % encoded.length;
      const needed = neededOf(() => codec.decode(encoded.subarray(0, kept)));
      expect(needed).toBeGreaterThan(kept);
      expect(needed).toBeLessThanOrEqual(encoded.length);
    }),
    { numRuns: 50 },
  );
});

test("keys that are unknown are skipped, whatever they hold", () => {
  const codec = codecOf(AB);
  fc.assert(
    fc.property(arbitraryOf(any), arbitraryOf(AB), (unknown, value) => {
      const into = new MsgpackWriter();
      into.mapHeader(3);
      into.text("B");
      into.text(value.B);
      into.text("new");
      codecOf(any).write(into, unknown);
      into.text("A");
      into.integer(value.A);
      expect(codec.decode(into.finish())).toEqual(value);
    }),
  );
});

test.each([
  ["ext 8", "c7 03 01 aabbcc"],
  ["ext 16", "c8 0003 01 aabbcc"],
  ["ext 32", "c9 00000003 01 aabbcc"],
  ["fixext 1", "d4 01 aa"],
  ["fixext 2", "d5 01 aabb"],
  ["fixext 4", "d6 01 aabbccdd"],
  ["fixext 8", "d7 01 aabbccddaabbccdd"],
  ["fixext 16", "d8 01 aabbccddaabbccddaabbccddaabbccdd"],
  ["bin 16", "c5 0001 aa"],
  ["float 32", "ca 00000000"],
])("an unknown key may hold %s", (_name, value) => {
  const encoded = unhex(`82 a15a ${value} a141 05`);
  expect(codecOf(AB).decode(encoded)).toEqual({ A: 5, B: "" });
  expect(() => codecOf(any).decode(unhex("c1"))).toThrow(malformedError());
});

test.each([
  ["the last of two equal keys counts", "82 a14101 a14102", { A: 2, B: "" }],
  ["keys in another order", "82 a142a162 a14101", { A: 1, B: "b" }],
  ["what follows is not looked at", "81 a14101 ffff", { A: 1, B: "" }],
  ["a longer list than fields", "93 01 a162 c3", { A: 1, B: "b" }],
])("%s", (_name, encoded, value) => {
  expect(codecOf(AB).decode(unhex(encoded))).toEqual(value);
});

test.each([
  ["a list of four thousand millions", list(any), "dd ffffffff"],
  ["a map of four thousand millions", map(any), "df ffffffff"],
  ["text of four gigabytes", text, "db ffffffff"],
  ["more elements than bytes", list(text), "dc ffff a0a0"],
])("%s is not believed", (_name, schema, encoded) => {
  expect(() => codecOf(schema).decode(unhex(encoded))).toThrow(malformedError());
});

test("a message cannot be blown up to more elements than the limit", () => {
  const many = Buffer.alloc(ELEMENTS_MAX + 6, 0xc0);
  many.set([0xdd, 0, (ELEMENTS_MAX + 1) >> 16, ((ELEMENTS_MAX + 1) >> 8) & 0xff, 1]);
  expect(() => codecOf(list(any)).decode(many)).toThrow("too many elements");
  const nested = Buffer.alloc(100, 0x91);
  expect(() => codecOf(any).decode(nested)).toThrow("nested too deeply");
  const skipped = Buffer.concat([unhex("81 a15a"), Buffer.alloc(200_000, 0x91), unhex("c0")]);
  expect(codecOf(AB).decode(skipped)).toEqual({ A: 0, B: "" });
});

test.each([
  ["integers that are not exact", uint64, "cf 0020000000000000"],
  ["negative for unsigned", wideUint64, "ff"],
  ["a time of another version", time, `af 03 ${"00".repeat(14)}`],
  ["a time with a second of nanoseconds", time, `af 01 ${"00".repeat(8)} 3b9aca00 ffff`],
  ["a key that is a number, in a free-form map", any, "81 01 02"],
])("%s are refused", (_name, schema, encoded) => {
  expect(() => codecOf(schema).decode(unhex(encoded))).toThrow(malformedError());
});

test.each([
  [uint16, 65_536],
  [uint32, -1],
  [int64, Number.NaN],
  [int64, 0.5],
  [uint64, 2 ** 53],
])("a number that its field cannot hold is a bug: %j %s", (schema, value) => {
  expect(() => codecOf(schema).encode(value)).toThrow(RangeError);
});

test("a hostile key is a key like any other", () => {
  const decoded = codecOf(map(text)).decode(unhex("81 a95f5f70726f746f5f5f a178"));
  expect(Object.keys(decoded)).toEqual(["__proto__"]);
  expect(decoded["__proto__"]).toBe("x");
});

test("bytes are copies unless they are to be shared", () => {
  const encoded = unhex("a2 0102");
  const copied = codecOf(bytes).decode(encoded);
  const shared = codecOf(sharedBytes).decode(encoded);
  encoded.fill(9);
  expect([...copied]).toEqual([1, 2]);
  expect([...shared]).toEqual([9, 9]);
});

test("a writer is used again, and does not keep what one large message took", () => {
  const into = new MsgpackWriter();
  into.text("x".repeat(1_000_000));
  expect(into.finish()).toHaveLength(1_000_005);
  into.reset().text("ab");
  expect(hex(into.finish())).toBe("a26162");
});

test.each([
  ["ten years", 315_360_000_000_000_000, "cf 0460623fc85e0000"],
  ["a second", 1_000_000_000, "ce 3b9aca00"],
  ["less than none", -1, "ff"],
])("a duration of %s is as long when it comes back", (_, value, encoded) => {
  expect(hex(codecOf(duration).encode(value))).toBe(hex(unhex(encoded)));
  expect(codecOf(duration).decode(unhex(encoded))).toBe(value);
});

test("no duration is longer than Go's", () => {
  expect(hex(codecOf(duration).encode(2 ** 63))).toBe("cf7fffffffffffffff");
  expect(() => codecOf(duration).decode(unhex("cf8000000000000000"))).toThrow(malformedError());
});

test("several values stand one after the other", () => {
  const from = new MsgpackReader(unhex("01 a161 c0"));
  expect([codecOf(uint8).read(from), codecOf(text).read(from), codecOf(any).read(from)]).toEqual([
    1,
    "a",
    null,
  ]);
  expect(from.leftBytes).toBe(0);
});

function neededOf(decode: () => unknown): number {
  try {
    decode();
  } catch (error) {
    if (error instanceof EndsEarly) return error.neededBytes;
    throw error;
  }
  throw new Error("decoded although it is cut off");
}

function malformedError(): object {
  return expect.objectContaining({ code: "wire/malformed" }) as object;
}

/** The vectors show of long outputs only the beginning and the length. */
function shortHex(encoded: Uint8Array): string {
  const whole = hex(encoded);
  return encoded.length > 200 ? `${whole.slice(0, 64)}...(${encoded.length} bytes)` : whole;
}
