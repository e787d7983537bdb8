/** Go's string literals, which filter expressions quote values with. */
import { decodeKeyText } from "../model/index.ts";

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};
const BYTE = /\\(?:x([0-9a-fA-F]{2})|([0-7]{3}))/y;
const CODE_POINT = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;
const PLAIN = /[^\\\n]+/y;

/**
 * @param literal with its quotes, which are `"` or a backquote and do not occur inside
 * @returns undefined if Go would refuse the literal
 */
export function unquote(literal: string): string | undefined {
  const inside = literal.slice(1, -1);
  if (literal.startsWith("`")) return inside.replaceAll("\r", "");
  if (!/[\\\n]/.test(inside)) return inside;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  const take = (text: string): void => {
    for (const byte of encoder.encode(text)) bytes.push(byte);
  };
  for (let at = 0; at < inside.length;) {
    const plain = matchAt(PLAIN, inside, at);
    const byte = matchAt(BYTE, inside, at);
    const codePoint = matchAt(CODE_POINT, inside, at);
    if (plain !== undefined) {
      take(plain[0]);
      at += plain[0].length;
    } else if (byte !== undefined) {
      const [whole, hex, octal] = byte;
      const value = hex === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(hex, 16);
      if (value > 0xff) return undefined;
      bytes.push(value);
      at += whole.length;
    } else if (codePoint !== undefined) {
      const [whole, short, long] = codePoint;
      const value = Number.parseInt(short ?? long ?? "", 16);
      if (value > 0x10ffff) return undefined;
      take(String.fromCodePoint(value));
      at += whole.length;
    } else {
      const simple = inside[at] === "\\" ? SIMPLE_ESCAPES[inside[at + 1] ?? ""] : undefined;
      if (simple === undefined) return undefined;
      take(simple);
      at += 2;
    }
  }
  return decodeKeyText(Uint8Array.from(bytes));
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text) ?? undefined;
}
