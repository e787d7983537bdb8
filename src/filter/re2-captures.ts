/**
 * What a pattern's groups capture, as Go's FindStringSubmatch has it: of all matches the one that begins first, and
 * of those the one that a backtracking matcher would find first.
 *
 * The ways through the program are followed all at once, most preferred first, each with the positions that it has
 * noted (Cox, "Regular Expression Matching: the Virtual Machine Approach"). Work is bounded as in `re2-program.ts`.
 */
import { compileProgram, holds, type CharInstruction, type Program } from "./re2-program.ts";
import { RegexBudget } from "./regex-budget.ts";

/** Positions by slot: where group n begins and ends is in 2n and 2n + 1. Shared between ways until one notes more. */
type Slots = readonly number[];
interface Way {
  readonly at: CharInstruction;
  readonly slots: Slots;
}

const UNSET = -1;

/**
 * Compiles a pattern in RE2's syntax.
 *
 * @returns what each group captures of a text, the whole match as group 0; undefined without a match. A group that
 *   took no part captures "". Throws when that is too much work
 * @throws {RollcallError} `request/refused`, in Go's words
 */
export function submatchFinder(pattern: string): (text: string) => readonly string[] | undefined {
  const budget = new RegexBudget();
  const program = compileProgram(pattern, budget, { captures: true });
  const slotsUsed = program.instructions.map((step) => (step.op === "save" ? step.slot : 1));
  const groups = (Math.max(1, ...slotsUsed) - 1) / 2;
  return (text) => {
    budget.nextRecord();
    const slots = find(program, text, budget);
    if (slots === undefined) return undefined;
    return Array.from({ length: groups + 1 }, (_, group) => {
      const start = slots[2 * group] ?? UNSET;
      const end = slots[2 * group + 1] ?? UNSET;
      return start === UNSET || end === UNSET ? "" : text.slice(start, end);
    });
  };
}

function find(program: Program, text: string, budget: RegexBudget): Slots | undefined {
  let best: Slots | undefined;
  let ways: readonly Way[] = [];
  let before: number | undefined;
  for (let at = 0; ;) {
    const after = text.codePointAt(at);
    const reached = new Set<number>();
    const next: Way[] = [];
    const follow = new Follower(program, { at, before, after, reached, next });
    // Ways that come after one that has matched are worse than it.
    let isMatched = false;
    for (const { at: instruction, slots } of ways) {
      const matched = follow.from(instruction.next, slots);
      if (matched === undefined) continue;
      best = matched;
      isMatched = true;
      break;
    }
    if (!isMatched && best === undefined && (at === 0 || !program.anchored)) {
      const matched = follow.from(program.start, [at]);
      if (matched !== undefined) best = matched;
    }
    budget.takeSteps(1 + follow.steps);
    if (after === undefined) return best;
    ways = next.filter(({ at: instruction }) => instruction.test(after));
    if (ways.length === 0 && (best !== undefined || program.anchored)) return best;
    before = after;
    at += after > 0xffff ? 2 : 1;
  }
}

interface Gap {
  readonly at: number;
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly reached: Set<number>;
  /** Ways that wait for the next character, most preferred first. */
  readonly next: Way[];
}

/** Goes as far as can be gone without a character. */
class Follower {
  readonly #program: Program;
  readonly #gap: Gap;
  steps = 0;

  constructor(program: Program, gap: Gap) {
    this.#program = program;
    this.#gap = gap;
  }

  /** @returns the slots of the match that is preferred to all ways not followed yet, if one is reached */
  from(start: number, slots: Slots): Slots | undefined {
    const { at, before, after, reached, next } = this.#gap;
    const pending: Array<readonly [entry: number, slots: Slots]> = [[start, slots]];
    for (let top = pending.pop(); top !== undefined; top = pending.pop()) {
      const [index, noted] = top;
      this.steps += 1;
      const instruction = this.#program.instructions[index];
      if (instruction === undefined || reached.has(index)) continue;
      reached.add(index);
      switch (instruction.op) {
        case "match":
          return withSlot(noted, 1, at);
        case "char":
          next.push({ at: instruction, slots: noted });
          break;
        case "split":
          pending.push([instruction.other, noted], [instruction.next, noted]);
          break;
        case "assert":
          if (holds(instruction.what, before, after)) pending.push([instruction.next, noted]);
          break;
        case "save":
          this.steps += noted.length;
          pending.push([instruction.next, withSlot(noted, instruction.slot, at)]);
          break;
      }
    }
    return undefined;
  }
}

function withSlot(slots: Slots, slot: number, at: number): Slots {
  const copy = [...slots];
  while (copy.length <= slot) copy.push(UNSET);
  copy[slot] = at;
  return copy;
}
