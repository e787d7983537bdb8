/**
 * The help of a command, and the terse list of flags that follows a mistake in them. Both are laid out from the
 * table of flags; only the prose is written by hand.
 */
import type { Command, CommandContext } from "./command.ts";
import type { CommandFlag } from "./flags.ts";

const HELP_COLUMNS = 65;

export function commandUsage({ usage, flags }: Command): string {
  const sections: readonly [title: string, flags: readonly CommandFlag[]][] = [
    ["HTTP API Options", flags.filter(({ section }) => section === "http")],
    ["Command Options", flags.filter(({ section }) => section === undefined)],
  ];
  const pages = sections
    .filter(([, own]) => own.length > 0)
    .map(([title, own]) => `${title}\n\n${byName(own).map(paragraph).join("\n")}`);
  return [`${usage.trim()}\n`, ...pages].join("\n");
}

/** Says what is wrong with the call, and shows the help. @returns the exit code */
export function misused({ stderr }: CommandContext, command: Command, complaint: string): number {
  stderr(`${complaint}\n\n${commandUsage(command)}`);
  return 1;
}

function paragraph(flag: CommandFlag): string {
  const value = valueOf(flag);
  const title = `  -${flag.name}${value === undefined ? "" : `=<${value}>`}\n`;
  return (
    title +
    wrap(flag.help)
      .map((line) => `     ${line}\n`)
      .join("")
  );
}

/** As Go's flag package prints it. */
export function flagList(flags: readonly CommandFlag[]): string {
  const rows = byName(flags).map((flag) => {
    const value = valueOf(flag);
    return `  -${flag.name}${value === undefined ? "" : ` ${value}`}\n    \t${flag.help}\n`;
  });
  return `Usage:\n${rows.join("")}`;
}

const VALUES: Readonly<Record<CommandFlag["kind"], string | undefined>> = {
  bool: undefined,
  duration: "duration",
  int: "int",
  list: "value",
  pairs: "key=value",
  text: "string",
  uint: "uint",
};
const valueOf = ({ kind, value }: CommandFlag): string | undefined => value ?? VALUES[kind];

function byName(flags: readonly CommandFlag[]): CommandFlag[] {
  return flags.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > HELP_COLUMNS) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
