/**
 * Sets of characters in a regular expression: which exist, and a test for membership.
 *
 * A set is kept as the inside of a JavaScript class. A class that is tested against one character cannot
 * backtrack, and JavaScript brings Unicode's properties and its simple case folding, which is RE2's.
 */

/** What a class is made of: the inside of `[...]`, or everything but that. */
export interface ClassItem {
  readonly source: string;
  readonly negated: boolean;
  /** The same as numbers, where it is one range. */
  readonly range?: Range;
}
interface Range {
  readonly low: number;
  readonly high: number;
}
export interface CharClass {
  readonly items: readonly ClassItem[];
  readonly negated: boolean;
  readonly foldCase: boolean;
}
export type CharTest = (code: number) => boolean;

export function rangeItem(low: number, high: number): ClassItem {
  return { source: `${escaped(low)}-${escaped(high)}`, negated: false, range: { low, high } };
}

function escaped(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

const PERL_CLASSES: Readonly<Record<string, string>> = {
  d: "0-9",
  s: "\\t\\n\\f\\r ",
  w: "0-9A-Za-z_",
};

/** The set of `\d`, `\S` and so on, by the letter. */
export function perlItem(letter: string): ClassItem | undefined {
  const source = PERL_CLASSES[letter.toLowerCase()];
  return source === undefined ? undefined : { source, negated: letter < "a" };
}

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/** The set of `[:alpha:]` or `[:^alpha:]`, written with its brackets and colons. */
export function posixItem(name: string): ClassItem | undefined {
  const [, not, bare = ""] = /^\[:(\^?)([a-z]+):\]$/.exec(name) ?? [];
  const source = Object.hasOwn(POSIX_CLASSES, bare) ? POSIX_CLASSES[bare] : undefined;
  return source === undefined ? undefined : { source, negated: not === "^" };
}

/** The set of `\pL` or `\p{Greek}`: one of Unicode's general categories (one or two letters) or scripts. */
export function unicodeItem(name: string, negated: boolean): ClassItem | undefined {
  if (name === "Any") return { source: "\\u{0}-\\u{10ffff}", negated };
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return undefined;
  const source = name.length <= 2 ? `\\p{gc=${name}}` : `\\p{sc=${name}}`;
  return isValidClass(source) ? { source, negated } : undefined;
}

function isValidClass(source: string): boolean {
  try {
    return new RegExp(`[${source}]`, "u").unicode;
  } catch {
    return false;
  }
}

const ASCII_COUNT = 128;
/** More than these are not looked through one by one. */
const MAX_RANGES = 8;

export function charTest(characters: CharClass): CharTest {
  const { items, negated, foldCase } = characters;
  const ranges = items.flatMap(({ range }) => range ?? []);
  const few = ranges.length === items.length && ranges.length <= MAX_RANGES;
  return few && !foldCase ? inRanges(ranges, negated) : inClass(characters);
}

function inRanges(ranges: readonly Range[], negated: boolean): CharTest {
  const [only] = ranges;
  if (only !== undefined && ranges.length === 1) {
    const { low, high } = only;
    return (code) => (code >= low && code <= high) !== negated;
  }
  return (code) => ranges.some(({ low, high }) => code >= low && code <= high) !== negated;
}

function inClass({ items, negated, foldCase }: CharClass): CharTest {
  const flags = foldCase ? "iu" : "u";
  const positive = items.filter((item) => !item.negated).map((item) => item.source);
  const included = new RegExp(`^[${positive.join("")}]$`, flags);
  const excluded = items
    .filter((item) => item.negated)
    .map((item) => new RegExp(`^[${item.source}]$`, flags));
  const test = (code: number): boolean => {
    const character = String.fromCodePoint(code);
    const isMember = included.test(character) || excluded.some((regex) => !regex.test(character));
    return isMember !== negated;
  };
  const ascii = Array.from({ length: ASCII_COUNT }, (_, code) => test(code));
  return (code) => ascii[code] ?? test(code);
}
