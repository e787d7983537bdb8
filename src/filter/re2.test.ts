import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRegex as compile } from "./re2-program.ts";
import { RegexBudget } from "./regex-budget.ts";

const compileRegex = (pattern: string) => compile(pattern, new RegexBudget());

describe("matches", () => {
  test.each([
    ["", "anything", true],
    ["n1", "xn1y", true],
    ["^n1$", "n1", true],
    ["^n1$", "n1\n", false],
    ["n.1", "n\n1", false],
    ["(?s)n.1", "n\n1", true],
    ["(?m)^b$", "a\nb\nc", true],
    ["(?i)WEB", "a web b", true],
    ["(?i)straße", "STRAßE", true],
    ["(?i)k", "\u212a", true],
    ["(?i)[^k]", "K", false],
    ["(?i)a(?-i)b", "AB", false],
    ["(?i:a)b", "Ab", true],
    ["(?i:a)b", "AB", false],
    ["((?i)a)b", "AB", false],
    ["a|bc|", "x", true],
    ["^(?:a|bc)+$", "abcbca", true],
    ["^(a*)*$", "aaaa", true],
    ["^(a*)*$", "aab", false],
    ["^a{2,3}$", "a", false],
    ["^a{2,3}$", "aaa", true],
    ["^a{2,3}$", "aaaa", false],
    ["^a{2,}$", "aaaaa", true],
    ["^a{0}$", "", true],
    ["a{,3}", "a{,3}", true],
    ["a{x}", "a{x}", true],
    ["x{01}", "x{01}", true],
    ["^[a-c]+$", "abccba", true],
    ["^[^a-c]$", "\n", true],
    ["^[]a]+$", "]a", true],
    ["^[a-]+$", "a-", true],
    ["^[\\d-z]+$", "5-z", true],
    ["^[[:alpha:]_]+$", "aZ_", true],
    ["^[[:^alpha:]]$", "5", true],
    ["^[[:punct:]]+$", "!/:@[`{~", true],
    ["^\\d\\D\\s\\S\\w\\W$", "5x yz!", true],
    ["\\s", "\v", false],
    ["^\\pL\\PL$", "é5", true],
    ["^\\p{Greek}+$", "αβγ", true],
    ["^[\\p{Lu}\\PL]+$", "A5", true],
    ["^\\p{^Greek}$", "a", true],
    ["\\bweb\\b", "a web-1", true],
    ["\\bweb\\b", "cobweb", false],
    ["\\Bweb", "cobweb", true],
    ["\\Aa\\z", "a", true],
    ["\\Qa.b\\E.", "a.bx", true],
    ["\\Qa.b\\E.", "axbx", false],
    ["\\Qa.", "a.", true],
    ["^\\x41\\x{1F600}\\101\\07\\t$", "A😀A\u0007\t", true],
    ["^.$", "😀", true],
    ["^(?P<name>a)$", "a", true],
    ["(?U)a+?", "a", true],
    ["\\.\\-\\_", ".-_", true],
    ["a^b", "ab", false],
    ["a$b", "ab", false],
    ["$^", "", true],
  ])("%j in %j: %j", (pattern, text, expected) => {
    expect(compileRegex(pattern)(text)).toBe(expected);
  });
});

