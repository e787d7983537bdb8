/** `rollcall leave`: the agent leaves its cluster gracefully and stops. */
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";
import { commandUsage } from "./command-usage.ts";

export const leave: Command = {
  name: "leave",
  usage: `
Usage: rollcall leave [options]

  Makes the agent leave its cluster and stop. Other members see that it left, and
  do not take it for failed; what it had registered goes from the catalog.`,
  flags: clientFlags,
  async run(context) {
    const { args, stdout, stderr } = context;
    if (args.length > 0) {
      stderr(`Error found unexpected args: [${args.join(" ")}]\n`);
      stdout(commandUsage(leave));
      return 1;
    }
    using api = await openApi(context);
    await during("Error leaving", api.ok({ method: "PUT", path: "/v1/agent/leave" }));
    stdout("Graceful leave complete\n");
    return 0;
  },
};
