import { readFileSync } from "node:fs";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ProcessRequest, ProcessResult } from "../platform.ts";
import { nodeProcesses } from "./processes.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rollcall-processes-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const NEVER = new AbortController().signal;

function run(
  argv: readonly [string, ...string[]],
  rest: Partial<ProcessRequest> = {},
): Promise<ProcessResult> {
  return nodeProcesses.run({ argv, outputMaxBytes: 4096, signal: NEVER, ...rest });
}

const shell = (script: string, ...args: string[]): readonly [string, ...string[]] => {
  return ["sh", "-c", script, ...args];
};
const outputOf = (result: ProcessResult): string =>
  result.kind === "unstartable" ? result.message : Buffer.from(result.output).toString();

/** A zombie is dead: it only waits for somebody to take note. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" && process.platform !== "linux";
  }
}

const at = (name: string): string => join(directory, name);

/** Waits for the file by which a script says that it is where the test wants it. */
async function started(name = "started"): Promise<void> {
  await vi.waitFor(() => access(at(name)), { timeout: 5000 });
}

test("stdout and stderr are kept together", async () => {
  expect(
    outputOf(await run(shell("echo out; echo err >&2")))
      .split("\n")
      .toSorted(),
  ).toEqual(["", "err", "out"]);
});

test("abort kills grandchildren too", async () => {
  const controller = new AbortController();
  const running = run(shell('sleep 60 & echo $!; touch "$0"; wait', at("started")), {
    signal: controller.signal,
  });
  await started();
  controller.abort();
  const result = await running;
  expect(result.kind).toBe("killed");
  const grandchild = Number(outputOf(result));
  expect(grandchild).toBeGreaterThan(1);
  await vi.waitFor(() => expect(isAlive(grandchild)).toBe(false));
});

test("a child left behind with the output open is waited for, as Consul does, until abort", async () => {
  const controller = new AbortController();
  const running = run(shell('sleep 60 & echo $!; touch "$0"', at("started")), {
    signal: controller.signal,
  });
  await started();
  controller.abort();
  const result = await running;
  expect(result.kind).toBe("killed");
  await vi.waitFor(() => expect(isAlive(Number(outputOf(result)))).toBe(false));
});

test("who has left the group and holds the output open is not waited for after abort", async () => {
  const controller = new AbortController();
  const running = run(["setsid", "sh", "-c", 'echo $$; touch "$0"; exec sleep 60', at("started")], {
    signal: controller.signal,
  });
  const escaped = run(
    shell('setsid sh -c \'echo $$; touch "$0"; exec sleep 60\' "$0" & wait', at("2")),
    {
      signal: controller.signal,
    },
  );
  await started();
  await started("2");
  controller.abort();
  for (const result of [await running, await escaped]) {
    expect(result.kind).toBe("killed");
    const pid = Number(outputOf(result));
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
});

test("a process that a signal ended has code -1", async () => {
  expect(await run(shell("kill -9 $$"))).toMatchObject({ kind: "exit", code: -1 });
});

test("endless output is counted, and only its end is held", async () => {
  const result = await run(shell("head -c 3000000 /dev/zero; printf end"), { outputMaxBytes: 10 });
  expect(result).toMatchObject({ kind: "exit", code: 0, outputTotalBytes: 3_000_003 });
  expect(outputOf(result)).toBe("\0".repeat(7) + "end");
});

test("no listener stays on the signal", async () => {
  const added = vi.spyOn(AbortSignal.prototype, "addEventListener");
  const removed = vi.spyOn(AbortSignal.prototype, "removeEventListener");
  try {
    await run(shell("exit 0"));
    await run(["/no/such"]);
    expect(added).toHaveBeenCalledTimes(2);
    expect(removed).toHaveBeenCalledTimes(2);
  } finally {
    vi.restoreAllMocks();
  }
});

test.each<[string, (path: string) => readonly [string, ...string[]], string]>([
  ["is not executable", (path) => [path], "fork/exec DIR/script: permission denied"],
  ["has a NUL in its arguments", () => ["sh", "a\0b"], "fork/exec sh: invalid argument"],
  [
    "has too many arguments",
    () => [
      "/bin/sh",
      ..."x"
        .repeat(40)
        .split("")
        .map((x) => x.repeat(130_000)),
    ],
    "fork/exec /bin/sh: argument list too long",
  ],
])("what %s cannot be started", async (_name, argv, message) => {
  await writeFile(at("script"), "#!/bin/sh\n", { mode: 0o644 });
  expect(await run(argv(at("script")))).toEqual({
    kind: "unstartable",
    message: message.replace("DIR", directory),
  });
});
