/** The pools as this agent's server needs it. */
import type { RuntimeConfig } from "../config/index.ts";
import type { ServerPool } from "../server/index.ts";
import { NEW_LEADER_EVENT, serfNameOfEvent } from "../wire/index.ts";
import { poolMember } from "./members.ts";
import { poolNodeName } from "./pool-tags.ts";
import type { Pools } from "./pools.ts";

export function serverPool(pools: Pools, config: RuntimeConfig): ServerPool {
  const { lan, wan } = pools;
  const { nodeName } = config;
  return {
    members: () => lan.members().map((member) => poolMember(member)),
    announceLeader: () => lan.fireEvent(NEW_LEADER_EVENT, new TextEncoder().encode(nodeName)),
    forceLeave: (name) => lan.forceLeave(name, { prune: false }),
    fireConsulEvent: (name, payload) => lan.fireEvent(serfNameOfEvent(name), payload),
    keyring: ({ Operation, Key, RelayFactor, LocalOnly }) =>
      pools.keyring({
        operation: Operation,
        key: Key,
        relayFactor: RelayFactor,
        localOnly: LocalOnly,
      }),
    wan: {
      ownName: poolNodeName(config, "wan"),
      members: () => wan?.members().map((member) => poolMember(member)) ?? [],
      coordinates: () => pools.wanCoordinates(),
    },
  };
}
