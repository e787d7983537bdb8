import { expect, test } from "vitest";
import { parseCommandFlags, type CommandFlag } from "./flags.ts";

const table: readonly CommandFlag[] = [
  { name: "flags", kind: "uint", help: "" },
  { name: "meta", kind: "pairs", help: "" },
  { name: "cas", kind: "bool", help: "" },
];

test.each([
  ["0", 0n],
  ["18446744073709551615", 2n ** 64n - 1n],
  ["0xFFffFFffFFffFFff", 2n ** 64n - 1n],
  ["0b11", 3n],
  ["0o17", 15n],
  ["017", 15n],
])("-flags=%s", (text, expected) => {
  expect(parseCommandFlags(table, [`-flags=${text}`]).flags.uint("flags")).toBe(expected);
});

test.each([
  [
    ["-flags=18446744073709551616"],
    'invalid value "18446744073709551616" for flag -flags: value out of range',
  ],
  [["-flags", "0".repeat(40)], undefined],
  [
    ["-flags", "9".repeat(4000)],
    `invalid value "${"9".repeat(4000)}" for flag -flags: value out of range`,
  ],
  [["-flags=-1"], 'invalid value "-1" for flag -flags: parse error'],
  [["-flags="], 'invalid value "" for flag -flags: parse error'],
  [["-meta=k"], 'invalid value "k" for flag -meta: Missing "=" value in argument: k'],
  [["-cas=maybe"], 'invalid boolean value "maybe" for -cas: parse error'],
])("%j", (argv, message) => {
  if (message === undefined) expect(parseCommandFlags(table, argv).args).toEqual([]);
  else expect(() => parseCommandFlags(table, argv)).toThrow(message);
});

test("pairs: the last value of a key counts, and a value may hold the separator", () => {
  const { flags, args } = parseCommandFlags(table, [
    "-meta=a=1",
    "-meta",
    "a=b=c",
    "-meta==x",
    "--",
    "-cas",
  ]);
  expect([...flags.pairs("meta")]).toEqual([
    ["a", "b=c"],
    ["", "x"],
  ]);
  expect(args).toEqual(["-cas"]);
});

test("what was not given is empty", () => {
  const { flags } = parseCommandFlags(table, []);
  expect([
    flags.uint("flags"),
    flags.on("cas"),
    flags.pairs("meta").size,
    flags.given("cas"),
  ]).toEqual([0n, false, 0, false]);
});
