// Whole servers, with log, transport and disk, under faults; `npm run sim -- --seeds 2000` for more.
import { expect, test } from "vitest";
import { nodePlatform } from "../src/platform/node/index.ts";
import { run } from "./run.ts";
import { seedRanges } from "./seed-range.ts";

const TIMEOUT_MS = 600_000;
const RANGES = seedRanges({ fixed: 80, fresh: 80 }, nodePlatform().random, process.env);

test.each(RANGES)(
  "clusters under faults lose nothing, and recover: $count $name seeds",
  { timeout: TIMEOUT_MS },
  async ({ name, from, count }) => {
    process.stdout.write(
      `whole clusters: ${count} ${name} seeds from ${from}; again with SEED=${from} SEEDS=${count}\n`,
    );
    const failed: string[] = [];
    let [elections, answered] = [0, 0];
    for (let seed = from; seed < from + count && failed.length < 10; seed += 1) {
      const result = await run({ seed });
      elections += result.elections;
      answered += result.answered;
      if (result.violation !== undefined) {
        failed.push(`SEED=${seed}: ${result.violation}\n${result.story.join("\n")}`);
      }
    }
    expect(failed.join("\n")).toBe("");
    expect(elections).toBeGreaterThan(0);
    expect(answered).toBeGreaterThan(0);
  },
);

test("the same seed gives the same trace", async () => {
  const [once, again] = [await run({ seed: "trace" }), await run({ seed: "trace" })];
  expect(again).toEqual(once);
  expect((await run({ seed: "another" })).traceHash).not.toBe(once.traceHash);
});
