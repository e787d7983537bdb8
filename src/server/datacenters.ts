/**
 * The servers of all datacenters, as the WAN pool tells of them: which datacenters there are, the nearest first, and
 * whom of another one to ask (Consul: agent/router).
 */
import { distanceNs, type NetworkCoordinate, type NodeCoordinate } from "../model/index.ts";
import type { Random } from "../platform/index.ts";
import type { DatacenterMap, RemoteServer } from "../rpc/index.ts";
import type { PoolMember } from "./pool-member.ts";
import { knownServer, type KnownServer } from "./server-directory.ts";

export interface DatacentersNeeds {
  /** The datacenter of this server. */
  readonly own: string;
  readonly random: Random;
  /** Of the WAN pool, in any status. */
  readonly members: () => readonly PoolMember[];
  /** Of the members of the WAN pool, by name; this server's is among them. */
  readonly coordinates: () => ReadonlyMap<string, NetworkCoordinate>;
  /** This server's name in the WAN pool. */
  readonly ownName: string;
}

export class Datacenters {
  readonly #needs: DatacentersNeeds;
  /** How many servers of a datacenter are passed over: those before have failed. */
  readonly #turns = new Map<string, number>();

  constructor(needs: DatacentersNeeds) {
    this.#needs = needs;
  }

  /** The own one first, then by the median distance of their servers, then by name. */
  get names(): readonly string[] {
    const { own, coordinates } = this.#needs;
    const known = coordinates();
    const here = known.get(this.#needs.ownName);
    const distances = new Map<string, number[]>();
    for (const { name, tags } of this.#servers()) {
      const all = distances.get(tags.Datacenter) ?? [];
      distances.set(tags.Datacenter, all);
      all.push(distanceNs(here, known.get(name)));
    }
    distances.set(own, [-1]);
    return [...distances]
      .map(([name, all]) => ({ name, distance: median(all) }))
      .sort((a, b) => compare(a.distance, b.distance) || compare(a.name, b.name))
      .map(({ name }) => name);
  }

  /** Whom to ask in that datacenter; undefined when none of its servers is known to be alive. */
  serverIn(datacenter: string): RemoteServer | undefined {
    const alive = this.#servers()
      .filter(({ status, tags }) => tags.Datacenter === datacenter && status === "alive")
      .sort((a, b) => compare(a.name, b.name));
    return alive[this.#turnOf(datacenter) % alive.length];
  }

  aliveCount(datacenter: string): number {
    return this.#servers().filter(
      ({ status, tags }) => tags.Datacenter === datacenter && status === "alive",
    ).length;
  }

  isKnown(datacenter: string): boolean {
    return this.#servers().some(({ tags }) => tags.Datacenter === datacenter);
  }

  /** It did not answer: another one is asked from now on. */
  failed(datacenter: string): void {
    this.#turns.set(datacenter, this.#turnOf(datacenter) + 1);
  }

  #turnOf(datacenter: string): number {
    let turn = this.#turns.get(datacenter);
    if (turn === undefined) {
      // By chance, so that not all servers here ask the same one there.
      turn = Math.floor(this.#needs.random.float() * 2 ** 16);
      this.#turns.set(datacenter, turn);
    }
    return turn;
  }

  #servers(): KnownServer[] {
    return this.#needs.members().flatMap((member) => {
      const server = knownServer(member);
      const isThere = server !== undefined && !HAS_GONE.has(server.status);
      return isThere ? [server] : [];
    });
  }
}

/** By datacenter, its servers under their own names. */
export function datacenterMaps(
  coordinates: ReadonlyMap<string, NetworkCoordinate>,
): readonly DatacenterMap[] {
  const byDatacenter = new Map<string, NodeCoordinate[]>();
  for (const [name, Coord] of coordinates) {
    const dot = name.lastIndexOf(".");
    const datacenter = name.slice(dot + 1);
    const known = byDatacenter.get(datacenter) ?? [];
    known.push({ Node: name.slice(0, dot), Segment: "", Coord });
    byDatacenter.set(datacenter, known);
  }
  return [...byDatacenter].map(([Datacenter, Coordinates]) => {
    return { Datacenter, AreaID: "wan", Coordinates };
  });
}

const HAS_GONE: ReadonlySet<PoolMember["status"]> = new Set(["left", "reaped"]);

function median(values: readonly number[]): number {
  return values.toSorted(compare)[Math.floor(values.length / 2)] ?? Number.POSITIVE_INFINITY;
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
