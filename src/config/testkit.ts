/** A machine for the tests of this room: some files, a private and a public address. */
import type { GossipConfig, PoolConfig } from "./runtime.ts";
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

const pool: PoolConfig = {
  bindAddr: "127.0.0.1",
  startJoin: [],
  retryJoin: [],
  retryIntervalMs: 30_000,
  retryMax: 0,
  allowedCidrs: [],
  reconnectTimeoutMs: 259_200_000,
  gossipIntervalMs: 100,
  gossipNodes: 3,
  probeIntervalMs: 100,
  probeTimeoutMs: 100,
  retransmitMult: 4,
  suspicionMult: 3,
};

/** Gossip as a development agent has it, with nobody to join. */
export const quietGossip: GossipConfig = {
  lan: pool,
  wan: pool,
  encrypt: "",
  verifyIncoming: true,
  verifyOutgoing: true,
  disableKeyringFile: true,
  rejoinAfterLeave: false,
};
