/** `rollcall operator autopilot get-config`: how the leader looks after the set of servers. */
import { formatDuration, goQuote } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { readAutopilotConfig } from "./autopilot-config.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";

export const operatorAutopilotGetConfig: Command = {
  name: "operator autopilot get-config",
  usage: `
Usage: rollcall operator autopilot get-config [options]

  Prints the settings by which the leader removes dead servers and lets new ones
  vote.`,
  flags: [...clientFlags, ...serverFlags],
  async run(context) {
    using api = await openApi(context);
    const asked = readAutopilotConfig(api);
    const config = await during("Error querying Autopilot configuration", asked);
    const rows = [
      ["CleanupDeadServers", config.CleanupDeadServers],
      ["LastContactThreshold", formatDuration(config.LastContactThreshold)],
      ["MaxTrailingLogs", config.MaxTrailingLogs],
      ["MinQuorum", config.MinQuorum],
      ["ServerStabilizationTime", formatDuration(config.ServerStabilizationTime)],
      ["RedundancyZoneTag", goQuote(config.RedundancyZoneTag)],
      ["DisableUpgradeMigration", config.DisableUpgradeMigration],
      ["UpgradeVersionTag", goQuote(config.UpgradeVersionTag)],
    ];
    context.stdout(rows.map(([name, value]) => `${name} = ${value}\n`).join(""));
    return 0;
  },
};
