// A few hundred clusters of bare cores; `SEEDS=20000 SEED=1 npx vitest run sim/core-soup` for more.
import { expect, test } from "vitest";
import { runSoup } from "./core-soup.ts";

const FIRST = Number(process.env["SEED"] ?? 1);
const COUNT = Number(process.env["SEEDS"] ?? (process.env["SEED"] === undefined ? 300 : 1));

test("cores in a soup of messages keep what they promise", () => {
  const failed: string[] = [];
  let elections = 0;
  for (let seed = FIRST; seed < FIRST + COUNT && failed.length < 10; seed += 1) {
    const result = runSoup({ seed });
    elections += result.elections;
    if (result.violation !== undefined) failed.push(`seed ${seed}: ${result.violation}`);
  }
  expect(failed.join("\n")).toBe("");
  expect(elections).toBeGreaterThan(0);
});
