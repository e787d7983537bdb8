/**
 * Child processes. Each runs in a process group of its own, so that killing it takes along whatever it
 * started; on Windows, which has no groups, only the child itself.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { unstartableText } from "../go-errors.ts";
import { OutputTail } from "../output-tail.ts";
import type { Processes, ProcessRequest, ProcessResult } from "../platform.ts";

const HAS_GROUPS = process.platform !== "win32";

export const nodeProcesses: Processes = { run };

async function run(request: ProcessRequest): Promise<ProcessResult> {
  const tail = new OutputTail(request.outputMaxBytes);
  if (request.signal.aborted) return { kind: "killed", ...outputOf(tail) };
  try {
    return await resultOf(start(request), request, tail);
  } catch (error) {
    return { kind: "unstartable", message: unstartableText(request.argv[0], error) };
  }
}

function start({ argv: [program, ...args], env, stdin }: ProcessRequest): ChildProcess {
  return spawn(program, args, {
    detached: HAS_GROUPS,
    env: { ...process.env, ...env },
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    windowsHide: true,
  });
}

/** Rejects if it could not be started. Otherwise resolves when it has ended and its output is closed. */
function resultOf(
  child: ChildProcess,
  { signal, stdin }: ProcessRequest,
  tail: OutputTail,
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    let killed = false;
    // Somebody who has left the group may hold the output open for ever: do not wait for them.
    const letGo = (): void => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const onAbort = (): void => {
      killed = true;
      killGroup(child);
      if (child.exitCode !== null || child.signalCode !== null) letGo();
    };
    signal.addEventListener("abort", onAbort);

    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Uint8Array) => tail.push(chunk));
    }
    // A program need not read what it is given.
    child.stdin?.on("error", () => {});
    child.stdin?.end(stdin);

    child.on("error", (error) => {
      if (child.pid !== undefined) return;
      signal.removeEventListener("abort", onAbort);
      reject(error);
    });
    child.on("exit", () => {
      if (killed) setImmediate(letGo);
    });
    child.on("close", (code) => {
      signal.removeEventListener("abort", onAbort);
      const output = outputOf(tail);
      resolve(
        killed ? { kind: "killed", ...output } : { kind: "exit", code: code ?? -1, ...output },
      );
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (HAS_GROUPS) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {
    // All of them have gone already.
  }
}

function outputOf(tail: OutputTail): { output: Uint8Array; outputTotalBytes: number } {
  return { output: tail.bytes(), outputTotalBytes: tail.totalBytes };
}