// Texts as Consul 1.8.7 answered them, without its prefix.
describe("refuses", () => {
  test.each([
    ["n[", "missing closing ]: `[`"],
    ["a[b-", "missing closing ]: `[b-`"],
    ["[z-a]", "invalid character class range: `z-a`"],
    ["[[:nope:]]", "invalid character class range: `[:nope:]`"],
    ["n1(", "missing closing ): `n1(`"],
    ["n1)", "unexpected ): `n1)`"],
    ["*", "missing argument to repetition operator: `*`"],
    ["a|*", "missing argument to repetition operator: `*`"],
    ["(+?)", "missing argument to repetition operator: `+?`"],
    ["(?i)*", "missing argument to repetition operator: `*`"],
    ["a**", "invalid nested repetition operator: `**`"],
    ["a++", "invalid nested repetition operator: `++`"],
    ["x{2}{3}", "invalid nested repetition operator: `{2}{3}`"],
    ["a{1001}", "invalid repeat count: `{1001}`"],
    ["a{2,1}", "invalid repeat count: `{2,1}`"],
    ["(a{30}){40}", "invalid repeat count: `{40}`"],
    ["\\", "trailing backslash at end of expression: ``"],
    ["\\1", "invalid escape sequence: `\\1`"],
    ["\\8", "invalid escape sequence: `\\8`"],
    ["\\C", "invalid escape sequence: `\\C`"],
    ["\\Z", "invalid escape sequence: `\\Z`"],
    ["\\é", "invalid escape sequence: `\\é`"],
    ["\\xzz", "invalid escape sequence: `\\xzz`"],
    ["\\x{zz}", "invalid escape sequence: `\\x{z`"],
    ["\\x{110000}", "invalid escape sequence: `\\x{110000`"],
    ["\\p", "invalid character class range: `\\p`"],
    ["\\p{Nope}", "invalid character class range: `\\p{Nope}`"],
    ["\\p{Letter}", "invalid character class range: `\\p{Letter}`"],
    ["\\p{Greek", "invalid character class range: `\\p{Greek`"],
    ["(?=x)", "invalid or unsupported Perl syntax: `(?=`"],
    ["(?<n>a)", "invalid or unsupported Perl syntax: `(?<`"],
    ["(?>a)", "invalid or unsupported Perl syntax: `(?>`"],
    ["(?iz)", "invalid or unsupported Perl syntax: `(?iz`"],
    ["(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"],
    ["(?i-s-m)", "invalid or unsupported Perl syntax: `(?i-s-`"],
    ["(?P=n)", "invalid or unsupported Perl syntax: `(?P`"],
    ["(?P<n", "invalid named capture: `(?P<n`"],
    ["(?P<a b>x)", "invalid named capture: `(?P<a b>`"],
  ])("%j", (pattern, fault) => {
    expect(() => compileRegex(pattern)).toThrow(
      expect.objectContaining({
        code: "request/refused",
        message: `error parsing regexp: ${fault}`,
      }),
    );
  });
});

test("size and nesting are bounded", () => {
  expect(() => compileRegex("(".repeat(300) + ")".repeat(300))).toThrow("nests too deeply");
  expect(() => compileRegex("(abcdefghijk){1000}")).toThrow("expression too large");
  expect(compileRegex(`^${"a?".repeat(500)}${"a".repeat(500)}$`)("a".repeat(500))).toBe(true);
});

// Each takes a backtracking engine longer than the universe has been there.
test.each(["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(.*)*x$", "(x+x+)+y"])(
  "%s takes linear time",
  (pattern) => {
    expect(compileRegex(pattern)(`${"a".repeat(2_000)}!`)).toBe(false);
    expect(compileRegex(pattern)(`${"x".repeat(2_000)}!`)).toBe(false);
  },
);

/** Patterns that mean the same in JavaScript, and are small enough to be safe there. */
const { pattern: safePattern } = fc.letrec<{ pattern: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      "a",
      "b",
      "é",
      "😀",
      ".",
      "[ab]",
      "[^a]",
      "[a-é]",
      "\\d",
      "\\W",
      "\\b",
      "\\B",
      "^",
      "$",
    ),
    tie("pattern").map((pattern) => `(${pattern})`),
    tie("pattern").map((pattern) => `(?:${pattern})`),
  ),
  pattern: fc
    .array(
      fc.array(
        fc.tuple(tie("atom"), fc.constantFrom("", "", "", "*", "+", "?", "*?", "{2}", "{1,2}")),
        { maxLength: 3 },
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((branches) =>
      branches
        .map((parts) =>
          // JavaScript does not repeat assertions.
          parts
            .map(([atom, count]) => (/^(?:\^|\$|\\[bB])$/.test(atom) ? atom : atom + count))
            .join(""),
        )
        .join("|"),
    ),
}));
const shortText = fc.string({
  unit: fc.constantFrom("a", "b", "c", "é", "😀", "5", " ", "\n"),
  maxLength: 7,
});

test.each(["", "i", "m", "s", "ims"])("agrees with JavaScript, flags %j", (flags) => {
  fc.assert(
    fc.property(safePattern, shortText, (pattern, text) => {
      const ours = compileRegex(flags === "" ? pattern : `(?${flags})${pattern}`);
      expect(ours(text)).toBe(new RegExp(pattern, `u${flags}`).test(text));
    }),
    { numRuns: 300 },
  );
});

test("any pattern is compiled or refused", () => {
  const parts = fc.constantFrom(
    ..."()[]{}*+?|^$.\\-:,<>Pix19dpaé".split(""),
    "(?",
    "[[:",
    ":]",
    "\\p{",
    "\\x{",
    "\\Q",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), shortText, (pieces, text) => {
      try {
        expect(typeof compileRegex(pieces.join(""))(text)).toBe("boolean");
      } catch (error) {
        expect(error).toMatchObject({ code: "request/refused" });
        expect((error as Error).message).toMatch(/^error parsing regexp: /);
      }
    }),
    { numRuns: 2000 },
  );
});
