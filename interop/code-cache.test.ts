/** The bytecode that the build records beside the bundle (scripts/code-cache.mjs, bin/launch.cjs). */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Runs a command as bin/rollcall does, and then prints of each chunk whether V8 refused its bytecode. */
const REPORT = `
  const { load, loaded } = require(process.argv[1]);
  process.argv.splice(1, Infinity, "rollcall", "agent", "-help");
  process.stdout.write = () => true;
  process.on("exit", () => {
    const chunks = [...loaded].map(([name, { script }]) => [name, script.cachedDataRejected]);
    require("node:fs").writeSync(1, JSON.stringify(Object.fromEntries(chunks)));
  });
  load("rollcall.cjs");
`;

test("V8 takes the recorded bytecode of every chunk", () => {
  const launch = fileURLToPath(new URL("../bin/launch.cjs", import.meta.url));
  const printed = execFileSync(process.execPath, ["-e", REPORT, launch], { encoding: "utf8" });
  const refused = JSON.parse(printed) as Record<string, boolean | undefined>;
  expect(Object.keys(refused)).toEqual(
    expect.arrayContaining(["rollcall.cjs", expect.stringMatching(/^agent-command-/)]),
  );
  // Undefined: there was none.
  expect(new Set(Object.values(refused))).toEqual(new Set([false]));
});
