/** The pages that list commands: all of them, or those of a group. A command's own is in command-usage.ts. */
import { COMMANDS, GROUPS, type Group } from "./registry.ts";

export function mainUsage(): string {
  const names = Object.keys(COMMANDS).map((name) => name.split(" ")[0] ?? "");
  const rows = [...new Set(names)].map((name): [string, string] => [
    name,
    (GROUPS[name] ?? COMMANDS[name])?.synopsis ?? "",
  ]);
  return `Usage: rollcall [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n${listed(rows)}\n`;
}

export function groupUsage(name: string, group: Group): string {
  const below = (known: string): boolean => known.startsWith(`${name} `);
  const words = Object.keys(COMMANDS)
    .filter(below)
    .map((command) => command.slice(name.length + 1).split(" ")[0] ?? "");
  const rows = [...new Set(words)].map((word): [string, string] => {
    const known = `${name} ${word}`;
    return [word, (GROUPS[known] ?? COMMANDS[known])?.synopsis ?? ""];
  });
  const head = `Usage: rollcall ${name} <subcommand> ${group.takes ?? "[options] [args]"}`;
  return `${head}\n\n${group.usage.trim()}\n\nSubcommands:\n${listed(rows)}`;
}

function listed(rows: readonly [name: string, synopsis: string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, synopsis]) => `    ${name.padEnd(width)}${synopsis}\n`)
    .join("");
}
