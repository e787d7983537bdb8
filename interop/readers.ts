/** Clients that read one key all the time, in every consistency, each from any of the servers. */
import { http } from "./testkit.ts";

const CONSISTENCIES = ["", "&consistent", "&stale"] as const;

export class Readers {
  count = 0;
  slowestMs = 0;
  readonly failures: string[] = [];
  readonly #addresses: () => readonly string[];
  readonly #key: string;
  readonly #wanted: string;
  readonly #running: readonly Promise<void>[];
  #isStopped = false;

  /** @param wanted the key's value, which nobody changes */
  constructor(addresses: () => readonly string[], key: string, wanted: string) {
    this.#addresses = addresses;
    this.#key = key;
    this.#wanted = wanted;
    this.#running = CONSISTENCIES.map((consistency) => this.#read(consistency));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  async #read(consistency: (typeof CONSISTENCIES)[number]): Promise<void> {
    for (let number = 0; !this.#isStopped; number += 1) {
      const addresses = this.#addresses();
      const address = addresses[number % addresses.length] as string;
      const began = performance.now();
      const read = await http(address, `/v1/kv/${this.#key}?raw${consistency}`).catch(
        (error: unknown) => ({ status: 0, body: String(error) }),
      );
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
      this.count += 1;
      if (read.status === 200 && read.body === this.#wanted) continue;
      // One that was on its way while its server was being stopped is no failure of the cluster.
      if (!this.#addresses().includes(address)) continue;
      this.failures.push(`${address} ${consistency}: ${read.status} ${read.body}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
