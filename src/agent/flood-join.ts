/**
 * The servers of a datacenter bring each other into the WAN pool: it is enough that one of them was joined to another
 * datacenter (Consul: agent/router/serf_flooder.go).
 */
import { messageOf } from "../errors/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import { knownServer, type KnownServer } from "../server/index.ts";
import { poolMember } from "./members.ts";
import type { Pools } from "./pools.ts";

const AGAIN_MS = 30_000;
const JOIN_LIMIT_MS = 10_000;

export interface FloodJoinNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly datacenter: string;
  readonly pools: Pools;
}

export class FloodJoin implements Disposable {
  readonly #needs: FloodJoinNeeds;
  readonly #over = new AbortController();
  #timer: Disposable | undefined;
  #isRunning = false;
  #isStale = false;

  constructor(needs: FloodJoinNeeds) {
    this.#needs = needs;
    this.look();
  }

  /** The LAN pool may have changed. */
  look(): void {
    if (this.#needs.pools.wan === undefined || this.#over.signal.aborted) return;
    this.#isStale = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    this.#timer?.[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    while (this.#isStale && !this.#over.signal.aborted) {
      this.#isStale = false;
      for (const server of this.#missing()) await this.#bringIn(server);
    }
    this.#isRunning = false;
    if (this.#over.signal.aborted) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#needs.clock.after(AGAIN_MS, () => this.look());
  }

  /** Servers here that are not in the WAN pool, or not alive there. */
  #missing(): readonly KnownServer[] {
    const { pools, datacenter } = this.#needs;
    const { lan, wan } = pools;
    return lan.members().flatMap((member) => {
      const server = knownServer(poolMember(member));
      if (server === undefined || server.tags.Datacenter !== datacenter) return [];
      if (server.status !== "alive" || server.tags.WanJoinPort === 0) return [];
      const isThere = wan?.member(`${server.name}.${datacenter}`)?.status === "alive";
      return isThere ? [] : [server];
    });
  }

  async #bringIn({ name, address, tags }: KnownServer): Promise<void> {
    const { pools, logger, datacenter, clock } = this.#needs;
    const host = address.slice(0, address.lastIndexOf(":"));
    const late = new AbortController();
    using _timer = clock.after(JOIN_LIMIT_MS, () => late.abort());
    const signal = AbortSignal.any([this.#over.signal, late.signal]);
    try {
      await pools.join([`${host}:${tags.WanJoinPort}`], "wan", signal);
      logger.debug("Successfully performed flood-join for server at address", {
        server: `${name}.${datacenter}`,
      });
    } catch (error) {
      logger.debug("Failed to flood-join server at address", { name, error: messageOf(error) });
    }
  }
}
