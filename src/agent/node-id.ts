/**
 * The node's ID: configured, or kept in `<data_dir>/node-id` from the first start on. Without a data
 * directory (-dev) it is new with every start.
 */
import { join } from "node:path";
import { RollcallError } from "../errors/index.ts";
import { uuidFault, uuidFrom } from "../model/index.ts";
import type { Platform } from "../platform/index.ts";

const FILE_MODE = 0o600;

export async function nodeIdOf(
  { disk, random }: Pick<Platform, "disk" | "random">,
  { nodeId, dataDir }: { readonly nodeId: string; readonly dataDir: string },
): Promise<string> {
  if (nodeId !== "") return checked(nodeId, "specified NodeID is invalid");
  if (dataDir === "") return uuidFrom(random.bytes(16));
  const path = join(dataDir, "node-id");
  const kept = await disk.read(path);
  if (kept !== undefined) {
    return checked(new TextDecoder().decode(kept).trim(), `NodeID in ${path} is invalid`);
  }
  const made = uuidFrom(random.bytes(16));
  await disk.makeDirectory(dataDir);
  await disk.replace(path, new TextEncoder().encode(made), { mode: FILE_MODE });
  return made;
}

function checked(id: string, whatIsWrong: string): string {
  const fault = uuidFault(id);
  if (fault === undefined) return id.toLowerCase();
  throw new RollcallError("config/invalid", `failed to setup node ID: ${whatIsWrong}: ${fault}`);
}
