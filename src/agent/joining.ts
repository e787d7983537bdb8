/**
 * Joining the pools when the agent starts: once, which has to work (`start_join`), and in the background, again and
 * again, until somebody answers (`retry_join`).
 */
import type { RuntimeConfig } from "../config/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import type { PoolName } from "./pool-tags.ts";
import type { Pools } from "./pools.ts";
import { retryJoin } from "./retry-join.ts";

export interface JoiningNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: RuntimeConfig;
  readonly pools: Pools;
  /** All attempts that `retry_max` allows are used up. */
  readonly onExhausted: (message: string) => void;
}

const POOLS: readonly PoolName[] = ["lan", "wan"];

export class Joining implements Disposable {
  readonly #needs: JoiningNeeds;
  readonly #stopping = new AbortController();

  constructor(needs: JoiningNeeds) {
    this.#needs = needs;
  }

  /**
   * @returns how many were joined of a pool, where the configuration names any
   * @throws {RollcallError} when none of them could be joined
   */
  async once(pool: PoolName): Promise<number | undefined> {
    const { config, pools } = this.#needs;
    const { startJoin } = config.gossip[pool];
    if (startJoin.length === 0) return undefined;
    return pools.join(startJoin, pool, this.#stopping.signal);
  }

  /** Begins what goes on in the background. */
  begin(): void {
    for (const pool of POOLS) void this.#retry(pool);
  }

  [Symbol.dispose](): void {
    this.#stopping.abort();
  }

  async #retry(pool: PoolName): Promise<void> {
    const { clock, logger, config, pools, onExhausted } = this.#needs;
    const { retryJoin: named, retryIntervalMs, retryMax } = config.gossip[pool];
    const cluster = pool.toUpperCase();
    const addresses = named.filter((address) => !isCloud(address));
    for (const address of named.filter(isCloud)) {
      logger.error("Cannot discover address: asking a cloud is not supported", {
        cluster,
        address,
      });
    }
    if (addresses.length === 0) return;
    const outcome = await retryJoin(
      {
        clock,
        logger,
        cluster,
        addresses,
        intervalMs: retryIntervalMs,
        maxRetries: retryMax,
        join: (these, signal) => pools.join(these, pool, signal),
      },
      this.#stopping.signal,
    );
    if (outcome === "exhausted") onExhausted(`agent: max join ${cluster} retry exhausted, exiting`);
  }
}

/** `provider=aws tag_key=…`: Consul would ask that cloud for its machines. */
function isCloud(address: string): boolean {
  return address.includes("provider=");
}
