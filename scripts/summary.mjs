// The last line of `npm test`: what the test runner counted, and nothing that it did not.
import { readFileSync } from "node:fs";

const results = JSON.parse(readFileSync(process.argv[2], "utf8"));
// A file that cannot be loaded has no tests to count, and is a failure all the same.
const brokenFiles = results.testResults.filter(
  (file) => file.status === "failed" && file.assertionResults.length === 0,
).length;
const passed = results.numPassedTests;
const failed = results.numFailedTests + brokenFiles;
const skipped = results.numPendingTests + results.numTodoTests;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
