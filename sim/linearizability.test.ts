// The checker itself: histories that are known to be good or bad, and random ones against brute force.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkLinearizable, type Operation } from "./linearizability.ts";
import { REGISTER, type RegisterCall, type RegisterResult } from "./register.ts";

type RegisterOperation = Operation<RegisterCall, RegisterResult>;

/** `set x 1..5` from 1 to 5; `get 3..4 = x`; `cas x y 1..2 = true`; `?` in the place of the return: unknown. */
function history(...lines: string[]): RegisterOperation[] {
  return lines.map((line) => {
    const [, call = "", from = "", to = "", result = ""] =
      /^(.*?) (\d+)\.\.(\d+|\?)(?: = (.*))?$/.exec(line) ?? [];
    const [kind, first = "", second = ""] = call.split(" ");
    const times = { calledAt: Number(from), returnedAt: to === "?" ? Infinity : Number(to) };
    if (kind === "get")
      return { key: "k", call: { kind }, ...times, result: result === "-" ? "" : result };
    if (kind === "set") return { key: "k", call: { kind, value: first }, ...times, result: true };
    const cas = { kind: "compareAndSet", expected: first, value: second } as const;
    return { key: "k", call: cas, ...times, result: result === "true" };
  });
}

describe("good histories", () => {
  test.each([
    ["nothing", []],
    ["one after the other", ["set x 1..2", "get 3..4 = x", "set y 5..6", "get 7..8 = y"]],
    ["a read during a write may see either", ["set x 1..9", "get 2..3 = -", "get 4..5 = x"]],
    ["writes at the same time, in either order", ["set x 1..9", "set y 1..9", "get 10..11 = x"]],
    ["an unknown write may have happened", ["set x 1..?", "get 5..6 = x"]],
    ["and may never have", ["set x 1..?", "get 5..6 = -"]],
    ["and may happen late", ["set x 1..?", "get 5..6 = -", "get 7..8 = x"]],
    [
      "compare and set",
      ["set x 1..2", "cas x y 3..4 = true", "cas x z 5..6 = false", "get 7..8 = y"],
    ],
    [
      "an unknown compare and set",
      ["set x 1..2", "cas x y 3..?", "get 9..10 = x", "get 11..12 = y"],
    ],
  ])("%s", (_title, lines) => {
    expect(checkLinearizable(REGISTER, history(...lines)).kind).toBe("linearizable");
  });
});

describe("bad histories", () => {
  test.each([
    ["a stale read", ["set x 1..2", "set y 3..4", "get 5..6 = x"]],
    ["a lost write", ["set x 1..2", "get 3..4 = -"]],
    ["a value from nowhere", ["get 1..2 = x"]],
    [
      "back in time: a second reader sees less than the first",
      ["set x 1..9", "get 2..3 = x", "get 4..5 = -"],
    ],
    [
      "an unknown write that happens and is gone again",
      ["set x 1..?", "get 3..4 = x", "get 5..6 = -"],
    ],
    [
      "two compare and sets that both won",
      ["set x 1..2", "cas x y 3..9 = true", "cas x z 3..9 = true"],
    ],
    ["a read before its write was called", ["get 1..2 = x", "set x 3..4"]],
  ])("%s", (_title, lines) => {
    expect(checkLinearizable(REGISTER, history(...lines)).kind).toBe("not linearizable");
  });

  test("what is shown of one is no longer than needed to refute it", () => {
    const lines = ["set x 1..2", "get 3..4 = -", "set z 5..6", "get 7..8 = z"];
    const verdict = checkLinearizable(REGISTER, history(...lines));
    expect(verdict.kind === "not linearizable" && verdict.history.length).toBe(2);
  });

  test("a bad key is found among good ones", () => {
    const good = history("set x 1..2", "get 3..4 = x");
    const bad = history("set x 1..2", "get 3..4 = -").map((operation) => ({
      ...operation,
      key: "other",
    }));
    expect(checkLinearizable(REGISTER, [...good, ...bad]).kind).toBe("not linearizable");
  });
});

const operations = fc.array(
  fc.record({
    call: fc.oneof(
      fc.constant({ kind: "get" } as const),
      fc.record({ kind: fc.constant("set" as const), value: fc.constantFrom("x", "y") }),
      fc.record({
        kind: fc.constant("compareAndSet" as const),
        expected: fc.constantFrom("", "x", "y"),
        value: fc.constantFrom("x", "y"),
      }),
    ),
    calledAt: fc.integer({ min: 0, max: 8 }),
    lastsFor: fc.integer({ min: 1, max: 5 }),
    isKnown: fc.boolean(),
    read: fc.constantFrom("", "x", "y"),
    won: fc.boolean(),
  }),
  { maxLength: 5 },
);

test("says what trying all orders says", () => {
  fc.assert(
    fc.property(operations, (drawn) => {
      const made = drawn.map(
        ({ call, calledAt, lastsFor, isKnown, read, won }): RegisterOperation => {
          const result = call.kind === "get" ? read : call.kind === "set" ? true : won;
          const returnedAt = isKnown ? calledAt + lastsFor : Infinity;
          return { key: "k", call, calledAt, returnedAt, result };
        },
      );
      const expected = canBeOrdered(made, "") ? "linearizable" : "not linearizable";
      expect(checkLinearizable(REGISTER, made).kind).toBe(expected);
    }),
    { numRuns: 3000 },
  );
});

function canBeOrdered(left: readonly RegisterOperation[], state: string): boolean {
  if (left.every(({ returnedAt }) => returnedAt === Infinity)) return true;
  return left.some((operation) => {
    if (left.some((other) => other !== operation && other.returnedAt < operation.calledAt))
      return false;
    const { state: after, result } = REGISTER.apply(state, operation.call);
    if (operation.returnedAt !== Infinity && result !== operation.result) return false;
    return canBeOrdered(
      left.filter((other) => other !== operation),
      after,
    );
  });
}

test("a long history with few overlaps is quick", () => {
  const lines: string[] = [];
  for (let count = 0; count < 2000; count += 1) {
    lines.push(
      `set ${count} ${count * 10}..${count * 10 + 12}`,
      `get ${count * 10 + 13}..${count * 10 + 14} = ${count + 0}`,
    );
  }
  const made = history(...lines).filter((_operation, place) => place % 2 === 0);
  expect(checkLinearizable(REGISTER, made).kind).toBe("linearizable");
});
