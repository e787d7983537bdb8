/**
 * `rollcall operator autopilot set-config`: changes some settings of autopilot and leaves the others. It writes
 * only if nobody else has written since it read.
 */
import { jsonEncoder } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { AUTOPILOT_PATH, AutopilotConfig, readAutopilotConfig } from "./autopilot-config.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, Failure, type Command } from "./command.ts";
import type { CommandFlags } from "./flags.ts";

const encode = jsonEncoder(AutopilotConfig);
const NANOSECONDS_PER_MS = 1e6;

export const operatorAutopilotSetConfig: Command = {
  name: "operator autopilot set-config",
  usage: `
Usage: rollcall operator autopilot set-config [options]

  Changes the settings that are given.

      $ rollcall operator autopilot set-config -cleanup-dead-servers=false`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    {
      name: "cleanup-dead-servers",
      kind: "bool",
      wording: "strconv",
      value: "true|false",
      help: "Whether a dead server is removed once a new one has been added.",
    },
    {
      name: "disable-upgrade-migration",
      kind: "bool",
      wording: "strconv",
      value: "true|false",
      help: "Whether new servers vote at once during an upgrade (Consul Enterprise).",
    },
    {
      name: "last-contact-threshold",
      kind: "duration",
      wording: "strconv",
      value: "200ms",
      help: "How long a server may be without word from the leader before it counts as unhealthy.",
    },
    {
      name: "max-trailing-logs",
      kind: "uint",
      wording: "strconv",
      value: "value",
      help: "How many entries of the log a server may be behind before it counts as unhealthy.",
    },
    {
      name: "min-quorum",
      kind: "uint",
      wording: "strconv",
      value: "value",
      help: "With fewer servers than this, dead ones are not removed.",
    },
    {
      name: "redundancy-zone-tag",
      kind: "text",
      value: "value",
      help: "Key of the node metadata that names a server's zone (Consul Enterprise).",
    },
    {
      name: "server-stabilization-time",
      kind: "duration",
      wording: "strconv",
      value: "10s",
      help: "How long a new server must be healthy before it votes.",
    },
    {
      name: "upgrade-version-tag",
      kind: "text",
      value: "value",
      help: "Key of the node metadata with a server's version; empty for the build's own (Consul Enterprise).",
    },
  ],
  async run(context) {
    const { flags, stdout } = context;
    using api = await openApi(context);
    const current = await during(
      "Error querying Autopilot configuration",
      readAutopilotConfig(api),
    );
    const written = await during(
      "Error setting Autopilot configuration",
      api.ok({
        method: "PUT",
        path: AUTOPILOT_PATH,
        query: [["cas", String(current.ModifyIndex)]],
        body: `${encode(changed(current, flags))}\n`,
      }),
    );
    if (!written.includes("true")) {
      throw new Failure("Configuration could not be atomically updated, please try again");
    }
    stdout("Configuration updated!\n");
    return 0;
  },
};

function changed(current: AutopilotConfig, flags: CommandFlags): AutopilotConfig {
  const given = <T>(name: string, was: T, read: (name: string) => T): T =>
    flags.given(name) ? read(name) : was;
  const on = (name: string): boolean => flags.on(name);
  const text = (name: string): string => flags.text(name);
  const uint = (name: string): bigint => flags.uint(name);
  const duration = (name: string): number => flags.durationMs(name) * NANOSECONDS_PER_MS;
  return {
    ...current,
    CleanupDeadServers: given("cleanup-dead-servers", current.CleanupDeadServers, on),
    LastContactThreshold: given("last-contact-threshold", current.LastContactThreshold, duration),
    MaxTrailingLogs: given("max-trailing-logs", current.MaxTrailingLogs, uint),
    MinQuorum: given("min-quorum", current.MinQuorum, uint),
    ServerStabilizationTime: given(
      "server-stabilization-time",
      current.ServerStabilizationTime,
      duration,
    ),
    RedundancyZoneTag: given("redundancy-zone-tag", current.RedundancyZoneTag, text),
    DisableUpgradeMigration: given(
      "disable-upgrade-migration",
      current.DisableUpgradeMigration,
      on,
    ),
    UpgradeVersionTag: given("upgrade-version-tag", current.UpgradeVersionTag, text),
  };
}
