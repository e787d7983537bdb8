/**
 * The regular expression of `members -status`. It only ever sees the name of a status, so that even a pattern
 * made to be slow has nothing to be slow on.
 */
import { messageOf } from "../errors/index.ts";
import { Failure } from "./command.ts";

/** Go's words for what JavaScript finds wrong, by a piece of what it says. */
const COMPLAINTS: readonly [part: string, go: string][] = [
  ["Unterminated group", "missing closing )"],
  ["Unmatched ')'", "unexpected )"],
  ["Unterminated character class", "missing closing ]"],
  ["Nothing to repeat", "missing argument to repetition operator"],
  ["Range out of order", "invalid character class range"],
  ["\\ at end of pattern", "trailing backslash at end of expression"],
];

/** @throws {Failure} `Failed to compile status regexp: …` */
export function compileStatusPattern(pattern: string): (status: string) => boolean {
  try {
    const expression = new RegExp(pattern, "u");
    return (status) => expression.test(status);
  } catch (error) {
    const said = messageOf(error);
    const known = COMPLAINTS.find(([part]) => said.includes(part));
    const reason = known === undefined ? said : `${known[1]}: \`${pattern}\``;
    throw new Failure(`Failed to compile status regexp: error parsing regexp: ${reason}`);
  }
}
