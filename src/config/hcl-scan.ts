/**
 * Tokens of HCL 1, the language of Consul's configuration files, with the positions its own scanner reports.
 *
 * A mistake in a token does not stop the scanner: it notes the error and goes on, and the last one noted
 * before parsing stops is the one that is reported. An unterminated string is therefore reported where the
 * file ends, as Consul does. hcl-parse.ts turns tokens into values.
 */
import type { Position } from "./value.ts";

export type TokenType =
  | "ILLEGAL"
  | "EOF"
  | "COMMENT"
  | "IDENT"
  | "NUMBER"
  | "FLOAT"
  | "BOOL"
  | "STRING"
  | "HEREDOC"
  | "LBRACK"
  | "LBRACE"
  | "COMMA"
  | "PERIOD"
  | "RBRACK"
  | "RBRACE"
  | "ASSIGN"
  | "ADD"
  | "SUB";

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly position: Position;
}
export interface ScanError {
  readonly position: Position;
  readonly message: string;
}

const PUNCTUATION: Readonly<Record<string, TokenType>> = {
  "[": "LBRACK",
  "]": "RBRACK",
  "{": "LBRACE",
  "}": "RBRACE",
  ",": "COMMA",
  "=": "ASSIGN",
  "+": "ADD",
};
const EOF = "";
const REPLACEMENT = "\uFFFD";

const isDecimal = (char: string): boolean => char >= "0" && char <= "9";
const isLetter = (char: string): boolean =>
  (char >= "a" && char <= "z") ||
  (char >= "A" && char <= "Z") ||
  char === "_" ||
  (char > "\x7f" && /^\p{L}$/u.test(char));
const isDigit = (char: string): boolean =>
  isDecimal(char) || (char > "\x7f" && /^\p{Nd}$/u.test(char));
const isHex = (char: string): boolean =>
  isDecimal(char) || (char >= "a" && char <= "f") || (char >= "A" && char <= "F");
const isOctal = (char: string): boolean => char >= "0" && char <= "7";
const isSpace = (char: string): boolean =>
  char === " " || char === "\t" || char === "\n" || char === "\r";

export class HclScanner {
  readonly #source: string;
  #offset = 0;
  #line = 1;
  /** Characters read of the current line: 0 just after a line break. */
  #column = 0;
  #lastLineColumn = 0;
  #before = { offset: 0, line: 1, column: 0 };
  /** The last mistake seen; undefined while there was none. */
  error: ScanError | undefined = undefined;

  constructor(source: string) {
    this.#source = source.replaceAll("\r\n", "\n");
  }

