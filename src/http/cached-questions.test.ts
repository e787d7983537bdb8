import { expect, test } from "vitest";
import { SimClock } from "../platform/sim/clock.ts";
import { CachedQuestions } from "./cached-questions.ts";

const HOUR_MS = 3600 * 1000;

test("a question is new once, and again when nobody asked it for three days", () => {
  const clock = new SimClock();
  const questions = new CachedQuestions(clock);
  expect(questions.ask("a")).toBe(false);
  expect(questions.ask("b")).toBe(false);
  clock.advance(71 * HOUR_MS);
  expect(questions.ask("a")).toBe(true);
  clock.advance(71 * HOUR_MS);
  expect(questions.ask("a")).toBe(true);
  expect(questions.ask("b")).toBe(false);
});

test("of too many questions the one that was not asked for longest is forgotten", () => {
  const questions = new CachedQuestions(new SimClock());
  questions.ask("first");
  for (let i = 0; i < 8191; i++) questions.ask(`q${i}`);
  expect(questions.ask("first")).toBe(true);
  questions.ask("one more");
  expect(questions.ask("first")).toBe(true);
  expect(questions.ask("q0")).toBe(false);
});
