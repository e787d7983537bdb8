/**
 * Matching without backtracking (Thompson; Cox, "Regular Expression Matching Can Be Simple And Fast").
 *
 * An expression becomes a program of few kinds of instructions. All ways through it are followed at once, a
 * character at a time, so the work is at most the length of the text times the size of the program, whatever
 * the expression. Both are bounded (`regex-budget.ts`).
 */
import { charTest, type CharTest } from "./re2-class.ts";
import { syntaxError } from "./re2-escape.ts";
import { RegexBudget } from "./regex-budget.ts";
import { parseRegex, type Assertion, type Regex } from "./re2-syntax.ts";

export type CharInstruction = {
  readonly op: "char";
  readonly test: CharTest;
  readonly next: number;
};
export type Instruction =
  | CharInstruction
  | { readonly op: "assert"; readonly what: Assertion; readonly next: number }
  /** Both ways are followed; where it matters, `next` is preferred. */
  | { readonly op: "split"; next: number; other: number }
  /** Notes the position. Only in programs that capture. */
  | { readonly op: "save"; readonly slot: number; readonly next: number }
  | { readonly op: "match" };

/**
 * Compiles a pattern in RE2's syntax.
 *
 * @returns whether a text contains a match; throws when that overdraws the budget
 * @throws {RollcallError} `request/refused`, in Go's words
 */
export function compileRegex(pattern: string, budget: RegexBudget): (text: string) => boolean {
  return matcher(compileProgram(pattern, budget, { captures: false }), budget);
}

/**
 * As `compileRegex`, for a pattern that pays for itself.
 *
 * @throws {RollcallError} `request/refused`, in Go's words
 */
export function regexMatcher(pattern: string): (text: string) => boolean {
  const budget = new RegexBudget();
  const matches = compileRegex(pattern, budget);
  return (text) => {
    budget.nextRecord();
    return matches(text);
  };
}

/** @throws {RollcallError} `request/refused`, in Go's words */
export function compileProgram(
  pattern: string,
  budget: RegexBudget,
  { captures }: { readonly captures: boolean },
): Program {
  return new Compiler(pattern, budget, captures).compile(parseRegex(pattern));
}

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
  /** A match can only begin where the text begins. */
  readonly anchored: boolean;
}

type Repetition = Extract<Regex, { kind: "repeat" }>;

/** Emits instructions from the last to the first, so that each knows where to go on. */
class Compiler {
  readonly #pattern: string;
  readonly #budget: RegexBudget;
  readonly #captures: boolean;
  readonly #instructions: Instruction[] = [];
  /** Equal classes, as in `(abc){100}`, share one test. */
  readonly #tests = new Map<object, CharTest>();

  constructor(pattern: string, budget: RegexBudget, captures: boolean) {
    this.#pattern = pattern;
    this.#budget = budget;
    this.#captures = captures;
  }

  compile(regex: Regex): Program {
    const start = this.#regex(regex, this.#emit({ op: "match" }));
    const first = this.#instructions[start];
    const anchored = first?.op === "assert" && first.what === "textBegin";
    return { instructions: this.#instructions, start, anchored };
  }

  #emit(instruction: Instruction): number {
    if (!this.#budget.takeInstruction()) {
      throw syntaxError("expression too large", this.#pattern);
    }
    return this.#instructions.push(instruction) - 1;
  }

  /** @returns where to enter `regex` so that it goes on at `next` */
  #regex(regex: Regex, next: number): number {
    switch (regex.kind) {
      case "class":
        return this.#emit({ op: "char", test: this.#test(regex.class), next });
      case "assert":
        return this.#emit({ op: "assert", what: regex.what, next });
      case "concat":
        return regex.parts.reduceRight((after, part) => this.#regex(part, after), next);
      case "alternate":
        return regex.branches
          .map((branch) => this.#regex(branch, next))
          .reduceRight((other, entry) => this.#emit({ op: "split", next: entry, other }));
      case "capture":
        return this.#capture(regex.group, regex.body, next);
      case "repeat":
        return this.#repeat(regex, next);
    }
  }

  #capture(group: number, body: Regex, next: number): number {
    if (!this.#captures) return this.#regex(body, next);
    const end = this.#emit({ op: "save", slot: 2 * group + 1, next });
    const entry = this.#regex(body, end);
    return this.#emit({ op: "save", slot: 2 * group, next: entry });
  }

  #repeat({ body, min, max, lazy }: Repetition, next: number): number {
    let entry = next;
    if (max === undefined) {
      entry = this.#loop(body, lazy, next);
    } else {
      for (let i = min; i < max; i++) {
        const once = this.#regex(body, entry);
        entry = this.#emit(
          lazy ? { op: "split", next, other: once } : { op: "split", next: once, other: next },
        );
      }
    }
    for (let i = 0; i < min; i++) entry = this.#regex(body, entry);
    return entry;
  }

  #loop(body: Regex, lazy: boolean, next: number): number {
    const split = { op: "split" as const, next, other: next };
    const entry = this.#emit(split);
    const again = this.#regex(body, entry);
    if (lazy) split.other = again;
    else split.next = again;
    return entry;
  }

  #test(characters: Parameters<typeof charTest>[0]): CharTest {
    const known = this.#tests.get(characters);
    if (known !== undefined) return known;
    const test = charTest(characters);
    this.#tests.set(characters, test);
    return test;
  }
}

function matcher(
  { instructions, start, anchored }: Program,
  budget: RegexBudget,
): (text: string) => boolean {
  /** When each instruction was last reached, as a count of gaps between characters. */
  const reachedAt = new Float64Array(instructions.length);
  let gapCount = 0;
  return (text) => {
    let entries = [start];
    let before: number | undefined;
    for (let at = 0; entries.length > 0;) {
      const after = text.codePointAt(at);
      gapCount++;
      let steps = 1;
      const waiting: CharInstruction[] = [];
      while (entries.length > 0) {
        steps++;
        const index = entries.pop() ?? 0;
        const instruction = instructions[index];
        if (instruction === undefined || reachedAt[index] === gapCount) continue;
        reachedAt[index] = gapCount;
        switch (instruction.op) {
          case "match":
            return true;
          case "char":
            waiting.push(instruction);
            break;
          case "split":
            entries.push(instruction.next, instruction.other);
            break;
          case "assert":
            if (holds(instruction.what, before, after)) entries.push(instruction.next);
            break;
          case "save":
            entries.push(instruction.next);
            break;
        }
      }
      budget.takeSteps(steps);
      if (after === undefined) return false;
      entries = anchored ? [] : [start];
      for (const { test, next } of waiting) if (test(after)) entries.push(next);
      before = after;
      at += after > 0xffff ? 2 : 1;
    }
    return false;
  };
}

const NEW_LINE = 0x0a;

/** Whether an assertion holds between two characters. Undefined: the text begins or ends there. */
export function holds(
  what: Assertion,
  before: number | undefined,
  after: number | undefined,
): boolean {
  switch (what) {
    case "textBegin":
      return before === undefined;
    case "textEnd":
      return after === undefined;
    case "lineBegin":
      return before === undefined || before === NEW_LINE;
    case "lineEnd":
      return after === undefined || after === NEW_LINE;
    case "wordBoundary":
      return isWord(before) !== isWord(after);
    case "noWordBoundary":
      return isWord(before) === isWord(after);
  }
}

function isWord(code: number | undefined): boolean {
  if (code === undefined) return false;
  const isDigit = code >= 0x30 && code <= 0x39;
  const letter = code | 0x20;
  return isDigit || code === 0x5f || (code < 0x80 && letter >= 0x61 && letter <= 0x7a);
}
