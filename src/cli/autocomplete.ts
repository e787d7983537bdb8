/**
 * Completion in bash and zsh. The shell runs the program itself for it (`complete -C`), with the line so far in
 * COMP_LINE and the cursor's place in COMP_POINT, and takes what is printed: one candidate a line.
 */
import { basename, join } from "node:path";
import { errorList } from "../errors/index.ts";
import type { Disk } from "../platform/index.ts";
import { Failure, type CliHost } from "./command.ts";
import { COMMANDS, GROUPS } from "./registry.ts";

const TOP_FLAGS = ["-autocomplete-install", "-autocomplete-uninstall", "-help", "-version"];

/**
 * What may stand in place of the last word before the cursor.
 *
 *     "rollcall kv g"      ▶  get
 *     "rollcall kv get -r" ▶  -recurse
 */
export async function completions(line: string, cursor = line.length): Promise<readonly string[]> {
  const words = line.slice(0, cursor).split(/ +/).slice(1);
  const begun = words.at(-1) ?? "";
  const { name, rest } = commandIn(words.slice(0, -1));
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (begun.startsWith("-")) {
    const flags = name === "" ? TOP_FLAGS : (await command?.load())?.flags.map(flagOf);
    return startingWith(begun, flags ?? []);
  }
  return rest.length === 0 ? startingWith(begun, namesBelow(name)) : [];
}

/** As many of the words as name a command or a group. */
function commandIn(words: readonly string[]): { name: string; rest: readonly string[] } {
  for (let count = words.length; count > 0; count--) {
    const name = words.slice(0, count).join(" ");
    if (Object.hasOwn(COMMANDS, name) || Object.hasOwn(GROUPS, name)) {
      return { name, rest: words.slice(count) };
    }
  }
  return { name: "", rest: words };
}

function namesBelow(group: string): readonly string[] {
  const prefix = group === "" ? "" : `${group} `;
  const below = Object.keys(COMMANDS).filter((name) => name.startsWith(prefix));
  return [...new Set(below.map((name) => name.slice(prefix.length).split(" ")[0] ?? ""))];
}

const flagOf = ({ name }: { readonly name: string }): string => `-${name}`;
const startingWith = (begun: string, candidates: readonly string[]): readonly string[] =>
  candidates.filter((candidate) => candidate.startsWith(begun)).toSorted();

interface Shell {
  /** Below the user's directory, the first that there is. */
  readonly files: readonly string[];
  lines(program: string): readonly string[];
}
const SHELLS: readonly Shell[] = [
  {
    files: [".bashrc", ".bash_profile", ".bash_login", ".profile"],
    lines: (program) => [`complete -C ${program} ${basename(program)}`],
  },
  {
    files: [".zshrc"],
    lines: (program) => [
      "autoload -U +X bashcompinit && bashcompinit",
      `complete -o nospace -C ${program} ${basename(program)}`,
    ],
  },
];

/** Writes into the files that the user's shells start with. @throws {Failure} in Consul's words */
export async function installCompletion({ platform, program }: CliHost): Promise<void> {
  await eachShell(platform.host.env("HOME") ?? "", platform.disk, async (file, path, shell) => {
    const lines = shell.lines(program);
    const added = lines.filter((line) => !file.lines.includes(line));
    if (!added.includes(lines.at(-1) ?? "")) return `already installed in ${path}`;
    const between = file.text === "" || file.text.endsWith("\n") ? "" : "\n";
    await rewrite(platform.disk, path, `${file.text}${between}${added.join("\n")}\n`);
    return undefined;
  });
}

/** @throws {Failure} */
export async function uninstallCompletion({ platform, program }: CliHost): Promise<void> {
  await eachShell(platform.host.env("HOME") ?? "", platform.disk, async (file, path, shell) => {
    const own = shell.lines(program).at(-1) ?? "";
    if (!file.lines.includes(own)) return `not installed in ${path}`;
    const kept = file.text.split("\n").filter((line) => line !== own);
    await rewrite(platform.disk, path, kept.join("\n"));
    return undefined;
  });
}

interface StartFile {
  readonly text: string;
  readonly lines: readonly string[];
}

/** @param change returns what stands in its way */
async function eachShell(
  home: string,
  disk: Disk,
  change: (file: StartFile, path: string, shell: Shell) => Promise<string | undefined>,
): Promise<void> {
  const faults: string[] = [];
  let found = 0;
  for (const shell of SHELLS) {
    for (const name of shell.files) {
      const path = join(home, name);
      const bytes = await disk.read(path);
      if (bytes === undefined) continue;
      found += 1;
      const text = new TextDecoder().decode(bytes);
      const fault = await change({ text, lines: text.split("\n") }, path, shell);
      if (fault !== undefined) faults.push(fault);
      break;
    }
  }
  if (found === 0) throw new Failure("Error executing CLI: Did not find any shells to install");
  if (faults.length > 0) throw new Failure(`Error executing CLI: ${errorList(faults)}`);
}

/** In place, so that it stays whose it is. */
async function rewrite(disk: Disk, path: string, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  await using file = await disk.open(path);
  await file.write(0, bytes);
  await file.truncate(bytes.byteLength);
  await file.sync();
}
