/** Programs that a test scripts: functions under a name, which take virtual time and print. */
import { errnoError, unstartableText } from "../go-errors.ts";
import { OutputTail } from "../output-tail.ts";
import type { Clock, Processes, ProcessRequest, ProcessResult } from "../platform.ts";

/** One run, as the program sees it. */
export interface SimProcess {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
  /** Aborted when the process is killed. What it does afterwards is not seen. */
  readonly signal: AbortSignal;
  print(output: string | Uint8Array): void;
  sleep(durationMs: number): Promise<void>;
}
/** The exit code is what it returns. */
export type SimProgram = (process: SimProcess) => number | Promise<number>;

export class SimProcesses implements Processes {
  readonly #clock: Clock;
  readonly #programs = new Map<string, SimProgram>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `name` is what argv[0] is to be. */
  register(name: string, program: SimProgram): void {
    this.#programs.set(name, program);
  }

  async run(request: ProcessRequest): Promise<ProcessResult> {
    const { argv, env = {}, stdin = new Uint8Array(0), signal, outputMaxBytes } = request;
    const program = this.#programs.get(argv[0]);
    if (program === undefined) {
      return { kind: "unstartable", message: unstartableText(argv[0], errnoError("ENOENT")) };
    }
    const tail = new OutputTail(outputMaxBytes);
    const ended = (result: { kind: "killed" } | { kind: "exit"; code: number }): ProcessResult => ({
      ...result,
      output: tail.bytes(),
      outputTotalBytes: tail.totalBytes,
    });
    if (signal.aborted) return ended({ kind: "killed" });

    return new Promise((resolve, reject) => {
      const onAbort = (): void => resolve(ended({ kind: "killed" }));
      signal.addEventListener("abort", onAbort);
      const running = Promise.resolve().then(() =>
        program({
          argv,
          env,
          stdin,
          signal,
          print(output) {
            tail.push(typeof output === "string" ? new TextEncoder().encode(output) : output);
          },
          sleep: (durationMs) => this.#sleep(durationMs, signal),
        }),
      );
      running
        .then((code) => resolve(ended({ kind: "exit", code })), reject)
        .finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  /** Who is killed in their sleep does not wake, and leaves no timer behind. */
  #sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((wake) => {
      const cancel = (): void => timer[Symbol.dispose]();
      const timer = this.#clock.after(durationMs, () => {
        signal.removeEventListener("abort", cancel);
        wake();
      });
      signal.addEventListener("abort", cancel, { once: true });
    });
  }
}
