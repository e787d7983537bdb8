import { describe, expect, test } from "vitest";
import type { Argv, Subject } from "./subject.ts";
import type { ProcessRequest, ProcessResult } from "../platform.ts";

const NEVER = new AbortController().signal;

export function processesConformance(subject: () => Subject): void {
  const run = (argv: Argv, rest: Partial<ProcessRequest> = {}): Promise<ProcessResult> =>
    subject().platform.processes.run({ argv, outputMaxBytes: 4096, signal: NEVER, ...rest });

  describe("processes", () => {
    test.each([0, 1, 3, 255])("exit code %d and output come back", async (code) => {
      const result = await run(subject().programs.print("some output", code));
      expect(shown(result)).toEqual({ kind: "exit", code, output: "some output", totalBytes: 11 });
    });

    test.each([
      [0, ""],
      [1, "9"],
      [4, "6789"],
      [10, "0123456789"],
      [11, "0123456789"],
    ])("of the output, the last %d bytes are kept", async (outputMaxBytes, output) => {
      const result = await run(subject().programs.print("0123456789", 0), { outputMaxBytes });
      expect(shown(result)).toEqual({ kind: "exit", code: 0, output, totalBytes: 10 });
    });

    test("variables are added to the environment", async () => {
      const result = await run(subject().programs.printEnv("GREETING"), {
        env: { GREETING: "good day" },
      });
      expect(shown(result)).toMatchObject({ code: 0, output: "good day" });
    });

    test("stdin is given, and ends", async () => {
      const { echoStdin } = subject().programs;
      const stdin = Buffer.from("from stdin");
      expect(shown(await run(echoStdin, { stdin }))).toMatchObject({ output: "from stdin" });
      expect(shown(await run(echoStdin))).toMatchObject({ code: 0, output: "" });
    });

    test("a program that does not read its stdin does no harm", async () => {
      const stdin = new Uint8Array(1 << 20);
      const result = await run(subject().programs.ignoreStdin, { stdin });
      expect(shown(result)).toMatchObject({ kind: "exit", code: 0 });
    });

    test("is killed on abort, and what it had printed is kept", async () => {
      const { programs, elapse } = subject();
      const controller = new AbortController();
      const running = run(programs.printAndHang("so far"), { signal: controller.signal });
      await elapse(100);
      controller.abort();
      expect(shown(await running)).toEqual({ kind: "killed", output: "so far", totalBytes: 6 });
    });

    test("is not started when the signal is aborted already", async () => {
      const result = await run(subject().programs.print("x", 0), { signal: AbortSignal.abort() });
      expect(shown(result)).toEqual({ kind: "killed", output: "", totalBytes: 0 });
    });

    test.each<[Argv, string]>([
      [
        ["rollcall-no-such-program"],
        'exec: "rollcall-no-such-program": executable file not found in $PATH',
      ],
      [["/no/such"], "fork/exec /no/such: no such file or directory"],
      [[""], 'exec: "": executable file not found in $PATH'],
    ])("%j cannot be started", async (argv, message) => {
      expect(await run(argv)).toEqual({ kind: "unstartable", message });
    });
  });
}

function shown(result: ProcessResult): Record<string, unknown> {
  if (result.kind === "unstartable") return result;
  const { output, outputTotalBytes, ...rest } = result;
  return { ...rest, output: Buffer.from(output).toString(), totalBytes: outputTotalBytes };
}
