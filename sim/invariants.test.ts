// The checkers notice what they are for, and nothing else.
import { expect, test } from "vitest";
import { Invariants, Violation } from "./invariants.ts";

const ENTRY = { index: 2, term: 2, data: Buffer.from("x") };
const WITHOUT_IT = { snapshotIndex: 0, lastIndex: 1, termAt: () => undefined };

function appliedInTerm(ownTerm: number): Invariants {
  const invariants = new Invariants();
  invariants.applied("a", ENTRY, { fingerprint: 1, ownTerm });
  return invariants;
}

// Paper §5.4.3: "present in the logs of the leaders for all higher-numbered terms", higher than the one it was
// committed in, which may be later than its own.
test("leader completeness: a leader of a later term must have what was committed", () => {
  expect(() => appliedInTerm(4).led("b", 5, WITHOUT_IT)).toThrow(Violation);
});
test("leader completeness: who is elected late, in an earlier term, need not have it", () => {
  expect(() => appliedInTerm(4).led("b", 3, WITHOUT_IT)).not.toThrow();
});
test("leader completeness: the earliest term counts in which somebody has applied it", () => {
  const invariants = appliedInTerm(4);
  invariants.applied("c", ENTRY, { fingerprint: 1, ownTerm: 3 });
  expect(() => invariants.led("b", 4, WITHOUT_IT)).toThrow(Violation);
});

test("election safety: one leader a term", () => {
  const invariants = new Invariants();
  invariants.led("a", 2, WITHOUT_IT);
  expect(() => invariants.led("b", 2, WITHOUT_IT)).toThrow("two leaders in term 2");
});

test("log matching: the same entry follows the same", () => {
  const invariants = new Invariants();
  invariants.appended("a", ENTRY, 1);
  expect(() => invariants.appended("b", ENTRY, 2)).toThrow("logs differ");
  expect(() => invariants.appended("b", { ...ENTRY, data: Buffer.from("y") }, 1)).toThrow(
    "logs differ",
  );
});

test("state machine safety: the same is applied everywhere, and makes the same state", () => {
  const other = { ...ENTRY, term: 3 };
  expect(() => appliedInTerm(2).applied("b", other, { fingerprint: 1, ownTerm: 3 })).toThrow(
    "applies another entry",
  );
  expect(() => appliedInTerm(2).applied("b", ENTRY, { fingerprint: 2, ownTerm: 3 })).toThrow(
    "the state of b differs",
  );
});

test("what was acknowledged is what is applied there", () => {
  expect(() => appliedInTerm(2).acknowledged(2, Buffer.from("x"))).not.toThrow();
  expect(() => appliedInTerm(2).acknowledged(2, Buffer.from("y"))).toThrow("acknowledged at 2");
});
