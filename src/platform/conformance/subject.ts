/** A platform under test, with what the suite needs to know of it. */
import type { Platform } from "../platform.ts";

export interface Subject extends AsyncDisposable {
  readonly platform: Platform;
  /** Exists, is empty, and is the suite's to fill. */
  readonly directory: string;
  /** A socket can be bound at this path. */
  readonly socketPath: string;
  /** Lets at least so much of the platform's time pass. */
  readonly elapse: (durationMs: number) => Promise<void>;
  readonly programs: Programs;
}

/** Command lines of programs that behave as their names say. */
export interface Programs {
  print(text: string, exitCode: number): Argv;
  printEnv(name: string): Argv;
  readonly echoStdin: Argv;
  readonly ignoreStdin: Argv;
  /** Prints `text`, then runs longer than any test. */
  printAndHang(text: string): Argv;
}
export type Argv = readonly [string, ...string[]];
