/**
 * Regular expressions in RE2's syntax, as Go's regexp/syntax reads it with its Perl flags: what it accepts is
 * accepted, and what it refuses is refused in its words (go.dev/s/re2syntax).
 *
 * Whether a text matches at all does not depend on which groups capture or which repetitions are lazy; what they
 * capture does (`re2-captures.ts`).
 */
import { rangeItem, type CharClass, type ClassItem } from "./re2-class.ts";
import { parseClass } from "./re2-class-syntax.ts";
import { escapedSet, parseEscape, syntaxError } from "./re2-escape.ts";

export type Assertion =
  | "textBegin"
  | "textEnd"
  | "lineBegin"
  | "lineEnd"
  | "wordBoundary"
  | "noWordBoundary";

export type Regex =
  | Readonly<{ kind: "class"; class: CharClass }>
  | Readonly<{ kind: "assert"; what: Assertion }>
  | Readonly<{ kind: "concat"; parts: readonly Regex[] }>
  | Readonly<{ kind: "alternate"; branches: readonly Regex[] }>
  /** Groups are counted from 1, by where they open. */
  | Readonly<{ kind: "capture"; group: number; body: Regex }>
  /** `max` undefined: without end. Lazy: as few as will do. */
  | Readonly<{
      kind: "repeat";
      body: Regex;
      min: number;
      max: number | undefined;
      lazy: boolean;
    }>;

interface Flags {
  readonly foldCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  /** Repetitions are lazy where they are greedy otherwise, and the reverse. */
  readonly swapGreed: boolean;
}

/** A group that is open, or the whole expression. */
interface Frame {
  /** Finished branches, before the last `|`. */
  readonly branches: Regex[];
  parts: Regex[];
  /** What the flags were outside. */
  readonly outerFlags: Flags;
  /** 0: it does not capture. */
  readonly group: number;
}

const MAX_REPEAT = 1000;
/** So that walking the tree may recurse. */
const MAX_GROUP_DEPTH = 200;

const ANY: ClassItem = rangeItem(0, 0x10ffff);
const NEW_LINE: ClassItem = rangeItem(0x0a, 0x0a);

const ESCAPED_ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: "textBegin",
  z: "textEnd",
  b: "wordBoundary",
  B: "noWordBoundary",
};

