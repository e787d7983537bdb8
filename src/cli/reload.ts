/** `rollcall reload`: the agent reads its configuration files again, as on SIGHUP. */
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";

export const reload: Command = {
  name: "reload",
  usage: `
Usage: rollcall reload

  Makes the agent read its configuration files again, as SIGHUP does. If they
  cannot be used the error is printed, and the agent goes on as it was.`,
  flags: clientFlags,
  async run(context) {
    using api = await openApi(context);
    await during("Error reloading", api.ok({ method: "PUT", path: "/v1/agent/reload" }));
    context.stdout("Configuration reload triggered\n");
    return 0;
  },
};
