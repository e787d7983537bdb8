/**
 * JSON to values, with the error texts of Go's decoder, which Consul prints, and the place added to them.
 *
 * A configuration file must be one object. Repeated keys: the last one wins. With dialect "hcl" (an HCL file
 * that begins with a brace) numbers without fraction are integers and objects are blocks, as HCL has them.
 */
import { RollcallError } from "../errors/index.ts";
import {
  DOCUMENT_MAX_CHARS,
  NESTING_MAX,
  NULL,
  type MapValue,
  type Position,
  type Value,
} from "./value.ts";

type Dialect = "json" | "hcl";

/**
 * @returns the top-level map; empty for `null`
 * @throws {RollcallError} `config/invalid`: `invalid character '}' looking for beginning of value (line 1, column 6)`
 */
export function parseJson(text: string, dialect: Dialect = "json"): MapValue {
  if (text.length > DOCUMENT_MAX_CHARS) {
    throw new RollcallError(
      "config/invalid",
      `document is longer than ${DOCUMENT_MAX_CHARS} characters`,
    );
  }
  return new Parser(text, dialect).document();
}

const SPACE = /[ \t\r\n]*/y;
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
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
const WORDS: readonly (readonly [string, Value])[] = [
  ["true", { kind: "bool", value: true }],
  ["false", { kind: "bool", value: false }],
  ["null", NULL],
];

class Parser {
  readonly #text: string;
  readonly #dialect: Dialect;
  #offset = 0;
  #depth = 0;

  constructor(text: string, dialect: Dialect) {
    this.#text = text;
    this.#dialect = dialect;
  }

  document(): MapValue {
    this.#space();
    const first = this.#peek();
    const value = first === "{" ? this.#object() : this.#value();
    this.#space();
    if (this.#offset < this.#text.length) throw this.#unexpected("after top-level value");
    if (value.kind === "null") return { kind: "map", entries: new Map() };
    if (value.kind === "map") return value;
    const kinds = { list: "array", string: "string", bool: "bool", int: "number", float: "number" };
    throw new RollcallError(
      "config/invalid",
      `json: cannot unmarshal ${kinds[value.kind]} into Go value of type map[string]interface {}`,
    );
  }

  #value(): Value {
    this.#space();
    const char = this.#peek();
    if (char === "{") {
      const map = this.#object();
      return this.#dialect === "hcl" ? { kind: "list", items: [map], from: "blocks" } : map;
    }
    if (char === "[") return this.#array();
    if (char === '"') return { kind: "string", value: this.#string() };
    if (char === "-" || (char >= "0" && char <= "9")) return this.#number();
    const word = WORDS.find(([name]) => char !== "" && name.startsWith(char));
    if (word === undefined) throw this.#unexpected("looking for beginning of value");
    this.#word(word[0]);
    return word[1];
  }

  #object(): MapValue {
    const entries = new Map<string, Value>();
    this.#enter();
    this.#space();
    if (this.#accept("}")) return this.#leave({ kind: "map", entries });
    for (;;) {
      this.#space();
      if (this.#peek() !== '"')
        throw this.#unexpected("looking for beginning of object key string");
      const key = this.#string();
      this.#space();
      if (!this.#accept(":")) throw this.#unexpected("after object key");
      const value = this.#value();
      // Deleted first: a key given twice takes its last place as well as its last value.
      entries.delete(key);
      entries.set(key, value);
      this.#space();
      if (this.#accept("}")) return this.#leave({ kind: "map", entries });
      if (!this.#accept(",")) throw this.#unexpected("after object key:value pair");
    }
  }

  #array(): Value {
    const items: Value[] = [];
    this.#enter();
    this.#space();
    if (this.#accept("]")) return this.#leave({ kind: "list", items, from: "brackets" });
    for (;;) {
      const value = this.#value();
      const [only] = value.kind === "list" && value.from === "blocks" ? value.items : [];
      items.push(only ?? value);
      this.#space();
      if (this.#accept("]")) return this.#leave({ kind: "list", items, from: "brackets" });
      if (!this.#accept(",")) throw this.#unexpected("after array element");
    }
  }

  #string(): string {
    this.#offset++;
    const parts: string[] = [];
    for (;;) {
      parts.push(this.#match(PLAIN_TEXT));
      if (this.#accept('"')) return parts.join("");
      if (!this.#accept("\\")) throw this.#unexpected("in string literal");
      if (this.#accept("u")) {
        parts.push(this.#hexEscape());
        continue;
      }
      const simple = ESCAPES[this.#peek()];
      if (simple === undefined) throw this.#unexpected("in string escape code");
      this.#offset++;
      parts.push(simple);
    }
  }

  #hexEscape(): string {
    let digits = "";
    while (digits.length < 4) {
      const char = this.#peek();
      if (!/^[0-9A-Fa-f]$/.test(char)) {
        throw this.#unexpected("in \\u hexadecimal character escape");
      }
      digits += char;
      this.#offset++;
    }
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): Value {
    const start = this.#offset;
    this.#accept("-");
    if (!this.#accept("0")) this.#digits("in numeric literal");
    let whole = true;
    if (this.#accept(".")) {
      whole = false;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#accept("e") || this.#accept("E")) {
      whole = false;
      if (!this.#accept("+")) this.#accept("-");
      this.#digits("in exponent of numeric literal");
    }
    const text = this.#text.slice(start, this.#offset);
    const value = Number(text);
    if (!Number.isFinite(value)) {
      throw new RollcallError(
        "config/invalid",
        `json: cannot unmarshal number ${text} into Go value of type float64`,
      );
    }
    return { kind: whole && this.#dialect === "hcl" ? "int" : "float", value };
  }

  #digits(where: string): void {
    if (!/^[0-9]$/.test(this.#peek())) throw this.#unexpected(where);
    while (/^[0-9]$/.test(this.#peek())) this.#offset++;
  }

  #word(word: string): void {
    for (const char of word) {
      if (!this.#accept(char)) {
        throw this.#unexpected(`in literal ${word} (expecting '${char}')`);
      }
    }
  }

  #enter(): void {
    this.#offset++;
    this.#depth++;
    if (this.#depth > NESTING_MAX) {
      throw this.#error(`nested deeper than ${NESTING_MAX} levels`);
    }
  }
  #leave<T>(value: T): T {
    this.#depth--;
    return value;
  }

  #peek(): string {
    return this.#text[this.#offset] ?? "";
  }
  #accept(char: string): boolean {
    if (this.#text[this.#offset] !== char) return false;
    this.#offset++;
    return true;
  }
  #space(): void {
    this.#match(SPACE);
  }
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#offset += found.length;
    return found;
  }

  #unexpected(where: string): RollcallError {
    const code = this.#text.codePointAt(this.#offset);
    if (code === undefined) return this.#error("unexpected end of JSON input");
    return this.#error(`invalid character ${quoteChar(String.fromCodePoint(code))} ${where}`);
  }

  #error(text: string): RollcallError {
    const { line, column } = this.#position();
    return new RollcallError("config/invalid", `${text} (line ${line}, column ${column})`);
  }

  #position(): Position {
    const before = this.#text.slice(0, this.#offset);
    const lines = before.split("\n");
    return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
  }
}

/** As Go quotes a character: `'x'`, `'\n'`, `'\''`, `'"'`. */
function quoteChar(char: string): string {
  if (char === "'") return String.raw`'\''`;
  if (char === '"') return `'"'`;
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}
