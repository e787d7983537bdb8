/** What may follow a backslash in RE2's syntax, inside a class and outside. */
import { RollcallError } from "../errors/index.ts";
import { perlItem, unicodeItem, type ClassItem } from "./re2-class.ts";

/** `part` is what Go's text quotes. */
export function syntaxError(fault: string, part: string): RollcallError {
  return new RollcallError("request/refused", `error parsing regexp: ${fault}: \`${part}\``);
}

const CONTROL_CODES: Readonly<Record<string, number>> = {
  a: 0x07,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
};
const OCTAL = /\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/y;
const HEX = /\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})/y;
/** A single escaped character, at the backslash. */
export function parseEscape(pattern: string, at: number): { code: number; end: number } {
  const first = pattern.codePointAt(at + 1);
  if (first === undefined) throw syntaxError("trailing backslash at end of expression", "");
  const character = String.fromCodePoint(first);
  const end = at + 1 + character.length;
  const control = CONTROL_CODES[character];
  if (control !== undefined) return { code: control, end };
  const octal = matchAt(OCTAL, pattern, at);
  if (octal !== undefined)
    return { code: Number.parseInt(octal[0].slice(1), 8), end: at + octal[0].length };
  if (character === "x") {
    const [whole, two, many] = matchAt(HEX, pattern, at) ?? [];
    const code = Number.parseInt(two ?? many ?? "", 16);
    if (whole !== undefined && code <= 0x10ffff) return { code, end: at + whole.length };
    throw syntaxError("invalid escape sequence", badHex(pattern, at));
  }
  // Only ASCII punctuation stands for itself. Letters and digits are kept free for new meanings.
  if (first < 0x80 && !/[0-9A-Za-z]/.test(character)) return { code: first, end };
  throw syntaxError("invalid escape sequence", pattern.slice(at, end));
}

/** How far Go reads into what is no hexadecimal escape: to the first character that does not fit. */
function badHex(pattern: string, at: number): string {
  const [text = "\\x"] = matchAt(/\\x(?:\{0*[0-9a-fA-F]{0,6}.?|[^{].?)?/suy, pattern, at) ?? [];
  const tooLarge = /^(\\x\{0*(?:1[1-9a-fA-F]|[2-9a-fA-F].)....)./su.exec(text)?.[1];
  return tooLarge ?? text;
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text) ?? undefined;
}

/** A set written as `\d`, `\PL` or `\p{Greek}`, at the backslash. */
export function escapedSet(
  pattern: string,
  at: number,
): { item: ClassItem; end: number } | undefined {
  const letter = pattern[at + 1] ?? "";
  if (letter !== "p" && letter !== "P") {
    const item = perlItem(letter);
    return item === undefined ? undefined : { item, end: at + 2 };
  }
  const first = pattern.codePointAt(at + 2);
  if (first === undefined) {
    throw syntaxError("invalid character class range", pattern.slice(at));
  }
  let end = at + 2 + String.fromCodePoint(first).length;
  let name = pattern.slice(at + 2, end);
  if (name === "{") {
    const close = pattern.indexOf("}", at);
    if (close === -1) throw syntaxError("invalid character class range", pattern.slice(at));
    name = pattern.slice(at + 3, close);
    end = close + 1;
  }
  const caret = name.startsWith("^");
  const item = unicodeItem(caret ? name.slice(1) : name, (letter === "P") !== caret);
  if (item === undefined) {
    throw syntaxError("invalid character class range", pattern.slice(at, end));
  }
  return { item, end };
}
