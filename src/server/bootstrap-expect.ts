/**
 * How servers that were told to expect so many begin a cluster together (Consul: agent/consul/server_serf.go,
 * `maybeBootstrap`): as soon as that many know of one another, and none of them belongs to a cluster, all write the
 * same first entry.
 */
import { messageOf } from "../errors/index.ts";
import { pause, type Clock, type Logger } from "../platform/index.ts";
import type { RemoteServer } from "../rpc/index.ts";
import type { RaftLog } from "./raft-log.ts";
import type { KnownServer } from "./server-directory.ts";

const ATTEMPTS = 6;
const FIRST_RETRY_MS = 1000;

export interface BootstrapNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly expect: number;
  readonly log: RaftLog;
  /** Of this datacenter, this one among them. */
  readonly servers: () => readonly KnownServer[];
  /** The members of a server's log. */
  readonly peersOf: (server: RemoteServer) => Promise<readonly string[]>;
}

export class BootstrapExpect implements Disposable {
  readonly #needs: BootstrapNeeds;
  readonly #over = new AbortController();
  #looking: Promise<void> | undefined;
  #isStale = false;

  constructor(needs: BootstrapNeeds) {
    this.#needs = needs;
  }

  /** The pool has changed. One look at a time, and one more when it changed meanwhile. */
  look(): void {
    if (this.#isOver) return;
    if (this.#looking !== undefined) {
      this.#isStale = true;
      return;
    }
    this.#looking = this.#look()
      .catch((error: unknown) => {
        this.#needs.logger.error("failed to bootstrap", { error: messageOf(error) });
      })
      .finally(() => {
        this.#looking = undefined;
        if (!this.#isStale) return;
        this.#isStale = false;
        this.look();
      });
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #look(): Promise<void> {
    const { log, expect, logger } = this.#needs;
    if (!log.isNew) {
      this.#over.abort();
      return;
    }
    const servers = this.#candidates();
    if (servers === undefined) return;
    if (servers.filter(({ tags }) => !tags.NonVoter).length < expect) return;
    for (const server of servers) {
      const peers = await this.#peersOf(server);
      if (this.#isOver) return;
      if (peers === undefined) return;
      if (peers.length > 0) {
        logger.info("Existing Raft peers reported, disabling bootstrap mode", {
          server: server.name,
        });
        this.#over.abort();
        return;
      }
    }
    logger.info("Found expected number of peers, attempting bootstrap", {
      peers: servers.map(({ address }) => address).join(","),
    });
    this.#over.abort();
    await log.bootstrap(servers.map(({ id, address }) => ({ id, address })));
  }

  /** undefined: one of them expects otherwise, and nothing is done. */
  #candidates(): readonly KnownServer[] | undefined {
    const { servers, expect, logger } = this.#needs;
    const alive = servers().filter(({ status }) => status === "alive");
    for (const { name, tags } of alive) {
      if (tags.Expect !== 0 && tags.Expect !== expect) {
        logger.error(
          "Member has a conflicting expect value. All nodes should expect the same number.",
          {
            member: name,
          },
        );
        return undefined;
      }
      if (tags.Bootstrap) {
        logger.error("Member has bootstrap mode. Expect disabled.", { member: name });
        return undefined;
      }
    }
    return alive;
  }

  /** undefined: it does not answer. */
  async #peersOf(server: KnownServer): Promise<readonly string[] | undefined> {
    const { clock, logger, peersOf } = this.#needs;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (this.#isOver) return undefined;
      try {
        return await peersOf({ name: server.name, address: server.address });
      } catch (error) {
        const nextMs = FIRST_RETRY_MS * 2 ** attempt;
        logger.error("Failed to confirm peer status for server. Retrying.", {
          server: server.name,
          retry_in_ms: nextMs,
          error: messageOf(error),
        });
        await pause(clock, nextMs, this.#over.signal);
      }
    }
    return undefined;
  }
}
