/** A machine as the test describes it. */
import type { Host } from "../platform.ts";

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
