/** The nouns of autopilot, which looks after the servers of a cluster (Consul HTTP API, "Operator: Autopilot"). */
import { bool, duration, int, struct, text, uint64, type Static } from "./schema.ts";
import { MILLISECOND, SECOND } from "./duration.ts";

export const AutopilotConfig = struct("AutopilotConfiguration", {
  CleanupDeadServers: bool(),
  LastContactThreshold: duration({ output: "string" }),
  MaxTrailingLogs: uint64(),
  MinQuorum: uint64(),
  ServerStabilizationTime: duration({ output: "string" }),
  RedundancyZoneTag: text(),
  DisableUpgradeMigration: bool(),
  UpgradeVersionTag: text(),
  CreateIndex: int(),
  ModifyIndex: int(),
});
export type AutopilotConfig = Static<typeof AutopilotConfig>;

/** Body of log command 9. With `CAS`, only if the configuration's ModifyIndex is that of `Config`. */
export const AutopilotRequest = struct(
  "AutopilotSetConfigRequest",
  { Datacenter: text(), Config: AutopilotConfig, CAS: bool() },
  { Token: text() },
);
export type AutopilotRequest = Static<typeof AutopilotRequest>;

export const DEFAULT_AUTOPILOT: AutopilotConfig = {
  CleanupDeadServers: true,
  LastContactThreshold: 200 * MILLISECOND,
  MaxTrailingLogs: 250n,
  MinQuorum: 0n,
  ServerStabilizationTime: 10 * SECOND,
  RedundancyZoneTag: "",
  DisableUpgradeMigration: false,
  UpgradeVersionTag: "",
  CreateIndex: 0,
  ModifyIndex: 0,
};

/** A server as Raft and gossip see it. */
export interface ServerState {
  readonly ID: string;
  readonly Name: string;
  /** RPC address, `host:port`. */
  readonly Address: string;
  /** alive, failed or left. */
  readonly SerfStatus: string;
  readonly Version: string;
  readonly Leader: boolean;
  readonly Voter: boolean;
  readonly RaftProtocol: string;
  readonly LastContactMs: number;
  readonly LastTerm: number;
  readonly LastIndex: number;
  readonly Healthy: boolean;
  /** Wall clock. */
  readonly StableSinceMs: number;
}

/** The members of the log, as any server knows them. */
export interface RaftMembers {
  readonly Servers: readonly Pick<
    ServerState,
    "ID" | "Name" | "Address" | "Leader" | "Voter" | "RaftProtocol"
  >[];
  /** Of the log entry that they are from. */
  readonly Index: number;
}

/** How many more servers may fail before there is no quorum of voters. */
export function failureTolerance(servers: readonly ServerState[]): number {
  const voters = servers.filter(({ Voter }) => Voter);
  const quorum = Math.floor(voters.length / 2) + 1;
  return Math.max(0, voters.filter(({ Healthy }) => Healthy).length - quorum);
}
