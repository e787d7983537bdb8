/** The settings of autopilot, as the `operator autopilot` commands read and write them. */
import {
  bool,
  duration,
  int,
  jsonDecoder,
  struct,
  text,
  uint64,
  type Static,
} from "../model/index.ts";
import type { ApiClient } from "./api-client.ts";

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

const decode = jsonDecoder(AutopilotConfig, { unknown: "ignore" });

export const AUTOPILOT_PATH = "/v1/operator/autopilot/configuration";

/** @throws {RollcallError} */
export async function readAutopilotConfig(api: ApiClient): Promise<AutopilotConfig> {
  return decode(await api.ok({ method: "GET", path: AUTOPILOT_PATH }));
}
