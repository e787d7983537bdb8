/** The program that `lock` and `watch` run: how it is called, and how its end is told. */
import { messageOf } from "../errors/index.ts";
import { Failure, type Child, type ChildEnd, type ChildRequest, type CliHost } from "./command.ts";
import type { CommandFlag, CommandFlags } from "./flags.ts";

export const shellFlag: CommandFlag = {
  name: "shell",
  kind: "bool",
  help: "Hand the words to a shell: $SHELL, or /bin/sh. Default: true; -shell=false runs them as they are.",
};

/** @param words at least one */
export function childArgv(
  words: readonly string[],
  flags: CommandFlags,
  { platform }: CliHost,
): readonly [string, ...string[]] {
  const [program = "", ...args] = words;
  if (flags.given("shell") && !flags.on("shell")) return [program, ...args];
  return [platform.host.env("SHELL") || "/bin/sh", "-c", words.join(" ")];
}

/** @throws {Failure} `Error starting handler: …` */
export async function startProgram(host: CliHost, request: ChildRequest): Promise<Child> {
  try {
    return await host.startChild(request);
  } catch (error) {
    throw new Failure(`Error starting handler: ${startFault(request.argv[0], error)}`);
  }
}

/** As Go tells it. */
const START_FAULTS: Readonly<Record<string, string>> = {
  E2BIG: "argument list too long",
  EACCES: "permission denied",
  ENOENT: "no such file or directory",
  ENOEXEC: "exec format error",
};

function startFault(program: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" && !program.includes("/")) {
    return `exec: "${program}": executable file not found in $PATH`;
  }
  return `fork/exec ${program}: ${START_FAULTS[code] ?? messageOf(error)}`;
}

const SIGNAL_TEXTS: Readonly<Record<string, string>> = {
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGHUP: "hangup",
  SIGILL: "illegal instruction",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGPIPE: "broken pipe",
  SIGQUIT: "quit",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};

/** @returns undefined if it ended well */
export function endFault(end: ChildEnd): string | undefined {
  if (end.kind === "signal") return `signal: ${SIGNAL_TEXTS[end.signal] ?? end.signal}`;
  return end.code === 0 ? undefined : `exit status ${end.code}`;
}
