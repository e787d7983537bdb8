/**
 * From the words of the command line to an exit code: finds the command, answers requests for help, parses the
 * flags, runs it.
 *
 * Exit codes and streams are those of Consul's command line: help that was asked for goes to stdout with 0,
 * help that nobody asked for to stderr with 1, or 127 where there is no such command.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import { Failure, type CliHost, type Command } from "./command.ts";
import { commandUsage, flagList } from "./command-usage.ts";
import { parseCommandFlags, type FlagLine } from "./flags.ts";
import { COMMANDS, GROUPS } from "./registry.ts";
import { groupUsage, mainUsage } from "./usage.ts";

const HELP = new Set(["-h", "-help", "--help"]);
const VERSION = new Set(["-v", "-version", "--version"]);
const NO_SUCH_COMMAND = 127;

/** @param argv without the program's own name */
export async function runCli(argv: readonly string[], host: CliHost): Promise<number> {
  try {
    return (await completed(argv, host)) ?? (await dispatch(readLine(argv), host));
  } catch (error) {
    if (error instanceof Failure) {
      host.stderr(`${error.message}\n`);
      return error.exitCode;
    }
    if (error instanceof RollcallError) {
      host.stderr(`${error.message}\n`);
      return 1;
    }
    const trace = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    host.stderr(`Internal error, please report it: ${trace}\n`);
    return 1;
  }
}

const INSTALL = "-autocomplete-install";
const UNINSTALL = "-autocomplete-uninstall";

/** @returns undefined where it is not about completion */
async function completed(argv: readonly string[], host: CliHost): Promise<number | undefined> {
  const { host: machine } = host.platform;
  const line = machine.env("COMP_LINE");
  const wanted = [INSTALL, UNINSTALL].filter((flag) => flagsIn(argv).includes(flag));
  if (line === undefined && wanted.length === 0) return undefined;
  const autocomplete = await import("./autocomplete.ts");
  if (line !== undefined) {
    const point = Number(machine.env("COMP_POINT") ?? line.length);
    const found = await autocomplete.completions(line, point);
    host.stdout(found.map((candidate) => `${candidate}\n`).join(""));
  } else if (wanted.length === 2) {
    throw new Failure(
      "Error executing CLI: Either the autocomplete install or uninstall flag may be specified, but not both.",
    );
  } else if (wanted.includes(INSTALL)) await autocomplete.installCompletion(host);
  else await autocomplete.uninstallCompletion(host);
  return 0;
}

/** `--flag` is `-flag`; what follows `--` is none. */
function flagsIn(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).map((word) => word.replace(/^--/, "-"));
}

interface Line {
  readonly helpWanted: boolean;
  readonly versionWanted: boolean;
  /** Flags before the command, which take no effect. */
  readonly strayFlags: boolean;
  /** The command's words, as many as name a command or a group. */
  readonly name: string | undefined;
  readonly rest: readonly string[];
}

function readLine(argv: readonly string[]): Line {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  const start = words.findIndex((word) => !word.startsWith("-"));
  const before = start < 0 ? words : words.slice(0, start);
  const called = start < 0 ? [] : argv.slice(start);
  const length = [3, 2, 1].find((count) => isKnown(called.slice(0, count)));
  return {
    helpWanted: words.some((word) => HELP.has(word)),
    versionWanted: before.some((word) => VERSION.has(word)),
    strayFlags: before.some((word) => !HELP.has(word)),
    name: length === undefined ? undefined : called.slice(0, length).join(" "),
    rest: called.slice(length ?? 0),
  };
}

function isKnown(words: readonly string[]): boolean {
  const name = words.join(" ");
  const isOneName = words.length > 0 && words.every((word) => !word.includes(" "));
  return isOneName && (Object.hasOwn(COMMANDS, name) || Object.hasOwn(GROUPS, name));
}

async function dispatch(line: Line, host: CliHost): Promise<number> {
  if (line.versionWanted) return runCli(["version"], host);
  if (line.name === undefined) {
    if (!line.helpWanted || line.rest.length > 0) {
      host.stderr(mainUsage());
      return NO_SUCH_COMMAND;
    }
    host.stdout(mainUsage());
    return 0;
  }
  const group = GROUPS[line.name];
  const row = COMMANDS[line.name];
  const command = await row?.load();
  const usage = group === undefined ? "" : groupUsage(line.name, group);
  const help = command === undefined ? usage : commandUsage(command);
  if (line.strayFlags) {
    host.stderr(
      "Invalid flags before the subcommand. If these flags are for\n" +
        `the subcommand, please put them after the subcommand.\n\n${help}`,
    );
    return 1;
  }
  if (line.helpWanted) {
    host.stdout(help);
    return 0;
  }
  if (command === undefined) {
    host.stderr(help);
    return 1;
  }
  return runCommand(command, line.rest, host);
}

async function runCommand(
  command: Command,
  argv: readonly string[],
  host: CliHost,
): Promise<number> {
  let line: FlagLine;
  try {
    line = parseCommandFlags(command.flags, argv);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    host.stderr(`${error.message}\n${flagList(command.flags)}`);
    return 1;
  }
  return command.run({ ...host, ...line, argv });
}
