/** `rollcall join`: tells a running agent to join the cluster of others. */
import { messageOf, RollcallError } from "../errors/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { Failure, type Command } from "./command.ts";
import { misused } from "./command-usage.ts";

export const join: Command = {
  name: "join",
  usage: `
Usage: rollcall join [options] address ...

  Makes the agent join a cluster through any of its members. One address that
  answers is enough.

      $ rollcall join 10.0.0.11 10.0.0.12`,
  flags: [
    ...clientFlags,
    {
      name: "wan",
      kind: "bool",
      help: "Join a server of another datacenter, over the WAN.",
    },
  ],
  async run(context) {
    const { args, flags, stdout, stderr } = context;
    if (args.length === 0) {
      return misused(context, join, "At least one address to join must be specified.");
    }
    using api = await openApi(context);
    let joinedCount = 0;
    for (const address of args) {
      try {
        await api.ok({
          method: "PUT",
          path: `/v1/agent/join/${address}`,
          query: flags.on("wan") ? [["wan", "1"]] : [],
        });
        joinedCount += 1;
      } catch (error) {
        if (!(error instanceof RollcallError)) throw error;
        stderr(`Error joining address '${address}': ${messageOf(error)}\n`);
      }
    }
    if (joinedCount === 0) throw new Failure("Failed to join any nodes.");
    stdout(`Successfully joined cluster by contacting ${joinedCount} nodes.\n`);
    return 0;
  },
};