  scan(): Token {
    let char = this.#next();
    while (isSpace(char)) char = this.#next();
    const start = this.#before.offset;
    const position = this.#recent();
    const type = this.#token(char);
    return { type, text: this.#source.slice(start, this.#offset), position };
  }

  #token(char: string): TokenType {
    if (isLetter(char)) return this.#identifier(char);
    if (isDecimal(char)) return this.#number();
    const punctuation = PUNCTUATION[char];
    if (punctuation !== undefined) return punctuation;
    switch (char) {
      case EOF:
        return "EOF";
      case '"':
        this.#string();
        return "STRING";
      case "#":
      case "/":
        this.#comment(char);
        return "COMMENT";
      case ".":
        if (!isDecimal(this.#peek())) return "PERIOD";
        this.#digits();
        this.#exponent();
        return "FLOAT";
      case "<":
        this.#heredoc();
        return "HEREDOC";
      case "-":
        if (!isDecimal(this.#peek())) return "SUB";
        this.#next();
        return this.#number();
      default:
        this.#fail("illegal char");
        return "ILLEGAL";
    }
  }

  #identifier(first: string): TokenType {
    let text = "";
    let char = first;
    while (isLetter(char) || isDigit(char) || char === "-" || char === ".") {
      text += char;
      char = this.#next();
    }
    if (char !== EOF) this.#unread();
    return text === "true" || text === "false" ? "BOOL" : "IDENT";
  }

  /** The first digit has been read. */
  #number(): TokenType {
    if (this.#source[this.#offset - 1] === "0" && /[xX]/.test(this.#peek())) {
      this.#next();
      if (!isHex(this.#peek())) {
        this.#next();
        this.#fail("illegal hexadecimal number");
        this.#unread();
      }
      while (isHex(this.#peek())) this.#next();
      return "NUMBER";
    }
    this.#digits();
    let type: TokenType = "NUMBER";
    if (this.#peek() === ".") {
      type = "FLOAT";
      this.#next();
      this.#digits();
    }
    return this.#exponent() ? "FLOAT" : type;
  }

  #digits(): void {
    while (isDecimal(this.#peek())) this.#next();
  }

  #exponent(): boolean {
    if (!/[eE]/.test(this.#peek())) return false;
    this.#next();
    if (/[+-]/.test(this.#peek())) this.#next();
    this.#digits();
    return true;
  }

  #comment(first: string): void {
    if (first === "/" && this.#peek() === "*") {
      this.#next();
      let previous = "";
      let char = this.#next();
      while (!(previous === "*" && char === "/")) {
        if (char === EOF) {
          this.#fail("comment not terminated");
          return;
        }
        previous = char;
        char = this.#next();
      }
      return;
    }
    if (first === "/" && this.#peek() !== "/") {
      this.#fail("expected '/' for comment");
      return;
    }
    let char = this.#next();
    while (char !== "\n" && char !== EOF) char = this.#next();
    if (char !== EOF) this.#unread();
  }

  /** `${ … }` may hold quotes and line breaks; it ends where its braces balance. */
  #string(): void {
    let braces = 0;
    for (;;) {
      const char = this.#next();
      if (char === EOF || (char === "\n" && braces === 0)) {
        this.#fail("literal not terminated");
        return;
      }
      if (char === '"' && braces === 0) return;
      if (braces === 0 && char === "$" && this.#peek() === "{") {
        braces++;
        this.#next();
      } else if (braces > 0 && char === "{") {
        braces++;
      } else if (braces > 0 && char === "}") {
        braces--;
      } else if (char === "\\") {
        this.#escape();
      }
    }
  }

  #escape(): void {
    const char = this.#next();
    if (char !== EOF && 'abfnrtv\\"'.includes(char)) return;
    if (isOctal(char)) this.#escapeDigits(char, isOctal, 3);
    else if (char === "x") this.#escapeDigits(this.#next(), isHex, 2);
    else if (char === "u") this.#escapeDigits(this.#next(), isHex, 4);
    else if (char === "U") this.#escapeDigits(this.#next(), isHex, 8);
    else this.#fail("illegal char escape");
  }

  #escapeDigits(first: string, isOne: (char: string) => boolean, count: number): void {
    let char = first;
    let left = count;
    while (left > 0 && isOne(char)) {
      char = this.#next();
      left--;
    }
    if (left > 0) this.#fail("illegal char escape");
    if (left < count && char !== EOF) this.#unread();
  }

  #heredoc(): void {
    if (this.#next() !== "<") {
      this.#fail("heredoc expected second '<', didn't see it");
      return;
    }
    const anchorStart = this.#offset;
    let char = this.#next();
    if (char === "-") char = this.#next();
    while (isLetter(char) || isDigit(char)) char = this.#next();
    if (char === EOF) {
      this.#fail("heredoc not terminated");
      return;
    }
    if (char !== "\n") {
      this.#fail("invalid characters in heredoc anchor");
      return;
    }
    const anchor = this.#source.slice(anchorStart, this.#offset - 1).replace(/^-/, "");
    if (anchor === "") {
      this.#fail("zero-length heredoc anchor");
      return;
    }
    let lineStart = this.#offset;
    for (;;) {
      char = this.#next();
      if (char === EOF) {
        this.#fail("heredoc not terminated");
        return;
      }
      if (char !== "\n") continue;
      if (this.#source.slice(lineStart, this.#offset - 1).trim() === anchor) return;
      lineStart = this.#offset;
    }
  }

  /** The next character, or EOF, which still moves the position on by one column. */
  #next(): string {
    this.#before = { offset: this.#offset, line: this.#line, column: this.#column };
    const code = this.#source.codePointAt(this.#offset);
    this.#column++;
    if (code === undefined) return EOF;
    const char = String.fromCodePoint(code);
    this.#offset += char.length;
    if (char === "\n") {
      this.#lastLineColumn = this.#column;
      this.#line++;
      this.#column = 0;
    } else if (char === "\0") {
      this.#fail("unexpected null character (0x00)");
      return EOF;
    } else if (char === REPLACEMENT) {
      this.#fail("illegal UTF-8 encoding");
    }
    return char;
  }

  #unread(): void {
    this.#offset = this.#before.offset;
    this.#line = this.#before.line;
    this.#column = this.#before.column;
  }

  #peek(): string {
    const code = this.#source.codePointAt(this.#offset);
    return code === undefined ? EOF : String.fromCodePoint(code);
  }

  /** Where the character just read stands; a line break stands at the end of its line. */
  #recent(): Position {
    return this.#column > 0
      ? { line: this.#line, column: this.#column }
      : { line: this.#line - 1, column: this.#lastLineColumn };
  }

  #fail(message: string): void {
    this.error = { position: this.#recent(), message };
  }
}
