/** `rollcall kv export`: a tree of keys as JSON, for `rollcall kv import`. */
import { encodeBase64, jsonEncoder, text, type DirEntry } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, refuseArguments, type Command } from "./command.ts";
import { listEntries, withoutLeadingSlash } from "./kv-api.ts";

const quote = jsonEncoder(text());

export const kvExport: Command = {
  name: "kv export",
  usage: `
Usage: rollcall kv export [KEY_OR_PREFIX]

  Prints all entries whose key begins with a prefix as JSON, values in base64.
  "rollcall kv import" reads it.

      $ rollcall kv export app/ > app.json`,
  flags: [...clientFlags, ...serverFlags, namespaceFlag],
  async run(context) {
    refuseArguments(context.args, 1);
    using api = await openApi(context);
    const prefix = withoutLeadingSlash(context.args[0] ?? "");
    const entries = await during("Error querying Consul agent", listEntries(api, prefix));
    context.stdout(`${printEntries(entries)}\n`);
    return 0;
  },
};

function printEntries(entries: readonly DirEntry[]): string {
  if (entries.length === 0) return "[]";
  const items = entries.map(({ Key, Flags, Value }) => {
    const value = encodeBase64(Value ?? new Uint8Array());
    return `\t{\n\t\t"key": ${quote(Key)},\n\t\t"flags": ${Flags},\n\t\t"value": "${value}"\n\t}`;
  });
  return `[\n${items.join(",\n")}\n]`;
}
