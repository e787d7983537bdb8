/**
 * Regular expressions on the command line. That of `members -status` only ever sees the name of a status, so that
 * even a pattern made to be slow has nothing to be slow on; those of `event` are run by the agents, not here.
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
    const reason = goComplaint(pattern, error) ?? `error parsing regexp: ${messageOf(error)}`;
    throw new Failure(`Failed to compile status regexp: ${reason}`);
  }
}

/**
 * What is certainly wrong with a pattern for others to run: what only JavaScript does not know may be good Go.
 * @returns `error parsing regexp: missing closing ): …`
 */
export function patternFault(pattern: string): string | undefined {
  try {
    new RegExp(pattern, "u").test("");
    return undefined;
  } catch (error) {
    return goComplaint(pattern, error);
  }
}

function goComplaint(pattern: string, error: unknown): string | undefined {
  const said = messageOf(error);
  const known = COMPLAINTS.find(([part]) => said.includes(part));
  return known && `error parsing regexp: ${known[1]}: \`${pattern}\``;
}
