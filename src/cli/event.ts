/** `rollcall event`: sends a user event through the datacenter. */
import { jsonDecoder, struct, text } from "../model/index.ts";
import { agentSelf } from "./agent-self.ts";
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, Failure, type Command } from "./command.ts";
import { misused } from "./command-usage.ts";
import { patternFault } from "./status-pattern.ts";

const decodeEvent = jsonDecoder(struct("UserEvent", { ID: text() }), { unknown: "ignore" });

const FILTERS = ["node", "service", "tag"] as const;

export const event: Command = {
  name: "event",
  usage: `
Usage: rollcall event [options] [payload]

  Sends an event with a name, and a payload if you like, to all agents of the
  datacenter, or to those that match. Agents hand it to their watches of type
  "event". It is carried by gossip: quickly, but without promises about order or
  delivery.

      $ rollcall event -name=deploy -service=web 1609030`,
  flags: [
    ...clientFlags,
    { name: "name", kind: "text", help: "Name of the event." },
    {
      name: "node",
      kind: "text",
      help: "Only nodes whose name this regular expression matches.",
    },
    {
      name: "service",
      kind: "text",
      help: "Only nodes with a service whose name this regular expression matches.",
    },
    {
      name: "tag",
      kind: "text",
      help: "Only services with a tag that this regular expression matches. Needs -service.",
    },
  ],
  async run(context) {
    const { args, flags, stdout } = context;
    const name = flags.text("name");
    if (name === "") return misused(context, event, "Event name must be specified");
    for (const filter of FILTERS) {
      const fault = patternFault(flags.text(filter));
      if (fault !== undefined) {
        throw new Failure(`Failed to compile ${filter} filter regexp: ${fault}`);
      }
    }
    if (flags.text("tag") !== "" && flags.text("service") === "") {
      throw new Failure("Cannot provide tag filter without service filter.");
    }
    if (args.length > 1) return misused(context, event, "Too many command line arguments.");
    using api = await openApi(context);
    await agentSelf(api);
    const asked = api.ok({
      method: "PUT",
      path: `/v1/event/fire/${name}`,
      query: FILTERS.flatMap((filter) =>
        flags.text(filter) === "" ? [] : [[filter, flags.text(filter)] as const],
      ),
      body: args[0] ?? "",
    });
    const { ID } = await during("Error firing event", asked.then(decodeEvent));
    stdout(`Event ID: ${ID}\n`);
    return 0;
  },
};
