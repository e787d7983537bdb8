/**
 * Figures about the agent's parts, as `consul info` lists them, all of them as text. Left out of `runtime` are
 * `goroutines` and Go's `version`, which there are none of.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { CONSUL_VERSION } from "../model/index.ts";
import type { Host } from "../platform/index.ts";
import type { Serf } from "../serf/index.ts";
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
  readonly server: {
    readonly leaderAddress: string;
    readonly lastIndex: number;
    readonly term: number;
  };
  readonly pools: { readonly lan: Serf; readonly wan: Serf | undefined };
}

type Figures = Readonly<Record<string, string | number | boolean>>;

export function statsOf(needs: StatsNeeds): Record<string, Record<string, string>> {
  const { config, host, counts, server, pools } = needs;
  return {
    agent: texts({
      check_monitors: counts.monitors,
      check_ttls: counts.ttlChecks,
      checks: counts.checks,
      services: counts.services,
    }),
    build: { prerelease: "", revision: "", version: CONSUL_VERSION },
    consul: texts({
      acl: "disabled",
      bootstrap: config.bootstrap,
      known_datacenters: 1,
      leader: true,
      leader_addr: server.leaderAddress,
      server: config.server,
    }),
    raft: texts(raftFigures(needs)),
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

/** A lone server's log: committed as it is written, and without snapshots. */
function raftFigures({ nodeId, server: { lastIndex, leaderAddress, term } }: StatsNeeds): Figures {
  return {
    applied_index: lastIndex,
    commit_index: lastIndex,
    fsm_pending: 0,
    last_contact: 0,
    last_log_index: lastIndex,
    last_log_term: term,
    last_snapshot_index: 0,
    last_snapshot_term: 0,
    latest_configuration: `[{Suffrage:Voter ID:${nodeId} Address:${leaderAddress}}]`,
    latest_configuration_index: 0,
    num_peers: 0,
    protocol_version: 3,
    protocol_version_max: 3,
    protocol_version_min: 0,
    snapshot_version_max: 1,
    snapshot_version_min: 0,
    state: "Leader",
    term,
  };
}

function texts(figures: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(figures).map(([name, value]) => [name, String(value)] as const);
  return sortedByKey(Object.fromEntries(entries));
}
