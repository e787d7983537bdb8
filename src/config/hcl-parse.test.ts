import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import { parseHcl } from "./hcl-parse.ts";
import { parseJson } from "./json-parse.ts";
import { NESTING_MAX, plainMap, toPlain, type Plain, type PlainMap } from "./value.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 100_000);
/** As long as a hundred thousand may take, for as many as there are. */
const LIMIT_MS = 60_000 * Math.max(1, RUNS / 100_000);

const plain = (text: string): unknown => structuredClone(toPlain(parseHcl(text)));

test.each<[text: string, value: unknown]>([
  ["", {}],
  ["a = 1", { a: 1 }],
  ["a = -1 b = 0x1F c = 017 d = 0 e = -0x10", { a: -1, b: 31, c: 15, d: 0, e: -16 }],
  ["a = 1.5 b = -2.5e3 c = 1e-2 d = .5 e = 2.", { a: 1.5, b: -2500, c: 0.01, d: 0.5, e: 2 }],
  ["a = true b = false", { a: true, b: false }],
  ["a = 1, b = 2\nc = 3", { a: 1, b: 2, c: 3 }],
  [`"a b" = "c"`, { "a b": "c" }],
  ["a-b.c_d = 1", { "a-b.c_d": 1 }],
  [String.raw`a = "x\n\t\"\\\u00e9\U0001F600\x41\101"`, { a: `x\n\t"\\é😀AA` }],
  ['a = "${b("c")} {d}"', { a: '${b("c")} {d}' }],
  ["a = <<EOF\n  x\ny\nEOF\n", { a: "  x\ny\n" }],
  ["a = <<-EOF\n    x\n      y\n    EOF\nb = 1", { a: "x\n  y\n", b: 1 }],
  ["a = <<-EOF\n  x\n    EOF\n", { a: "  x\n" }],
  ["a = <<EOF\nEOF\n", { a: "" }],
  ['a = [] b = [1, "x", true, [2], ]', { a: [], b: [1, "x", true, [2]] }],
  ["a = [{ b = 1 }, { c = 2 }]", { a: [{ b: 1 }, { c: 2 }] }],
  ["a { b = 1 }", { a: { b: 1 } }],
  ["a = { b = 1 }", { a: { b: 1 } }],
  ["a { b = 1 }\na { c = 2 }", { a: [{ b: 1 }, { c: 2 }] }],
  ["a { b = 1 }\na = [{ c = 2 }]", { a: [{ b: 1 }, { c: 2 }] }],
  ["a = [1]\na = [2]", { a: [1, 2] }],
  ["a = 1\na = 2", { a: 2 }],
  ['a "b" "c" { d = 1 }', { a: { b: { c: { d: 1 } } } }],
  ["// x\n# y\n/* z\n*/ a = 1 // w", { a: 1 }],
  ["a = 1\r\nb = 2\r\n", { a: 1, b: 2 }],
  ['{ "a": { "b": [1, 2.5] } }', { a: { b: [1, 2.5] } }],
  ["__proto__ { a = 1 }", JSON.parse('{"__proto__": {"a": 1}}')],
])("%j", (text, value) => {
  expect(plain(text)).toEqual(value);
});

test("numbers written as integers are told from others", () => {
  const kinds = [...parseHcl("a = 1 b = 1.0 c = 1e3 d = 0x10").entries.values()];
  expect(kinds.map(({ kind }) => kind)).toEqual(["int", "float", "float", "int"]);
});

test("depth and length are bounded", () => {
  const deep = (count: number) => `${"a { ".repeat(count)}${"} ".repeat(count)}`;
  expect(() => parseHcl(deep(NESTING_MAX))).not.toThrow();
  for (const text of [deep(NESTING_MAX + 1), `a = ${"[".repeat(100_000)}`, "a { ".repeat(50_000)]) {
    expect(() => parseHcl(text)).toThrow(/nested deeper than 100 levels/);
  }
  expect(() => parseJson(`{"a":${"[".repeat(100_000)}`)).toThrow(/nested deeper than 100 levels/);
  expect(() => parseHcl("#".repeat(17_000_000))).toThrow(/document is longer than/);
});

test("many repeated blocks take time in proportion", () => {
  const blocks = parseHcl("a { b = 1 }\n".repeat(100_000)).entries.get("a");
  expect(blocks?.kind === "list" ? blocks.items.length : 0).toBe(100_000);
});

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
);
const { object } = fc.letrec<{ object: PlainMap; list: readonly Plain[]; value: Plain }>((tie) => ({
  object: fc
    .dictionary(text, tie("value"), { maxKeys: 5 })
    .map((map) => plainMap(Object.entries(map))),
  list: fc.array(tie("value"), { maxLength: 5 }),
  value: fc.oneof({ depthSize: "small" }, scalar, tie("object"), tie("list")),
}));

const hex = (char: string, width: number): string =>
  (char.codePointAt(0) ?? 0).toString(16).padStart(width, "0");
