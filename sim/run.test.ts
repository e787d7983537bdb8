// Whole servers, with log, transport and disk, under faults; `SEEDS=2000 SEED=1 npx vitest run sim/run` for more.
import { expect, test } from "vitest";
import { run } from "./run.ts";

const FIRST = Number(process.env["SEED"] ?? 1);
const COUNT = Number(process.env["SEEDS"] ?? (process.env["SEED"] === undefined ? 40 : 1));

test("clusters under faults lose nothing, and recover", async () => {
  const failed: string[] = [];
  let [elections, answered] = [0, 0];
  for (let seed = FIRST; seed < FIRST + COUNT && failed.length < 10; seed += 1) {
    const result = await run({ seed });
    elections += result.elections;
    answered += result.answered;
    if (result.violation !== undefined) {
      failed.push(`seed ${seed}: ${result.violation}\n${result.story.join("\n")}`);
    }
  }
  expect(failed.join("\n")).toBe("");
  expect(elections).toBeGreaterThan(0);
  expect(answered).toBeGreaterThan(0);
});

test("the same seed gives the same trace", async () => {
  const [once, again] = [await run({ seed: "trace" }), await run({ seed: "trace" })];
  expect(again).toEqual(once);
  expect((await run({ seed: "another" })).traceHash).not.toBe(once.traceHash);
});
