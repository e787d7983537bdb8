/** Services in configuration files, as `services register` and `services deregister` take them. */
import { loadDefinitions } from "../config/index.ts";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { ServiceDefinition } from "../model/index.ts";
import type { Disk } from "../platform/index.ts";
import { Failure, type CommandContext } from "./command.ts";

/**
 * In the order in which an agent would register them. Other settings in the files are left aside, but must be
 * valid. That a file is passed over is said on stderr.
 *
 * @throws {Failure} `Error: failed to parse web.hcl: At 2:2: …`
 */
export async function readServiceFiles(
  paths: readonly string[],
  { platform, stderr }: CommandContext,
): Promise<readonly ServiceDefinition[]> {
  try {
    const { services } = await loadDefinitions(paths, platform.disk);
    for (const path of paths) {
      for (const file of await passedOver(path, platform.disk)) {
        stderr(
          `skipping file ${file}, extension must be .hcl or .json, or config format must be set\n`,
        );
      }
    }
    return services;
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw new Failure(`Error: ${messageOf(error)}`);
  }
}

/** Files that the config room does not read for the end of their name. */
async function passedOver(path: string, disk: Disk): Promise<readonly string[]> {
  let files: readonly string[];
  try {
    const entries = (await disk.list(path)) ?? [];
    files = entries
      .filter(({ kind }) => kind !== "directory")
      .map(({ name }) => `${path.replace(/\/+$/, "")}/${name}`);
  } catch {
    // Not a directory, hence a file: that it cannot be read would have been told already.
    files = [path];
  }
  return files.filter((file) => !/\.(?:hcl|json)$/.test(file));
}