/** The dollar too: before a brace it would begin an interpolation. */
const quoted = (string: string): string =>
  `"${string.replaceAll(/[^ !#%-[\]-~]/gu, (char) => String.raw`\U${hex(char, 8)}`)}"`;

function printed(value: Plain): string {
  if (typeof value === "string") return quoted(value);
  // Digits alone would be an integer, which has 64 bits at most.
  if (typeof value === "number" && !Number.isSafeInteger(value)) return value.toExponential();
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${(value as readonly Plain[]).map(printed).join(", ")}]`;
  const items = Object.entries(value).map(([key, item]) => `${printed(key)} = ${printed(item)}`);
  return `{ ${items.join("\n")} }`;
}

test("a printed object parses back to itself", () => {
  fc.assert(
    fc.property(object, (map) => {
      const document = Object.entries(map)
        .map(([key, value]) => `${printed(key)} = ${printed(value)}`)
        .join("\n");
      expect(toPlain(parseHcl(`a = 0\n${document}`))).toEqual(
        plainMap([["a", 0], ...Object.entries(map)]),
      );
    }),
    { numRuns: 1000 },
  );
});

test("JSON parses to what JSON.parse says", () => {
  fc.assert(
    fc.property(object, fc.nat({ max: 3 }), (map, indent) => {
      const document = JSON.stringify(map, null, indent);
      expect(toPlain(parseJson(document))).toEqual(
        toPlain(parseJson(JSON.stringify(JSON.parse(document)))),
      );
      expect(structuredClone(toPlain(parseJson(document)))).toEqual(JSON.parse(document));
    }),
    { numRuns: 1000 },
  );
});

test("JSON that JSON.parse refuses is refused", () => {
  fc.assert(
    fc.property(mutated('{"a": [1, -2.5e3, true, null], "b": {"c\\u00e9": "\\n"}}'), (document) => {
      let expected: unknown;
      try {
        expected = JSON.parse(document);
      } catch {
        expect(() => parseJson(document)).toThrow(RollcallError);
        return;
      }
      if (typeof expected !== "object" || expected === null || Array.isArray(expected)) return;
      expect(() => parseJson(document)).not.toThrow();
    }),
    { numRuns: 5000 },
  );
});

const JSON_SAMPLE = '{"a": [1, -2.5e3, true, null], "b": {"c\\u00e9": "\\n"}, "b": {"d": {}}}';
const SAMPLE = `# comment
node "a" "b" { c = [1, 2.5, 0x1f, true, "x\\u00e9 \${y("z")}"] }
d = <<-EOT
    text
  EOT
e { f = -1e3 /* g */ } // h
`;

/** The text with pieces cut out, doubled, or replaced by characters that mean something. */
function mutated(sample: string): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(...Array.from('"\\${}[]=,#/*<>-.\n\0\uFFFD019xeEOT')),
    fc.constantFrom('"${', "<<EOT\n", "/*", "{}", "[[", "\\u00", "a {", "0x", "1e", "null", "tru"),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const edit = fc.tuple(fc.nat({ max: sample.length }), fc.nat({ max: 8 }), piece);
  return fc
    .array(edit, { minLength: 1, maxLength: 5 })
    .map((edits) =>
      edits.reduce(
        (document, [at, cut, insert]) => document.slice(0, at) + insert + document.slice(at + cut),
        sample,
      ),
    );
}

const PIECES = Array.from('"\\${}[]=,#/*<>-.\n\0\uFFFD019xeEOT').concat([
  '"${',
  "<<EOT\n",
  "/*",
  "{}",
  "[[",
  "\\u00",
  "a {",
  "0x",
  "1e",
  "null",
  "tru",
  "\u{1F600}",
  "\uD800",
]);

function broken(sample: string, chance: SimRandom): string {
  let document = sample;
  for (let edits = chance.between(1, 5); edits > 0; edits--) {
    const at = chance.between(0, document.length);
    const piece = PIECES[chance.between(0, PIECES.length - 1)] ?? "";
    document = document.slice(0, at) + piece + document.slice(at + chance.between(0, 8));
  }
  return document;
}

test.each(["hcl", "json"] as const)(
  "no mutated document crashes the %s parser",
  { timeout: LIMIT_MS },
  (format) => {
    const parse = format === "hcl" ? parseHcl : parseJson;
    const chance = new SimRandom("fuzz");
    let refused = 0;
    for (let i = 0; i < RUNS; i++) {
      const document = broken(format === "hcl" ? SAMPLE : JSON_SAMPLE, chance);
      try {
        parse(document);
      } catch (error) {
        refused++;
        if (!(error instanceof RollcallError) || error.code !== "config/invalid") {
          throw new Error(`not refused as it should be: ${JSON.stringify(document)}`, {
            cause: error,
          });
        }
      }
    }
    expect(refused).toBeGreaterThan(RUNS / 20);
    expect(refused).toBeLessThan(RUNS);
  },
);