/** @throws {RollcallError} `request/refused`, "error parsing regexp: ..." */
export function parseRegex(pattern: string): Regex {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #pattern: string;
  #at = 0;
  #flags: Flags = { foldCase: false, multiLine: false, dotAll: false, swapGreed: false };
  readonly #outer: Frame[] = [];
  #frame: Frame = { branches: [], parts: [], outerFlags: this.#flags, group: 0 };
  #groupCount = 0;
  /** Where the repetition starts that ends right here, if one does. */
  #repetitionStart: number | undefined;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): Regex {
    while (this.#at < this.#pattern.length) {
      const repetition = this.#repetition();
      if (repetition === undefined) {
        this.#repetitionStart = undefined;
        this.#atom();
      } else {
        this.#repeat(repetition);
      }
    }
    if (this.#outer.length > 0) throw syntaxError("missing closing )", this.#pattern);
    return closed(this.#frame);
  }

  #atom(): void {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    switch (character) {
      case "(":
        return this.#pattern[this.#at + 1] === "?" ? this.#perlGroup() : this.#open(1, true);
      case ")":
        return this.#close();
      case "|":
        this.#frame.branches.push(concat(this.#frame.parts));
        this.#frame.parts = [];
        break;
      case "^":
        this.#frame.parts.push(assert(this.#flags.multiLine ? "lineBegin" : "textBegin"));
        break;
      case "$":
        this.#frame.parts.push(assert(this.#flags.multiLine ? "lineEnd" : "textEnd"));
        break;
      case ".":
        this.#frame.parts.push(
          classOf([this.#flags.dotAll ? ANY : NEW_LINE], { negated: !this.#flags.dotAll }),
        );
        break;
      case "[": {
        const { items, negated, end } = parseClass(this.#pattern, this.#at);
        const { foldCase } = this.#flags;
        this.#frame.parts.push(classOf(items, { negated, foldCase }));
        this.#at = end;
        return;
      }
      case "\\":
        return this.#escaped();
      default:
        this.#literal(character);
    }
    this.#at += character.length;
  }

  #literal(character: string): void {
    const code = character.codePointAt(0) ?? 0;
    this.#frame.parts.push(classOf([rangeItem(code, code)], { foldCase: this.#flags.foldCase }));
  }

  #open(sizeChars: number, captures: boolean): void {
    if (this.#outer.length >= MAX_GROUP_DEPTH) {
      throw syntaxError("expression nests too deeply", this.#pattern);
    }
    this.#at += sizeChars;
    this.#outer.push(this.#frame);
    const group = captures ? ++this.#groupCount : 0;
    this.#frame = { branches: [], parts: [], outerFlags: this.#flags, group };
  }

  #close(): void {
    const outer = this.#outer.pop();
    if (outer === undefined) throw syntaxError("unexpected )", this.#pattern);
    const body = closed(this.#frame);
    const { group } = this.#frame;
    outer.parts.push(group === 0 ? body : { kind: "capture", group, body });
    this.#flags = this.#frame.outerFlags;
    this.#frame = outer;
    this.#at++;
  }

  /** `(?P<name>`, `(?i)`, `(?i:`, `(?-s:` and so on, at `(?`. */
  #perlGroup(): void {
    const rest = this.#pattern.slice(this.#at);
    if (/^\(\?P<./su.test(rest)) {
      const opening = /^\(\?P<([^>]*)>/.exec(rest);
      if (opening === null) throw syntaxError("invalid named capture", rest);
      const [whole, name = ""] = opening;
      if (!/^[0-9A-Za-z_]+$/.test(name)) throw syntaxError("invalid named capture", whole);
      return this.#open(whole.length, true);
    }
    const [whole, on = "", off, end] = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest) ?? [];
    if (whole === undefined) {
      const [upToFault = rest] = /^\(\?[imsU]*(?:-[imsU]*)?./su.exec(rest) ?? [];
      throw syntaxError("invalid or unsupported Perl syntax", upToFault);
    }
    const set = (letter: string, before: boolean): boolean =>
      off?.includes(letter) === true ? false : before || on.includes(letter);
    const flags: Flags = {
      foldCase: set("i", this.#flags.foldCase),
      multiLine: set("m", this.#flags.multiLine),
      dotAll: set("s", this.#flags.dotAll),
      swapGreed: set("U", this.#flags.swapGreed),
    };
    if (end === ":") this.#open(whole.length, false);
    else this.#at += whole.length;
    this.#flags = flags;
  }

  #escaped(): void {
    const letter = this.#pattern[this.#at + 1] ?? "";
    const assertion = ESCAPED_ASSERTIONS[letter];
    if (assertion !== undefined) {
      this.#frame.parts.push(assert(assertion));
      this.#at += 2;
      return;
    }
    if (letter === "Q") return this.#quoted();
    const set = escapedSet(this.#pattern, this.#at);
    if (set !== undefined) {
      this.#frame.parts.push(classOf([set.item], { foldCase: this.#flags.foldCase }));
      this.#at = set.end;
      return;
    }
    const { code, end } = parseEscape(this.#pattern, this.#at);
    this.#literal(String.fromCodePoint(code));
    this.#at = end;
  }

  /** `\Q...\E`, or up to the end. */
  #quoted(): void {
    const start = this.#at + 2;
    const end = this.#pattern.indexOf("\\E", start);
    for (const character of this.#pattern.slice(start, end === -1 ? undefined : end)) {
      this.#literal(character);
    }
    this.#at = end === -1 ? this.#pattern.length : end + 2;
  }

  #repetition(): { min: number; max: number | undefined; end: number } | undefined {
    const end = this.#at + 1;
    switch (this.#pattern.charAt(this.#at)) {
      case "*":
        return { min: 0, max: undefined, end };
      case "+":
        return { min: 1, max: undefined, end };
      case "?":
        return { min: 0, max: 1, end };
      case "{": {
        COUNT.lastIndex = this.#at;
        const [whole, low, comma, high] = COUNT.exec(this.#pattern) ?? [];
        if (whole === undefined) return undefined;
        const min = Number(low);
        const max = high === undefined ? (comma === undefined ? min : undefined) : Number(high);
        if (min > MAX_REPEAT || (max !== undefined && (max > MAX_REPEAT || max < min))) {
          throw syntaxError("invalid repeat count", whole);
        }
        return { min, max, end: this.#at + whole.length };
      }
      default:
        return undefined;
    }
  }

  #repeat(repetition: { min: number; max: number | undefined; end: number }): void {
    const start = this.#at;
    const { min, max } = repetition;
    const isMarked = this.#pattern[repetition.end] === "?";
    const end = isMarked ? repetition.end + 1 : repetition.end;
    if (this.#repetitionStart !== undefined) {
      const both = this.#pattern.slice(this.#repetitionStart, end);
      throw syntaxError("invalid nested repetition operator", both);
    }
    const text = this.#pattern.slice(start, end);
    const body = this.#frame.parts.pop();
    if (body === undefined) {
      throw syntaxError("missing argument to repetition operator", text);
    }
    const lazy = isMarked !== this.#flags.swapGreed;
    const repeated: Regex = { kind: "repeat", body, min, max, lazy };
    if ((min >= 2 || (max ?? 0) >= 2) && !mayRepeat(repeated, MAX_REPEAT)) {
      throw syntaxError("invalid repeat count", text);
    }
    this.#frame.parts.push(repeated);
    this.#repetitionStart = start;
    this.#at = end;
  }
}

/** Numbers without leading zeros, or it is no repetition but plain text. */
const COUNT = /\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}/y;

/** Nested repetitions multiply: `(a{30}){40}` would be 1200 copies. */
function mayRepeat(regex: Regex, limit: number): boolean {
  switch (regex.kind) {
    case "repeat": {
      const count = regex.max ?? regex.min;
      if (regex.max === 0) return true;
      return count <= limit && mayRepeat(regex.body, count > 0 ? Math.floor(limit / count) : limit);
    }
    case "concat":
      return regex.parts.every((part) => mayRepeat(part, limit));
    case "alternate":
      return regex.branches.every((branch) => mayRepeat(branch, limit));
    case "capture":
      return mayRepeat(regex.body, limit);
    case "class":
    case "assert":
      return true;
  }
}

function classOf(
  items: readonly ClassItem[],
  options: { readonly negated?: boolean; readonly foldCase?: boolean },
): Regex {
  const { negated = false, foldCase = false } = options;
  return { kind: "class", class: { items, negated, foldCase } };
}

function assert(what: Assertion): Regex {
  return { kind: "assert", what };
}

function concat(parts: readonly Regex[]): Regex {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : { kind: "concat", parts };
}

function closed({ branches, parts }: Frame): Regex {
  const last = concat(parts);
  return branches.length === 0 ? last : { kind: "alternate", branches: [...branches, last] };
}
