import { expect, test } from "vitest";
import { validateMetadata } from "./metadata.ts";

const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
const pairFault = (key: string, value: string, fault: string) =>
  `Couldn't load metadata pair ('${key}', '${value}'): ${fault}`;
const long = (character: string, length: number) => character.repeat(length);

// Texts as Consul 1.8.7 answered them.
test.each([
  ["none", null, undefined],
  ["64 pairs", pairs(64), undefined],
  ["65 pairs", pairs(65), "Node metadata cannot contain more than 64 key/value pairs"],
  ["empty key", { "": "x" }, pairFault("", "x", "Key cannot be blank")],
  ["space", { "a b": "x" }, pairFault("a b", "x", "Key contains invalid characters")],
  ["line break", { "a\n": "x" }, pairFault("a\n", "x", "Key contains invalid characters")],
  ["letter beyond ASCII", { é: "x" }, pairFault("é", "x", "Key contains invalid characters")],
  ["key of 128", { [long("a", 128)]: "x" }, undefined],
  [
    "key of 129",
    { [long("a", 129)]: "x" },
    pairFault(long("a", 129), "x", "Key is too long (limit: 128 characters)"),
  ],
  [
    "reserved key",
    { "consul-x": "y" },
    pairFault("consul-x", "y", "Key prefix 'consul-' is reserved for internal use"),
  ],
  ["other case", { "Consul-x": "y" }, undefined],
  ["value of 512", { a: long("v", 512) }, undefined],
  [
    "value of 513",
    { a: long("v", 513) },
    pairFault("a", long("v", 513), "Value is too long (limit: 512 characters)"),
  ],
  [
    "value of 514 bytes",
    { a: long("é", 257) },
    pairFault("a", long("é", 257), "Value is too long (limit: 512 characters)"),
  ],
  [
    "the first of two bad pairs",
    { "z z": "1", "b b": "2" },
    pairFault("b b", "2", "Key contains invalid characters"),
  ],
])("%s", (_name, meta, expected) => {
  expect(validateMetadata(meta, { allowConsulPrefix: false })).toBe(expected);
});

test("the reserved prefix can be allowed", () => {
  const meta = { "consul-network-segment": "" };
  expect(validateMetadata(meta, { allowConsulPrefix: true })).toBeUndefined();
});
