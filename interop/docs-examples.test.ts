/** The programs in the documentation, run as they stand there, against what is said to be printed. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { run } from "./testkit.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

test.each(["docs/gossip.md", "docs/raft.md"])("%s", async (page) => {
  const text = readFileSync(`${root}${page}`, "utf8");
  const [, program = ""] = /```js\n(.*?)```/s.exec(text) ?? [];
  const [, printed = ""] = /```text\n(.*?)```/s.exec(text) ?? [];
  expect(program).not.toBe("");
  const { code, stdout, stderr } = await run(
    [process.execPath, "--input-type=module", "-"],
    program,
  );
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: printed, stderr: "" });
});
