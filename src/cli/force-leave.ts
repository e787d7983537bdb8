/** `rollcall force-leave`: makes the cluster take a failed member for one that has left. */
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";
import { misused } from "./command-usage.ts";

export const forceLeave: Command = {
  name: "force-leave",
  usage: `
Usage: rollcall force-leave [options] name

  Gives up on a member that has failed and will not come back: its state becomes
  "left", and the cluster stops trying to reach it. A member that is alive after
  all joins again by itself.

      $ rollcall force-leave web-7`,
  flags: [
    ...clientFlags,
    {
      name: "prune",
      kind: "bool",
      help: "Take it off the list of members too.",
    },
  ],
  async run(context) {
    const [node, ...more] = context.args;
    if (node === undefined || more.length > 0) {
      const complaint = "A single node name must be specified to force leave.";
      return misused(context, forceLeave, complaint);
    }
    using api = await openApi(context);
    const asked = api.ok({
      method: "PUT",
      path: `/v1/agent/force-leave/${node}`,
      query: context.flags.on("prune") ? [["prune", "1"]] : [],
    });
    await during("Error force leaving", asked);
    return 0;
  },
};
