/**
 * Who belongs to the cluster, and the ways to change it: one server at a time (Ongaro, thesis §4.1), so that any
 * majority before a change shares a server with any majority after it.
 *
 * A configuration takes effect when it is appended, not when it is committed; raft-log.ts keeps those that can
 * still be fallen back to.
 */
import { unreachable } from "../errors/index.ts";

/** Made once for each server and kept for its life, wherever it listens. */
export type ServerId = string;
/** Nonvoters receive the log, count for nothing and never campaign. */
export type Suffrage = "voter" | "nonvoter";
export interface Server {
  readonly id: ServerId;
  /** "ip:port" of its RPC port. */
  readonly address: string;
  readonly suffrage: Suffrage;
}
export interface Configuration {
  readonly servers: readonly Server[];
}

export type Change =
  | Readonly<{ kind: "addVoter" | "addNonvoter"; id: ServerId; address: string }>
  | Readonly<{ kind: "demote" | "remove"; id: ServerId }>;

export const NO_SERVERS: Configuration = { servers: [] };

export function serverOf({ servers }: Configuration, id: ServerId): Server | undefined {
  return servers.find((server) => server.id === id);
}

export function isVoter(configuration: Configuration, id: ServerId): boolean {
  return serverOf(configuration, id)?.suffrage === "voter";
}

export function votersOf({ servers }: Configuration): readonly Server[] {
  return servers.filter(({ suffrage }) => suffrage === "voter");
}

/** What `change` makes of it; itself where there is nothing to change. hashicorp/raft's table of outcomes. */
export function changed(configuration: Configuration, change: Change): Configuration {
  const { servers } = configuration;
  const known = serverOf(configuration, change.id);
  const instead = (server: Server): Configuration => ({
    servers: servers.map((other) => (other.id === server.id ? server : other)),
  });
  switch (change.kind) {
    case "addVoter":
    case "addNonvoter": {
      const { id, address } = change;
      const wanted = change.kind === "addVoter" ? "voter" : "nonvoter";
      if (known === undefined) return { servers: [...servers, { id, address, suffrage: wanted }] };
      // Adding does not take a vote away: that is what demoting is for.
      const suffrage = known.suffrage === "voter" ? "voter" : wanted;
      if (known.address === address && known.suffrage === suffrage) return configuration;
      return instead({ id, address, suffrage });
    }
    case "demote":
      if (known?.suffrage !== "voter") return configuration;
      return instead({ ...known, suffrage: "nonvoter" });
    case "remove":
      if (known === undefined) return configuration;
      return { servers: servers.filter(({ id }) => id !== change.id) };
    default:
      return unreachable(change);
  }
}

/** Why a configuration must not be used, or undefined. */
export function faultOf(configuration: Configuration): string | undefined {
  const ids = new Set<string>();
  const addresses = new Set<string>();
  for (const { id, address } of configuration.servers) {
    if (id === "") return "empty ID in configuration";
    if (address === "") return "empty address in configuration";
    if (ids.has(id)) return `found duplicate ID in configuration: ${id}`;
    if (addresses.has(address)) return `found duplicate address in configuration: ${address}`;
    ids.add(id);
    addresses.add(address);
  }
  return votersOf(configuration).length === 0
    ? "need at least one voter in configuration"
    : undefined;
}

/** Of what each voter has, the most that a majority of them has. Nobody votes: nothing. */
export function majorityValue(values: readonly number[], majority: number): number {
  if (values.length === 0 || majority > values.length) return Number.NEGATIVE_INFINITY;
  const descending = [...values].sort((a, b) => b - a);
  return descending[majority - 1] as number;
}
