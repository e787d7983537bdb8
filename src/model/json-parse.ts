/**
 * JSON text to values, by the rules of Go's decoder: the first value counts and what follows it is not looked
 * at, the last of equal keys wins, and errors read as Go writes them.
 *
 * JSON.parse does the work where it cannot be told apart from Go: texts without deep nesting, without numbers
 * that a double might bend and without escapes that name half a character. Everything else, and every text that
 * JSON.parse refuses, goes through the scanner below, which keeps numbers as text. The scanner holds its own
 * stack, so that no nesting overflows ours.
 */
import { RollcallError } from "../errors/index.ts";
import { encodeKeyText } from "./key-text.ts";

/** A number that was not proven to be a small integer, as it was written. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A plain `number` was written as digits with at most a sign, fifteen of them at most. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonNumber
  | readonly JsonValue[]
  | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

export function isJsonObject(value: JsonValue): value is JsonObject {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonNumber)
  );
}

const MAX_DEPTH = 10_000;

/** Numbers with a fraction, an exponent or many digits; a surrogate, escaped or not. Strings may match too. */
const NOT_FAST = /(?:^|[:[,])[ \t\r\n]*-?(?:\d+[.eE]|\d{16})|\\u[dD]|[\ud800-\udfff]/;

/** @throws {RollcallError} `request/bad` with Go's text */
export function parseJson(text: string): JsonValue {
  if (!NOT_FAST.test(text) && !mayNestTooDeep(text)) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // The scanner finds out what is wrong, or that it only follows the first value.
    }
  }
  return new Scanner(text).value();
}

/** A text that opens no more lists and objects than may be open at once cannot nest deeper. */
function mayNestTooDeep(text: string): boolean {
  if (text.length <= MAX_DEPTH) return false;
  let opened = 0;
  for (const bracket of ["{", "["]) {
    let at = text.indexOf(bracket);
    for (; at !== -1 && opened <= MAX_DEPTH; at = text.indexOf(bracket, at + 1)) opened++;
  }
  return opened > MAX_DEPTH;
}

