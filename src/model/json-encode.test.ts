import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BLANK_DEFINITION } from "./blank.ts";
import { HealthCheckDefinition, NodeService } from "./catalog.ts";
import { jsonEncoder } from "./json-encode.ts";
import { prettyJson } from "./json-pretty.ts";
import { DirEntry } from "./kv.ts";
import {
  any,
  bool,
  bytes,
  duration,
  float,
  int,
  list,
  map,
  omitEmpty,
  pointer,
  struct,
  text,
  uint64,
  type TSchema,
} from "./schema.ts";

/** The compact text; laid out, it must be what indenting that gives. */
function encode(schema: TSchema, value: unknown): string {
  const compact = jsonEncoder(schema)(value);
  expect(jsonEncoder(schema, "pretty")(value)).toBe(prettyJson(compact));
  return compact;
}
const Point = struct("Point", { X: int(), Y: omitEmpty(int()) });

test.each<[string, TSchema, unknown, string]>([
  ["text", text(), 'a"\\\n\r\t', '"a\\"\\\\\\n\\r\\t"'],
  ["HTML", text(), "<a&b>", '"\\u003ca\\u0026b\\u003e"'],
  ["controls", text(), "\b\f\u0001\u007f", '"\\u0008\\u000c\\u0001\u007f"'],
  ["separators", text(), "\u2028\u2029", '"\\u2028\\u2029"'],
  ["beyond ASCII", text(), "é漢😀", '"é漢😀"'],
  ["raw bytes of a key", text(), "a\udcff", '"a\\ufffd"'],
  ["bool", bool(), false, "false"],
  ["int", int(), -5, "-5"],
  ["64 bits", uint64(), 2n ** 64n - 1n, "18446744073709551615"],
  ["small float", float(), 0.000_000_1, "1e-7"],
  ["float", float(), 0.000_001, "0.000001"],
  ["large float", float(), 1e21, "1e+21"],
  ["whole float", float(), 100_000_000_000_000_000_000, "100000000000000000000"],
  ["negative zero", float(), -0, "-0"],
  ["bytes", bytes(), Uint8Array.of(104, 105), '"aGk="'],
  ["no bytes", bytes(), null, "null"],
  ["empty bytes", bytes(), new Uint8Array(), "null"],
  ["nanoseconds", duration(), 15e9, "15000000000"],
  ["duration as text", duration({ output: "string" }), 15e9, '"15s"'],
  ["list", list(int()), [1, 2], "[1,2]"],
  ["empty list", list(int()), [], "[]"],
  ["no list", list(int()), null, "null"],
  ["list of empty texts", list(text()), ["", ""], '["",""]'],
  [
    "map",
    map(int()),
    { b: 1, a: 2, "<": 3, "\uffff": 4, "😀": 5 },
    '{"\\u003c":3,"a":2,"b":1,"\uffff":4,"😀":5}',
  ],
  ["empty map", map(int()), {}, "{}"],
  ["no map", map(int()), null, "null"],
  ["record", Point, { X: 0, Y: 0 }, '{"X":0}'],
  ["record in order", Point, { Y: 2, X: 1 }, '{"X":1,"Y":2}'],
  ["pointer", pointer(Point), null, "null"],
  [
    "any",
    any(),
    { b: [1, "<", null, true, { z: 1, y: [] }], a: 1.5 },
    '{"a":1.5,"b":[1,"\\u003c",null,true,{"y":[],"z":1}]}',
  ],
])("%s", (_name, schema, value, expected) => {
  expect(encode(schema, value)).toBe(expected);
});

test.each<[TSchema, unknown]>([
  [text(), ""],
  [bool(), false],
  [int(), 0],
  [float(), 0],
  [uint64(), 0n],
  [duration(), 0],
  [bytes(), null],
  [bytes(), new Uint8Array()],
  [list(int()), null],
  [list(int()), []],
  [map(int()), null],
  [map(int()), {}],
  [pointer(Point), null],
  [any(), null],
])("an empty field is left out: %#", (field, value) => {
  const schema = struct("S", { A: text(), F: omitEmpty(field), Z: text() });
  expect(encode(schema, { A: "", F: value, Z: "" })).toBe('{"A":"","Z":""}');
});

test("omitempty keeps a struct that is there, and the first field may be missing", () => {
  const schema = struct("S", {
    F: omitEmpty(text()),
    P: omitEmpty(Point),
    Q: omitEmpty(pointer(Point)),
  });
  const zero = { X: 0, Y: 0 };
  expect(encode(schema, { F: "", P: zero, Q: zero })).toBe('{"P":{"X":0},"Q":{"X":0}}');
});

test("records as Consul prints them", () => {
  expect(
    jsonEncoder(DirEntry)({
      LockIndex: 0,
      Key: "fx/<a&b>",
      Flags: 0n,
      Value: Uint8Array.of(118),
      Session: "",
      CreateIndex: 83,
      ModifyIndex: 83,
    }),
  ).toBe(
    '{"LockIndex":0,"Key":"fx/\\u003ca\\u0026b\\u003e","Flags":0,"Value":"dg==","CreateIndex":83,"ModifyIndex":83}',
  );
  const service = {
    Kind: "",
    ID: "h1",
    Service: "fx-hs",
    Tags: ["t"],
    Address: "",
    TaggedAddresses: null,
    Meta: null,
    Port: 90,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: {
      DestinationServiceName: "",
      DestinationServiceID: "",
      LocalServiceAddress: "",
      LocalServicePort: 0,
      Config: null,
      Upstreams: null,
      MeshGateway: { Mode: "" },
      Expose: { Checks: false, Paths: null },
    },
    Connect: { Native: false },
    CreateIndex: 239,
    ModifyIndex: 239,
  };
  expect(jsonEncoder(NodeService)(service)).toBe(
    '{"ID":"h1","Service":"fx-hs","Tags":["t"],"Address":"","Meta":null,"Port":90,"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{},"CreateIndex":239,"ModifyIndex":239}',
  );
  expect(
    jsonEncoder(HealthCheckDefinition)({ ...BLANK_DEFINITION, HTTP: "http://x", Interval: 5e9 }),
  ).toBe('{"Interval":"5s","HTTP":"http://x"}');
});

test("strings are JSON that reads back the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (value) => {
      const json = encode(text(), value);
      expect(JSON.parse(json)).toBe(value);
      expect(json).not.toMatch(/[<>&\u2028\u2029]/);
    }),
  );
});
