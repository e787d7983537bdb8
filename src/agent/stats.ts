/**
 * Figures about the agent's parts, as `consul info` lists them, all of them as text. Left out of `runtime` are
 * `goroutines` and Go's `version`, which there are none of.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { CONSUL_VERSION } from "../model/index.ts";
import type { Host } from "../platform/index.ts";
import type { Serf } from "../serf/index.ts";
import { contactText, type Consensus } from "../server/index.ts";
import type { Role } from "./role.ts";
import { sortedByKey } from "./debug-config.ts";

export interface StatsNeeds {
  readonly config: RuntimeConfig;
  readonly nodeId: string;
  readonly host: Host;
  readonly counts: {
    readonly services: number;
    readonly checks: number;
    readonly ttlChecks: number;
    readonly monitors: number;
  };
  readonly role: Role;
  readonly pools: { readonly lan: Serf; readonly wan: Serf | undefined };
}

type Figures = Readonly<Record<string, string | number | boolean>>;

export function statsOf(needs: StatsNeeds): Record<string, Record<string, string>> {
  const { config, host, counts, role, pools } = needs;
  return {
    agent: texts({
      check_monitors: counts.monitors,
      check_ttls: counts.ttlChecks,
      checks: counts.checks,
      services: counts.services,
    }),
    build: { prerelease: "", revision: "", version: CONSUL_VERSION },
    ...(role.kind === "server"
      ? {
          consul: texts({
            acl: "disabled",
            bootstrap: config.bootstrap,
            known_datacenters: role.knownDatacenterCount,
            leader: role.consensus.isLeader,
            leader_addr: role.consensus.leader?.address ?? "",
            server: true,
          }),
          raft: texts(raftFigures(role.consensus)),
        }
      : {
          consul: texts({ acl: "disabled", known_servers: role.knownServerCount, server: false }),
        }),
    runtime: texts({
      arch: host.arch,
      cpu_count: host.cpuCount,
      max_procs: host.cpuCount,
      os: host.os,
    }),
    serf_lan: texts({ ...pools.lan.stats() }),
    ...(pools.wan === undefined ? {} : { serf_wan: texts({ ...pools.wan.stats() }) }),
  };
}

function raftFigures(consensus: Consensus): Figures {
  const { members, lastContactMs, snapshot } = consensus;
  const servers = members.map(({ id, address, isVoter }) => {
    return `{Suffrage:${isVoter ? "Voter" : "Nonvoter"} ID:${id} Address:${address}}`;
  });
  return {
    applied_index: consensus.appliedIndex,
    commit_index: consensus.commitIndex,
    fsm_pending: 0,
    last_contact: contactText(lastContactMs),
    last_log_index: consensus.lastIndex,
    last_log_term: consensus.lastTerm,
    last_snapshot_index: snapshot.index,
    last_snapshot_term: snapshot.term,
    latest_configuration: `[${servers.join(" ")}]`,
    latest_configuration_index: consensus.membersIndex,
    num_peers: Math.max(0, members.filter(({ isVoter }) => isVoter).length - 1),
    protocol_version: 3,
    protocol_version_max: 3,
    protocol_version_min: 0,
    snapshot_version_max: 1,
    snapshot_version_min: 0,
    state: consensus.isLeader ? "Leader" : "Follower",
    term: consensus.term,
  };
}

function texts(figures: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(figures).map(([name, value]) => [name, String(value)] as const);
  return sortedByKey(Object.fromEntries(entries));
}
