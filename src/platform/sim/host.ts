/** A machine as the test describes it. */
import type { Host, HostUsage } from "../platform.ts";

export class SimHost implements Host {
  readonly hostname: string;
  readonly pid = 1;
  readonly os = "linux";
  readonly arch = "amd64";
  readonly cpuCount = 1;
  readonly #env = new Map<string, string>();

  constructor(hostname: string) {
    this.hostname = hostname;
  }

  usage(): HostUsage {
    return {
      uptimeS: 3600,
      kernelVersion: "6.1.0",
      kernelArch: "x86_64",
      memoryTotalBytes: 2 ** 30,
      memoryFreeBytes: 2 ** 29,
      cpus: [{ model: "Simulated", mhz: 1000 }],
      heapUsedBytes: 2 ** 24,
      residentBytes: 2 ** 25,
    };
  }

  env(name: string): string | undefined {
    return this.#env.get(name);
  }

  setEnv(name: string, value: string): void {
    this.#env.set(name, value);
  }

  zoneOffsetMinutes(): number {
    return 0;
  }
}
