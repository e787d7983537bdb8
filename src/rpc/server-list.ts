/**
 * Which server of its datacenter a client asks: always the same one, so that its connection serves again, until that
 * one fails or the load is spread anew (Consul: agent/router/manager.go).
 */
import type { Clock, Random } from "../platform/index.ts";
import type { RemoteServer } from "./remote-methods.ts";

/** A connection is kept for at least so long; all clients together make no more than so many new ones a second. */
const KEPT_MIN_MS = 120_000;
const NEW_CONNECTIONS_PER_S = 64;

export interface ServerListNeeds {
  readonly clock: Clock;
  readonly random: Random;
  /** Of the pool. */
  readonly memberCount: () => number;
  /** @throws when that server cannot be reached */
  readonly ping: (server: RemoteServer) => Promise<void>;
}

export class ServerList implements Disposable {
  readonly #needs: ServerListNeeds;
  /** The first one is asked. */
  #servers: readonly RemoteServer[] = [];
  #timer: Disposable | undefined;
  #isClosed = false;

  constructor(needs: ServerListNeeds) {
    this.#needs = needs;
    this.#schedule();
  }

  get current(): RemoteServer | undefined {
    return this.#servers[0];
  }

  get count(): number {
    return this.#servers.length;
  }

  /** A new one, or one that has another address now. */
  add(server: RemoteServer): void {
    const at = this.#servers.findIndex(({ name }) => name === server.name);
    if (at < 0) {
      // Anywhere, so that clients that hear of servers in the same order do not all ask the first.
      const place = Math.floor(this.#needs.random.float() * (this.#servers.length + 1));
      this.#servers = this.#servers.toSpliced(place, 0, server);
    } else this.#servers = this.#servers.with(at, server);
  }

  remove(name: string): void {
    this.#servers = this.#servers.filter((server) => server.name !== name);
  }

  /** It did not answer: the others come first now. */
  failed(server: RemoteServer): void {
    const [first, ...others] = this.#servers;
    if (first === undefined || first.name !== server.name || others.length === 0) return;
    this.#servers = [...others, first];
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #schedule(): void {
    const { clock, random, memberCount } = this.#needs;
    const leastMs = Math.max(KEPT_MIN_MS, (memberCount() / NEW_CONNECTIONS_PER_S) * 1000);
    this.#timer = clock.after(leastMs * (1 + random.float() / 2), () => {
      void this.#rebalance().then(() => {
        if (!this.#isClosed) this.#schedule();
      });
    });
  }

  /** In an order of chance, with one in front that answers. */
  async #rebalance(): Promise<void> {
    const { random, ping } = this.#needs;
    const order = shuffled(this.#servers, random);
    for (const server of order) {
      try {
        await ping(server);
      } catch {
        continue;
      }
      const isStillThere = this.#servers.some(({ name }) => name === server.name);
      if (!isStillThere) continue;
      this.#servers = [server, ...this.#servers.filter(({ name }) => name !== server.name)];
      return;
    }
  }
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, rank: random.float() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
