/**
 * Numbers and booleans as text, by the rules of Go's strconv package, with its error texts word for word:
 * clients of Consul see them in answers (`strconv.ParseUint: parsing "-1": invalid syntax`).
 */

/** A value, or the text that says why there is none. */
export type Parsed<T> =
  | Readonly<{ value: T; error?: undefined }>
  | Readonly<{ value?: undefined; error: string }>;

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

export function parseBool(text: string): Parsed<boolean> {
  if (TRUE.has(text)) return { value: true };
  if (FALSE.has(text)) return { value: false };
  return { error: syntaxError("ParseBool", text) };
}

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_INT64 = 2n ** 63n - 1n;

/** Decimal digits, nothing else: no sign, no underscores. */
export function parseUint(text: string): Parsed<bigint> {
  if (!/^[0-9]+$/.test(text)) return { error: syntaxError("ParseUint", text) };
  const value = natural(text);
  if (value > MAX_UINT64) return { error: rangeError("ParseUint", text) };
  return { value };
}

/** A signed decimal. Go's int has 64 bits; beyond what a number holds exactly is out of range here. */
export function atoi(text: string): Parsed<number> {
  if (!/^[+-]?[0-9]+$/.test(text)) return { error: syntaxError("Atoi", text) };
  const negative = text.startsWith("-");
  const magnitude = natural(text.replace(/^[+-]/, ""));
  if (magnitude > BigInt(Number.MAX_SAFE_INTEGER)) return { error: rangeError("Atoi", text) };
  return { value: negative && magnitude > 0n ? -Number(magnitude) : Number(magnitude) };
}

/** Digits by base, each with an optional underscore before it, except where they come first. */
const BASES: readonly (readonly [digits: RegExp, prefix: string])[] = [
  [/^0[xX]((?:_?[0-9a-fA-F])+)$/, "0x"],
  [/^0[bB]((?:_?[01])+)$/, "0b"],
  [/^0[oO]?((?:_?[0-7])+)$/, "0o"],
  [/^(0|[1-9](?:_?[0-9])*)$/, ""],
];

/** Base 0: a prefix 0x, 0b, 0o or 0 chooses the base, and underscores may separate digits. */
export function parseInt64(text: string): Parsed<bigint> {
  const unsigned = text.replace(/^[+-]/, "");
  for (const [pattern, prefix] of BASES) {
    const digits = pattern.exec(unsigned)?.[1];
    if (digits === undefined) continue;
    const magnitude = natural(digits.replaceAll("_", ""), prefix);
    const negative = text.startsWith("-");
    if (magnitude > (negative ? MAX_INT64 + 1n : MAX_INT64)) {
      return { error: rangeError("ParseInt", text) };
    }
    return { value: negative ? -magnitude : magnitude };
  }
  return { error: syntaxError("ParseInt", text) };
}

/** More than 64 bits in any base: what has more digits is out of range whatever they are. */
const MAX_DIGITS = 72;

function natural(digits: string, prefix = ""): bigint {
  const significant = digits.replace(/^0+(?=.)/, "");
  return BigInt(prefix + significant.slice(0, MAX_DIGITS));
}

function syntaxError(parser: string, text: string): string {
  return `strconv.${parser}: parsing ${goQuote(text)}: invalid syntax`;
}
function rangeError(parser: string, text: string): string {
  return `strconv.${parser}: parsing ${goQuote(text)}: value out of range`;
}

const PLAIN = /^[ !#-[\]-~]*$/;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** A Go string literal, as `%q` prints it. Bytes that are not UTF-8 (see `key-text.ts`) become `\xNN`. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return `"${Array.from(text, quoteCharacter).join("")}"`;
}

function quoteCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`;
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  if (PRINTABLE.test(character)) return character;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}
