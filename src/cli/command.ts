/**
 * What a command of the command line is, and what it is given. A command is one file that exports one value of
 * type `Command`; `registry.ts` lists them and `run-cli.ts` parses the line, so that a command sees its flags
 * and arguments only.
 */
import type { CommandFlag, CommandFlags } from "./flags.ts";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Platform } from "../platform/index.ts";

/** What the process lends to a command. */
export interface CliHost {
  readonly platform: Platform;
  /** Path of the program, as a shell can run it. */
  readonly program: string;
  readonly stdout: (output: string | Uint8Array) => void;
  readonly stderr: (text: string) => void;
  readonly readStdin: () => Promise<Uint8Array>;
  /** The next line that is typed, without its end; "" when there is none. */
  readonly readLine: () => Promise<string>;
  /** Calls `fire` on each such signal until disposed; the process itself does nothing about it meanwhile. */
  readonly onSignal: (name: SignalName, fire: () => void) => Disposable;
  /** @throws {NodeJS.ErrnoException} when it cannot be started */
  readonly startChild: (request: ChildRequest) => Promise<Child>;
}
export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** A program that a command runs. It prints where we print. */
export interface ChildRequest {
  /** argv[0] is looked up in PATH. */
  readonly argv: readonly [string, ...string[]];
  /** Added to our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** "inherit": it reads what we were given to read. */
  readonly stdin: Uint8Array | "inherit" | "none";
}
export interface Child {
  readonly pid: number;
  /** Nothing happens once it has ended. */
  kill(signal: SignalName | "SIGKILL"): void;
  /** Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** We may end before it does. */
  letGo(): void;
}
export type ChildEnd =
  | Readonly<{ kind: "exit"; code: number }>
  | Readonly<{ kind: "signal"; signal: string }>;

export interface CommandContext extends CliHost {
  readonly flags: CommandFlags;
  /** What stands after the flags. */
  readonly args: readonly string[];
  /** Flags and arguments as they were written, without the command's name. */
  readonly argv: readonly string[];
}

export interface Command {
  /** The words that call it: `kv put`. */
  readonly name: string;
  /** Help text without the flags. Its first line is `Usage: rollcall <name> …`. */
  readonly usage: string;
  readonly flags: readonly CommandFlag[];
  /**
   * @returns the exit code
   * @throws {Failure} to say why it failed and exit with a code of its own
   */
  run(context: CommandContext): Promise<number>;
}

/** Ends the command: `message` goes to stderr as a line. */
export class Failure extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}

/**
 * Awaits `work`, and puts `what` before the message of an error that the world caused.
 *
 *     during("Error listing nodes", api.nodes())  →  Error listing nodes: Unexpected response code: 500 (…)
 */
export async function during<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RollcallError) throw new Failure(`${what}: ${messageOf(error)}`);
    throw error;
  }
}

/** Consul's words for a command that takes fewer arguments. */
export function refuseArguments(args: readonly string[], most: number): void {
  if (args.length > most) {
    throw new Failure(`Too many arguments (expected ${most}, got ${args.length})`);
  }
}
