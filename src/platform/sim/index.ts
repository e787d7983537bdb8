import type { Platform } from "../platform.ts";
import { SimClock } from "./clock.ts";
import { SimDisk } from "./disk.ts";
import { SimHost } from "./host.ts";
import { SimLinks } from "./links.ts";
import { SimNetwork } from "./network.ts";
import { SimProcesses } from "./processes.ts";
import { SimRandom } from "./random.ts";

export type { SimClock } from "./clock.ts";
export type { SimDisk } from "./disk.ts";
export { HostClock } from "./host-clock.ts";
export type { SimHost } from "./host.ts";
export type { Fault, Latency, LinkConditions, Packet, SimLinks } from "./links.ts";
export type { SimNetwork } from "./network.ts";
export type { SimProcess, SimProcesses, SimProgram } from "./processes.ts";
export { SimRandom } from "./random.ts";

export interface SimPlatform extends Platform {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly processes: SimProcesses;
  readonly host: SimHost;
}

export interface SimOptions {
  readonly seed: number | string;
  readonly hostname?: string;
  /** Another platform whose time and network this one shares: two machines in one world. */
  readonly beside?: SimPlatform;
}

/** A world in which the same seed and the same calls give the same run. */
export function simPlatform({ seed, hostname = "sim", beside }: SimOptions): SimPlatform {
  const random = new SimRandom(seed);
  const clock = beside?.clock ?? new SimClock();
  return {
    clock,
    random: random.fork("platform"),
    network: beside?.network ?? new SimNetwork(new SimLinks(clock, random.fork("network"))),
    disk: new SimDisk(random.fork("disk")),
    processes: new SimProcesses(clock),
    host: new SimHost(hostname),
  };
}
