/** Data on the command line: `-` is standard input, `@file` a file, and anything else stands for itself. */
import type { CommandContext } from "./command.ts";
import { Failure } from "./command.ts";
import { cannotOpen } from "./api-config.ts";

/** @throws {Failure} if the file cannot be read */
export async function readData(argument: string, context: CommandContext): Promise<Uint8Array> {
  if (argument === "-") return context.readStdin();
  if (!argument.startsWith("@")) return Buffer.from(argument, "utf8");
  const path = argument.slice(1);
  const bytes = await context.platform.disk.read(path);
  if (bytes === undefined) throw new Failure(`Error! Failed to read file: ${cannotOpen(path)}`);
  return bytes;
}
