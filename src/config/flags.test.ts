import { expect, test } from "vitest";
import { agentFlags } from "./agent-flags.ts";
import { parseFlags, type FlagSpec } from "./flags.ts";
import { keyRow } from "./keys.ts";

// Texts observed of `consul agent` 1.8.7, and of its other commands where they use Go's own flag types.
test.each([
  [["-foo"], "flag provided but not defined: -foo"],
  [["-foo=1"], "flag provided but not defined: -foo"],
  [["--foo=1"], "flag provided but not defined: -foo"],
  [["-bind"], "flag needs an argument: -bind"],
  [["-config-file"], "flag needs an argument: -config-file"],
  [
    ["-http-port=x"],
    'invalid value "x" for flag -http-port: strconv.Atoi: parsing "x": invalid syntax',
  ],
  [
    ["-retry-max=0x10"],
    'invalid value "0x10" for flag -retry-max: strconv.Atoi: parsing "0x10": invalid syntax',
  ],
  [
    ["-raft-protocol=99999999999999999999"],
    'invalid value "99999999999999999999" for flag -raft-protocol: strconv.Atoi: parsing "99999999999999999999": value out of range',
  ],
  [
    ["-server=maybe"],
    'invalid boolean value "maybe" for -server: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [["-ui="], 'invalid boolean value "" for -ui: strconv.ParseBool: parsing "": invalid syntax'],
  [["---x"], "bad flag syntax: ---x"],
  [["-=3"], "bad flag syntax: -=3"],
])("%j is refused: %s", (argv, text) => {
  expect(() => parseFlags(agentFlags, argv)).toThrow(
    expect.objectContaining({ code: "config/invalid", message: text }),
  );
});

const TABLE: readonly FlagSpec[] = [
  { name: "on", kind: "bool" },
  { name: "name", kind: "text" },
  { name: "count", kind: "int" },
  { name: "wait", kind: "duration" },
  { name: "tag", kind: "list" },
  { name: "meta", kind: "pairs" },
  { name: "label", kind: "pairs", separator: ":" },
  { name: "file", kind: "list", joins: "paths" },
  { name: "dir", kind: "list", joins: "paths" },
];

test.each([
  ["-name=v", { name: "v" }, []],
  ["-name v", { name: "v" }, []],
  ["--name v", { name: "v" }, []],
  ["-name=", { name: "" }, []],
  ["-name=a=b", { name: "a=b" }, []],
  ["-name -on", { name: "-on" }, []],
  ["-on", { on: true }, []],
  ["-on=false", { on: false }, []],
  ["-on=F -on=1", { on: true }, []],
  ["-on false -name x", { on: true }, ["false", "-name", "x"]],
  ["-count -3", { count: -3 }, []],
  ["-count 0x10", { count: 16 }, []],
  ["-wait 1m30s", { wait: 90e9 }, []],
  ["-tag a -tag b", { tag: ["a", "b"] }, []],
  ["-file a -dir b -file c", { paths: ["a", "b", "c"] }, []],
  ["-name a -name b", { name: "b" }, []],
  ["-on -- -name x", { on: true }, ["-name", "x"]],
  ["-on - x", { on: true }, ["-", "x"]],
  ["put key -on", {}, ["put", "key", "-on"]],
] as const)("%s", (line, values, rest) => {
  const flags = parseFlags(TABLE, line.split(" "));
  expect(Object.fromEntries(Object.keys(values).map((name) => [name, flags.get(name)]))).toEqual(
    values,
  );
  expect(flags.rest).toEqual(rest);
  expect(flags.help).toBe(false);
});

test("pairs: the value may be missing after a colon, not after an equals sign", () => {
  const argv = ["-meta", "a=b=c", "-meta=d=", "-label", "x:y:z", "-label=w"];
  const flags = parseFlags(TABLE, argv);
  expect(flags.pairs("meta")).toEqual(
    new Map([
      ["a", "b=c"],
      ["d", ""],
    ]),
  );
  expect(flags.pairs("label")).toEqual(
    new Map([
      ["x", "y:z"],
      ["w", ""],
    ]),
  );
  expect(() => parseFlags(TABLE, ["-meta", "a"])).toThrow(
    'invalid value "a" for flag -meta: missing "=" value in argument: "a"',
  );
});

test.each([
  [["-count=x"], 'invalid value "x" for flag -count: parse error'],
  [
    ["-count=99999999999999999999"],
    'invalid value "99999999999999999999" for flag -count: value out of range',
  ],
  [["-wait=5"], 'invalid value "5" for flag -wait: parse error'],
  [["-on=x"], 'invalid boolean value "x" for -on: parse error'],
])("Go's own flag types: %j", (argv, text) => {
  expect(() => parseFlags(TABLE, argv)).toThrow(text);
});

test.each(["-h", "-help", "--help"])("%s asks for help", (argument) => {
  expect(parseFlags(TABLE, ["-on", argument, "-unknown"]).help).toBe(true);
});

test("a flag that was not given is undefined or empty", () => {
  const flags = parseFlags(TABLE, []);
  expect([
    flags.text("name"),
    flags.bool("on"),
    flags.int("count"),
    flags.duration("wait"),
  ]).toEqual([undefined, undefined, undefined, undefined]);
  expect(flags.list("tag")).toEqual([]);
  expect(flags.pairs("meta").size).toBe(0);
  expect(flags.has("name")).toBe(false);
});

test("every agent flag sets a key of the table, of a kind that fits", () => {
  const kinds: Readonly<Record<string, readonly string[]>> = {
    bool: ["flag"],
    int: ["int", "port"],
    text: ["text", "duration"],
    list: ["texts"],
    pairs: ["map"],
  };
  for (const { name, key, kind } of agentFlags) {
    if (key === undefined) continue;
    expect(kinds[kind], name).toContain(keyRow(key)?.type);
  }
  expect(agentFlags.filter(({ key }) => key === undefined).map(({ name }) => name)).toEqual([
    "config-dir",
    "config-file",
    "config-format",
    "dev",
    "hcl",
  ]);
});
