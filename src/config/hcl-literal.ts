/** What the text of an HCL literal stands for: strings with escapes, heredocs, numbers. */
import { goQuote } from "../model/index.ts";
import type { Value } from "./value.ts";

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};
const CODE = /^(?:([0-7]{3})|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/;
const INT64_MAX = 2n ** 63n - 1n;

/** @returns undefined when the quotes do not enclose a string that the scanner would accept */
export function unquote(quoted: string): string | undefined {
  if (quoted.length < 2 || !quoted.startsWith('"') || !quoted.endsWith('"')) return undefined;
  const body = quoted.slice(1, -1);
  let text = "";
  let braces = 0;
  for (let i = 0; i < body.length; i++) {
    const char = body[i] ?? "";
    if (braces === 0 && char === "$" && body[i + 1] === "{") {
      braces = 1;
      text += "${";
      i++;
    } else if (braces > 0) {
      if (char === "{") braces++;
      if (char === "}") braces--;
      text += char;
    } else if (char === "\n" || char === '"') {
      return undefined;
    } else if (char === "\\") {
      const escape = readEscape(body, i + 1);
      if (escape === undefined) return undefined;
      text += escape.text;
      i += escape.length;
    } else {
      text += char;
    }
  }
  return braces === 0 ? text : undefined;
}

function readEscape(body: string, from: number): { text: string; length: number } | undefined {
  const simple = SIMPLE[body[from] ?? ""];
  if (simple !== undefined) return { text: simple, length: 1 };
  const match = CODE.exec(body.slice(from, from + 9));
  if (match === null) return undefined;
  const [whole, octal, ...hex] = match;
  const code =
    octal === undefined ? Number.parseInt(hex.find(Boolean) ?? "", 16) : Number.parseInt(octal, 8);
  if (code > 0x10_ff_ff || (octal !== undefined && code > 0xff)) return undefined;
  return { text: String.fromCodePoint(code), length: whole.length };
}

/**
 * The lines between the anchors, each with its line break. With `<<-` the whitespace before the closing
 * anchor is taken off every line, provided that every line has it.
 */
export function heredocText(token: string): string {
  const firstBreak = token.indexOf("\n");
  const lines = token.slice(firstBreak + 1).split("\n");
  if (lines.at(-1) === "") lines.pop();
  const closing = lines.pop() ?? "";
  const indent = /^\s*/.exec(closing)?.[0] ?? "";
  const strip =
    token.startsWith("<<-") && indent !== "" && lines.every((line) => line.startsWith(indent));
  return lines.map((line) => `${strip ? line.slice(indent.length) : line}\n`).join("");
}

/** @returns the value, or Go's words for what is wrong with the number */
export function numberValue(text: string, kind: "int" | "float"): Value | string {
  const negative = text.startsWith("-");
  const digits = negative ? text.slice(1) : text;
  if (kind === "float") {
    const value = Number(digits);
    const sign = negative ? -1 : 1;
    if (Number.isFinite(value)) return { kind, value: sign * value };
    const reason = Number.isNaN(value) ? "invalid syntax" : "value out of range";
    return `strconv.ParseFloat: parsing ${goQuote(text)}: ${reason}`;
  }
  const octal = /^0[0-7]+$/.test(digits);
  const valid = octal || /^(?:0|[1-9][0-9]*|0[xX][0-9A-Fa-f]+)$/.test(digits);
  if (!valid) return `strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`;
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  if (value > INT64_MAX) {
    return `strconv.ParseInt: parsing ${goQuote(text)}: value out of range`;
  }
  return { kind, value: (negative ? -1 : 1) * Number(value) };
}
