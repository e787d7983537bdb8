/** `rollcall catalog datacenters`. */
import { jsonDecoder, list, text } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, refuseArguments, type Command } from "./command.ts";

const decodeNames = jsonDecoder(list(text()), { unknown: "ignore" });

export const catalogDatacenters: Command = {
  name: "catalog datacenters",
  usage: `
Usage: rollcall catalog datacenters [options]

  Lists the known datacenters, one a line, nearest first by the round-trip times
  between servers.`,
  flags: [...clientFlags, ...serverFlags],
  async run(context) {
    refuseArguments(context.args, 0);
    using api = await openApi(context);
    const names = await during(
      "Error listing datacenters",
      api.ok({ method: "GET", path: "/v1/catalog/datacenters" }).then(decodeNames),
    );
    for (const name of names ?? []) context.stdout(`${name}\n`);
    return 0;
  },
};
