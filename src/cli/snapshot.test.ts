/** `rollcall snapshot`: what is asked of the agent, and what becomes of files that are none. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runScripted } from "./testkit.ts";

const BACKUP = readFileSync(new URL("../snapshot/testdata/backup.snap", import.meta.url));
const body = BACKUP.toString("latin1");

test("save: is verified before it is written", async () => {
  const args = ["snapshot", "save", "-stale", "-datacenter=dc2", "new.snap"];
  const saved = await runScripted({ args, answers: [{ status: 200, body }] });
  expect(saved).toMatchObject({
    exitCode: 0,
    stdout: "Saved and verified snapshot to index 51\n",
    stderr: "",
    requests: [{ request: "GET /v1/snapshot?dc=dc2&stale=" }],
  });
  const half = await runScripted({ args, answers: [{ status: 200, body: body.slice(0, 20) }] });
  expect(half).toMatchObject({ exitCode: 1, stdout: "" });
  expect(half.stderr).toMatch(/^Error verifying snapshot file: failed to read snapshot file: /);
});

test("restore: sends the file as it is", async () => {
  const restored = await runScripted({
    args: ["snapshot", "restore", "backup.snap"],
    files: { "backup.snap": body },
    answers: [{ status: 200, body: "" }],
  });
  expect(restored).toMatchObject({
    exitCode: 0,
    stdout: "Restored snapshot\n",
    requests: [{ request: "PUT /v1/snapshot", body }],
  });
});

test("inspect: what the archive says of itself", async () => {
  const files = { "backup.snap": body };
  const { stdout } = await runScripted({ args: ["snapshot", "inspect", "backup.snap"], files });
  expect(stdout).toBe(
    "ID           2-51-1795438476000\n" +
      "Size         17767\nIndex        51\nTerm         2\nVersion      1\n\n",
  );
});

const NONE = "open x: no such file or directory";
test.each([
  [["save"], "Missing FILE argument"],
  [["restore"], "Missing FILE argument"],
  [["inspect"], "Missing FILE argument"],
  [["save", "a", "b"], "Too many arguments (expected 1, got 2)"],
  [["save", "x"], "Error saving snapshot: Unexpected response code: 500 (no answer was scripted)"],
  [["restore", "x"], `Error opening snapshot file: ${NONE}`],
  [["inspect", "x"], `Error opening snapshot file: ${NONE}`],
])("snapshot %j: %s", async (args, stderr) => {
  expect(await runScripted({ args: ["snapshot", ...args] })).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: `${stderr}\n`,
  });
});
