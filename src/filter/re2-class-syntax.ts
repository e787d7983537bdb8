/** Bracket expressions of RE2's syntax: `[a-z]`, `[^[:alpha:]_]`, `[\\d\\pL-]`. */
import { posixItem, rangeItem, type ClassItem } from "./re2-class.ts";
import { escapedSet, parseEscape, syntaxError } from "./re2-escape.ts";

export interface ParsedClass {
  readonly items: readonly ClassItem[];
  readonly negated: boolean;
  /** After the `]`. */
  readonly end: number;
}

/** @param start where the `[` stands */
export function parseClass(pattern: string, start: number): ParsedClass {
  const negated = pattern[start + 1] === "^";
  const items: ClassItem[] = [];
  let at = negated ? start + 2 : start + 1;
  const isFirst = (): boolean => items.length === 0;
  while (pattern[at] !== "]" || isFirst()) {
    const member = classMember(pattern, at, start);
    items.push(member.item);
    at = member.end;
  }
  return { items, negated, end: at + 1 };
}

function classMember(
  pattern: string,
  at: number,
  classStart: number,
): { item: ClassItem; end: number } {
  if (pattern.startsWith("[:", at)) {
    const close = pattern.indexOf(":]", at + 2);
    if (close !== -1) {
      const name = pattern.slice(at, close + 2);
      const item = posixItem(name);
      if (item === undefined) throw syntaxError("invalid character class range", name);
      return { item, end: close + 2 };
    }
  }
  if (pattern[at] === "\\") {
    const set = escapedSet(pattern, at);
    if (set !== undefined) return set;
  }
  const low = classCharacter(pattern, at, classStart);
  const isRange = pattern[low.end] === "-" && pattern[low.end + 1] !== "]";
  if (!isRange || low.end + 1 >= pattern.length) {
    return { item: rangeItem(low.code, low.code), end: low.end };
  }
  const high = classCharacter(pattern, low.end + 1, classStart);
  if (high.code < low.code) {
    throw syntaxError("invalid character class range", pattern.slice(at, high.end));
  }
  return { item: rangeItem(low.code, high.code), end: high.end };
}

function classCharacter(
  pattern: string,
  at: number,
  classStart: number,
): { code: number; end: number } {
  const code = pattern.codePointAt(at);
  if (code === undefined) throw syntaxError("missing closing ]", pattern.slice(classStart));
  if (code === 0x5c) return parseEscape(pattern, at);
  return { code, end: at + String.fromCodePoint(code).length };
}
