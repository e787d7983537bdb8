/**
 * A leader's duty: the servers of the pool are the members of the log (Consul: agent/consul/leader.go,
 * `joinConsulServer` and `removeConsulServer`). A new one comes without a vote, which autopilot gives it when it has
 * kept up for a while; one that left goes; one that has moved keeps its vote.
 */
import { messageOf } from "../errors/index.ts";
import type { Logger } from "../platform/index.ts";
import type { Consensus } from "./consensus.ts";
import type { KnownServer } from "./server-directory.ts";

export interface PeerKeeperNeeds {
  readonly logger: Logger;
  readonly consensus: Consensus;
  readonly ownId: string;
  /** All servers of the pool that have not left. */
  readonly servers: () => readonly KnownServer[];
}

export class PeerKeeper {
  readonly #needs: PeerKeeperNeeds;
  #work: Promise<void> = Promise.resolve();

  constructor(needs: PeerKeeperNeeds) {
    this.#needs = needs;
  }

  /** Compares all. */
  async start(): Promise<void> {
    for (const server of this.#needs.servers()) await this.changed(server);
  }

  /** A server was seen, or has changed. */
  changed(server: KnownServer): Promise<void> {
    return this.#enqueue(async () => {
      if (server.status === "left" || server.status === "reaped") await this.#remove(server);
      else if (server.status === "alive") await this.#keep(server);
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (!this.#needs.consensus.isLeader) return;
      try {
        await work();
      } catch (error) {
        this.#needs.logger.error("failed to change raft peer", { error: messageOf(error) });
      }
    });
    return this.#work;
  }

  async #keep({ name, id, address, tags }: KnownServer): Promise<void> {
    const { consensus, logger, servers } = this.#needs;
    if (tags.Bootstrap && this.#isSecondBootstrap(id)) return;
    for (const other of consensus.members) {
      if (other.id === id && other.address === address) return;
      // Whoever was there before is gone for good: nobody else answers at its address.
      const isReplaced = other.address === address && other.id !== id;
      if (isReplaced && !servers().some((server) => server.id === other.id)) {
        logger.info("removed server with duplicate address", { address });
        await consensus.change({ kind: "remove", id: other.id });
      }
    }
    logger.info("adding raft peer", { name, id, address });
    await consensus.change({ kind: "addNonvoter", id, address });
  }

  async #remove({ id, name }: KnownServer): Promise<void> {
    const { consensus, logger, ownId } = this.#needs;
    if (id === ownId || !consensus.members.some((member) => member.id === id)) return;
    logger.info("removing server by ID", { id, name });
    await consensus.change({ kind: "remove", id });
  }

  /** Two servers that each would begin a cluster: joining them would lose the one or the other. */
  #isSecondBootstrap(id: string): boolean {
    const { servers, logger, ownId } = this.#needs;
    const others = servers().filter((server) => server.id !== id && server.tags.Bootstrap);
    if (others.length === 0 || id === ownId) return false;
    logger.error(
      "Two nodes are in bootstrap mode. Only one node should be in bootstrap mode, not adding Raft peer.",
      { node_to_add: id, other: others.map(({ name }) => name).join(",") },
    );
    return true;
  }
}
