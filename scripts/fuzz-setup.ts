/** What `fuzz.mjs` learns of each test: how long it took, and what it left of memory. */
import { appendFileSync } from "node:fs";
import { afterEach, beforeEach, expect } from "vitest";

const report = process.env["FUZZ_REPORT"];

/** Of the process, once what is not needed is gone. */
function residentBytes(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  return process.memoryUsage().rss;
}

let before = { bytes: 0, beganAt: 0 };

beforeEach(() => {
  before = { bytes: residentBytes(), beganAt: performance.now() };
});

afterEach(() => {
  if (report === undefined) return;
  const seconds = (performance.now() - before.beganAt) / 1000;
  const measured = {
    test: expect.getState().currentTestName,
    seconds,
    beforeBytes: before.bytes,
    afterBytes: residentBytes(),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  appendFileSync(report, `${JSON.stringify(measured)}\n`);
});
