/** The servers of this datacenter, as the LAN pool tells of them: who they are, and where they are now. */
import type { Clock, Instant } from "../platform/index.ts";
import { serverOf, type ConsulServer } from "../wire/index.ts";
import type { LogMember } from "./consensus.ts";
import type { PoolMember } from "./pool-member.ts";

export interface KnownServer {
  readonly name: string;
  readonly id: string;
  /** `host:port` of its RPC port. */
  readonly address: string;
  readonly status: PoolMember["status"];
  readonly tags: ConsulServer;
}
interface Seen extends KnownServer {
  /** When it came to its status. */
  readonly since: Instant;
}

export class ServerDirectory {
  readonly #clock: Clock;
  readonly #datacenter: string;
  readonly #byName = new Map<string, Seen>();
  readonly #byId = new Map<string, Seen>();
  /** Of those that have left, too, until the pool forgets them: they are to hear that they are out of the log. */
  readonly #addresses = new Map<string, string>();

  constructor(clock: Clock, datacenter: string, members: readonly PoolMember[]) {
    this.#clock = clock;
    this.#datacenter = datacenter;
    for (const member of members) this.changed(member);
  }

  get all(): readonly Seen[] {
    return [...this.#byName.values()];
  }

  byId(id: string): Seen | undefined {
    return this.#byId.get(id);
  }

  addressOf(id: string): string | undefined {
    return this.#addresses.get(id);
  }

  byAddress(address: string): Seen | undefined {
    return this.all.find((server) => server.address === address);
  }

  /** A member that is no server of this datacenter changes nothing. */
  changed(member: PoolMember): void {
    const previous = this.#byName.get(member.name);
    if (previous !== undefined) this.#forget(previous);
    const server = knownServer(member);
    if (server === undefined || server.tags.Datacenter !== this.#datacenter) return;
    if (server.status === "reaped") this.#addresses.delete(server.id);
    else this.#addresses.set(server.id, server.address);
    if (server.status === "left" || server.status === "reaped") return;
    const since = previous?.status === server.status ? previous.since : this.#clock.now();
    const seen = { ...server, since };
    this.#byName.set(server.name, seen);
    this.#byId.set(server.id, seen);
  }

  #forget(server: Seen): void {
    this.#byName.delete(server.name);
    if (this.#byId.get(server.id) === server) this.#byId.delete(server.id);
  }
}

/** @returns undefined for a member that is no server */
export function knownServer({ name, address, status, tags }: PoolMember): KnownServer | undefined {
  const server = serverOf(tags);
  if (server === undefined) return undefined;
  return { name, id: server.NodeID, address: hostPort(address, server.Port), status, tags: server };
}

/**
 * Why nobody leads, as far as that is known: `No cluster leader`, and which servers are missing since when, if they are
 * so many that there can be no leader.
 */
export function noLeaderText(
  members: readonly LogMember[],
  directory: ServerDirectory,
  now: Instant,
): string {
  const voters = members.filter(({ isVoter }) => isVoter);
  const missing = voters.filter(({ id }) => directory.byId(id)?.status !== "alive");
  const neededCount = Math.floor(voters.length / 2) + 1;
  const aliveCount = voters.length - missing.length;
  if (voters.length === 0 || aliveCount >= neededCount) return NO_LEADER;
  const names = missing.map(({ id, address }) => {
    const seen = directory.byId(id);
    if (seen === undefined) return `${address} (not in the pool)`;
    const seconds = Math.round((now - seen.since) / 1000);
    return `${seen.name} ${address} (${seen.status} for ${seconds}s)`;
  });
  const quorum = `${aliveCount} of ${voters.length} servers are there and ${neededCount} are needed`;
  return `${NO_LEADER}: ${quorum}; missing: ${names.join(", ")}`;
}
const NO_LEADER = "No cluster leader";

/** With brackets around an IPv6 address. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
