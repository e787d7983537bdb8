// Hundreds of clusters of bare cores; `npm run sim -- --cores --seeds 20000` for more.
import { expect, test } from "vitest";
import { nodePlatform } from "../src/platform/node/index.ts";
import { runSoup } from "./core-soup.ts";
import { seedRanges } from "./seed-range.ts";

const TIMEOUT_MS = 600_000;
const RANGES = seedRanges({ fixed: 300, fresh: 300 }, nodePlatform().random, process.env);

test.each(RANGES)(
  "cores in a soup of messages keep what they promise: $count $name seeds",
  { timeout: TIMEOUT_MS },
  ({ name, from, count }) => {
    process.stdout.write(
      `bare cores: ${count} ${name} seeds from ${from}; again with SEED=${from} SEEDS=${count}\n`,
    );
    const failed: string[] = [];
    let elections = 0;
    for (let seed = from; seed < from + count && failed.length < 10; seed += 1) {
      const result = runSoup({ seed });
      elections += result.elections;
      if (result.violation !== undefined) failed.push(`SEED=${seed}: ${result.violation}`);
    }
    expect(failed.join("\n")).toBe("");
    expect(elections).toBeGreaterThan(0);
  },
);
