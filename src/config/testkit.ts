/** A machine for the tests of this room: some files, a private and a public address. */
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";

export const PRIVATE_ADDRESS = "10.0.0.5";

/** @param files text by path; directories come into being with their files */
export async function machine(files: Readonly<Record<string, string>> = {}): Promise<SimPlatform> {
  const platform = simPlatform({ seed: "config", hostname: "host-1" });
  platform.network.addInterface({ name: "eth0", address: PRIVATE_ADDRESS, internal: false });
  for (const [path, text] of Object.entries(files)) {
    const directory = path.slice(0, path.lastIndexOf("/"));
    if (directory !== "") await platform.disk.makeDirectory(directory);
    await platform.disk.replace(path, new TextEncoder().encode(text));
  }
  return platform;
}
