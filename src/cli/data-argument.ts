/** Data on the command line: `-` is standard input, `@file` a file, and anything else stands for itself. */
import { during, type CommandContext } from "./command.ts";
import { readNamedFile } from "./named-file.ts";

/** @throws {Failure} if the file cannot be read */
export async function readData(argument: string, context: CommandContext): Promise<Uint8Array> {
  if (argument === "-") return context.readStdin();
  if (!argument.startsWith("@")) return Buffer.from(argument, "utf8");
  const file = readNamedFile(argument.slice(1), context.platform.disk);
  return during("Error! Failed to read file", file);
}
