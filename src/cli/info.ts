/** `rollcall info`: what the agent says about its own state, for people who look into a problem. */
import { jsonDecoder, map, struct, text } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";

const decodeStats = jsonDecoder(struct("Self", { Stats: map(map(text())) }), {
  unknown: "ignore",
});

export const info: Command = {
  name: "info",
  usage: `
Usage: rollcall info [options]

  Prints figures about the agent's parts: the process, what it checks, gossip,
  and on a server the log and the leader.`,
  flags: clientFlags,
  async run(context) {
    using api = await openApi(context);
    const asked = api.ok({ method: "GET", path: "/v1/agent/self" }).then(decodeStats);
    const { Stats } = await during("Error querying agent", asked);
    for (const [section, figures] of sorted(Stats ?? {})) {
      context.stdout(`${section}:\n`);
      for (const [name, value] of sorted(figures ?? {})) context.stdout(`\t${name} = ${value}\n`);
    }
    return 0;
  },
};

function sorted<T>(record: Readonly<Record<string, T>>): [name: string, value: T][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
