/** Durations in configuration: Go's syntax, and Go's words for what is not. */
import { goQuote, MILLISECOND, parseDuration } from "../model/index.ts";

/**
 * @param text empty means zero
 * @param key where it stands, for the error
 * @param errors takes `<key>: invalid duration: "10": time: missing unit in duration "10"`
 * @returns nanoseconds; 0 after an error
 */
export function readDuration(text: string, key: string, errors: string[]): number {
  if (text === "") return 0;
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined) return nanoseconds;
  errors.push(`${key}: invalid duration: ${goQuote(text)}: ${durationProblem(text)}`);
  return 0;
}

export const toMs = (nanoseconds: number): number => nanoseconds / MILLISECOND;

const UNITS = new Set(["ns", "us", "µs", "μs", "ms", "s", "m", "h"]);

/** Why Go's ParseDuration refuses the text, which it does. */
function durationProblem(text: string): string {
  const quoted = goQuote(text);
  let rest = text.replace(/^[+-]/, "");
  while (rest !== "") {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) break;
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return `time: missing unit in duration ${quoted}`;
    if (!UNITS.has(unit)) {
      return `time: unknown unit ${goQuote(unit)} in duration ${quoted}`;
    }
    rest = rest.slice(unit.length);
  }
  return `time: invalid duration ${quoted}`;
}
