import type { Platform } from "../platform.ts";
import { nodeClock } from "./clock.ts";
import { nodeDisk } from "./disk.ts";
import { nodeHost } from "./host.ts";
import { nodeNetwork } from "./network.ts";
import { nodeProcesses } from "./processes.ts";
import { nodeRandom } from "./random.ts";

/** The real world. Only `main.ts` and tests that need it build one. */
export function nodePlatform(): Platform {
  return {
    clock: nodeClock,
    random: nodeRandom,
    network: nodeNetwork,
    disk: nodeDisk,
    processes: nodeProcesses,
    host: nodeHost(),
  };
}