type Container = { readonly items: JsonValue[] } | { readonly entries: Entries; key: string };
type Entries = Record<string, JsonValue>;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SMALL_INTEGER = /^-?[0-9]{1,15}$/;
/** The run of a string up to its end, an escape, or what may not stand there. */
const PLAIN_RUN = /[^"\\\u0000-\u001f]*/y;
const LONE_SURROGATES = /[\ud800-\udfff]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const LITERALS: Readonly<Record<string, readonly [word: string, value: JsonValue]>> = {
  t: ["true", true],
  f: ["false", false],
  n: ["null", null],
};

class Scanner {
  readonly #text: string;
  #at = 0;
  /** What is open, outermost first. */
  readonly #open: Container[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  value(): JsonValue {
    this.#skipSpace();
    if (this.#at === this.#text.length) throw new RollcallError("request/bad", "EOF");
    for (;;) {
      let done = this.#scalarOrOpen();
      while (done !== undefined) {
        const container = this.#open.at(-1);
        if (container === undefined) return done.value;
        done = this.#add(container, done.value);
      }
    }
  }

  /** Reads a scalar, or opens a list or an object; an empty one is a value at once. */
  #scalarOrOpen(): { value: JsonValue } | undefined {
    this.#skipSpace();
    const character = this.#text[this.#at] ?? "";
    if (character === '"') return { value: this.#string() };
    if (character === "{" || character === "[") {
      if (this.#open.length >= MAX_DEPTH) throw this.#unexpected("exceeded max depth");
      this.#at++;
      this.#skipSpace();
      return character === "{" ? this.#openObject() : this.#openList();
    }
    const literal = LITERALS[character];
    if (literal !== undefined) return { value: this.#literal(...literal) };
    if (character === "-" || (character >= "0" && character <= "9")) {
      return { value: this.#number() };
    }
    throw this.#unexpected("looking for beginning of value");
  }

  #openObject(): { value: JsonValue } | undefined {
    const entries = Object.create(null) as Entries;
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return { value: entries };
    }
    this.#open.push({ entries, key: this.#key() });
    return undefined;
  }

  #openList(): { value: JsonValue } | undefined {
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return { value: [] };
    }
    this.#open.push({ items: [] });
    return undefined;
  }

  /** Puts a value into the innermost container. Returns that container if it ends here. */
  #add(container: Container, value: JsonValue): { value: JsonValue } | undefined {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if ("items" in container) {
      container.items.push(value);
      if (character !== "," && character !== "]") throw this.#unexpected("after array element");
      this.#at++;
      return character === "]" ? this.#close(container.items) : undefined;
    }
    container.entries[container.key] = value;
    if (character !== "," && character !== "}") {
      throw this.#unexpected("after object key:value pair");
    }
    this.#at++;
    if (character === "}") return this.#close(container.entries);
    this.#skipSpace();
    container.key = this.#key();
    return undefined;
  }

  #close(value: JsonValue): { value: JsonValue } {
    this.#open.pop();
    return { value };
  }

  #key(): string {
    if (this.#text[this.#at] !== '"') {
      throw this.#unexpected("looking for beginning of object key string");
    }
    const key = this.#string();
    this.#skipSpace();
    if (this.#text[this.#at] !== ":") throw this.#unexpected("after object key");
    this.#at++;
    return key;
  }

  #string(): string {
    this.#at++;
    const parts: string[] = [];
    for (;;) {
      PLAIN_RUN.lastIndex = this.#at;
      const run = PLAIN_RUN.exec(this.#text)?.[0] ?? "";
      parts.push(run);
      this.#at += run.length;
      const stop = this.#text[this.#at];
      if (stop === '"') {
        this.#at++;
        return parts.join("").replace(LONE_SURROGATES, "\ufffd");
      }
      if (stop !== "\\") throw this.#unexpected("in string literal");
      this.#at++;
      parts.push(this.#escape());
    }
  }

  #escape(): string {
    const character = this.#text[this.#at] ?? "";
    if (character !== "u") {
      const plain = ESCAPES[character];
      if (plain === undefined) throw this.#unexpected("in string escape code");
      this.#at++;
      return plain;
    }
    this.#at++;
    const start = this.#at;
    for (; this.#at < start + 4; this.#at++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? "")) {
        throw this.#unexpected("in \\u hexadecimal character escape");
      }
    }
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16));
  }

  #literal(word: string, value: JsonValue): JsonValue {
    for (let i = 1; i < word.length; i++) {
      this.#at++;
      if (this.#text[this.#at] !== word[i]) {
        throw this.#unexpected(`in literal ${word} (expecting '${word[i]}')`);
      }
    }
    this.#at++;
    return value;
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const matched = NUMBER.exec(this.#text)?.[0] ?? "";
    const end = this.#at + Math.max(matched.length, 1);
    const fault = numberFault(matched, this.#text, end);
    if (fault !== undefined) {
      this.#at = fault.at;
      throw this.#unexpected(fault.where);
    }
    this.#at = end;
    return SMALL_INTEGER.test(matched) ? Number(matched) : new JsonNumber(matched);
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #unexpected(where: string): RollcallError {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return new RollcallError("request/bad", "unexpected EOF");
    return new RollcallError("request/bad", `invalid character ${quoteLeadByte(code)} ${where}`);
  }
}

/** A number that ends in `-`, `.`, `e` or `e+` was cut short: what stands there instead of a digit? */
function numberFault(
  matched: string,
  text: string,
  end: number,
): { at: number; where: string } | undefined {
  if (matched === "") return { at: end, where: "in numeric literal" };
  const next = text[end];
  if (next === "." && !/[.eE]/.test(matched)) {
    return { at: end + 1, where: "after decimal point in numeric literal" };
  }
  if ((next === "e" || next === "E") && !/[eE]/.test(matched)) {
    const sign = text[end + 1];
    const at = sign === "+" || sign === "-" ? end + 2 : end + 1;
    return { at, where: "in exponent of numeric literal" };
  }
  return undefined;
}

const QUOTED: Readonly<Record<string, string>> = {
  "'": "'\\''",
  '"': "'\"'",
  "\\": "'\\\\'",
  "\u0007": "'\\a'",
  "\b": "'\\b'",
  "\f": "'\\f'",
  "\n": "'\\n'",
  "\r": "'\\r'",
  "\t": "'\\t'",
  "\v": "'\\v'",
};

/** Go's scanner sees bytes, and prints the first one of a character as if it were Latin-1. */
function quoteLeadByte(code: number): string {
  const lead = code < 0x80 ? code : (encodeKeyText(String.fromCodePoint(code))[0] ?? 0);
  const character = String.fromCharCode(lead);
  const short = QUOTED[character];
  if (short !== undefined) return short;
  if (lead < 0x20 || lead === 0x7f) return `'\\x${lead.toString(16).padStart(2, "0")}'`;
  return `'${character}'`;
}
