/** `rollcall kv get`: prints a value, what is known about it, or the keys and values under a prefix. */
import { decodeKeyText, encodeBase64, encodeKeyText, type DirEntry } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, Failure, refuseArguments, type Command } from "./command.ts";
import { getKey, listEntries, listKeys, withoutLeadingSlash } from "./kv-api.ts";
import { tabbed } from "./table.ts";

export const kvGet: Command = {
  name: "kv get",
  usage: `
Usage: rollcall kv get [options] [KEY_OR_PREFIX]

  Prints the value of a key exactly as it is stored, and a line end. That the
  key does not exist is an error.

      $ rollcall kv get config/redis/maxconns

  With all that is known about it, such as the ModifyIndex for "-cas":

      $ rollcall kv get -detailed config/redis/maxconns

  Everything under a prefix, or only the keys up to the next "/":

      $ rollcall kv get -recurse config/
      $ rollcall kv get -keys config/`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    namespaceFlag,
    { name: "base64", kind: "bool", help: "Print values in base64." },
    { name: "detailed", kind: "bool", help: "Print indexes, flags and lock with the value." },
    { name: "keys", kind: "bool", help: "List keys that begin with the prefix, without values." },
    { name: "recurse", kind: "bool", help: "Print all entries whose key begins with the prefix." },
    {
      name: "separator",
      kind: "text",
      help: 'With -keys: keys are cut after the first such text that follows the prefix. Empty for whole keys. Default: "/".',
    },
  ],
  async run(context) {
    const { args, flags, stdout } = context;
    refuseArguments(args, 1);
    const key = withoutLeadingSlash(args[0] ?? "");
    if (key === "" && !flags.on("keys") && !flags.on("recurse")) {
      throw new Failure("Error! Missing KEY argument");
    }
    using api = await openApi(context);
    const asking = "Error querying Consul agent";
    const print = (text: string): void => stdout(encodeKeyText(`${text}\n`));
    const valueOf = ({ Value }: DirEntry): string => {
      const bytes = Value ?? new Uint8Array();
      return flags.on("base64") ? encodeBase64(bytes) : decodeKeyText(bytes);
    };
    if (flags.on("keys")) {
      const separator = flags.given("separator") ? flags.text("separator") : "/";
      const keys = await during(asking, listKeys(api, key, separator));
      for (const found of keys) print(found);
      return 0;
    }
    if (flags.on("recurse")) {
      const entries = await during(asking, listEntries(api, key));
      for (const [index, entry] of entries.entries()) {
        if (!flags.on("detailed")) {
          print(`${entry.Key}:${valueOf(entry)}`);
          continue;
        }
        if (index > 0) print("");
        print(detailsOf(entry, valueOf(entry)));
      }
      return 0;
    }
    const entry = await during(asking, getKey(api, key));
    if (entry === undefined) throw new Failure(`Error! No key exists at: ${key}`);
    print(flags.on("detailed") ? detailsOf(entry, valueOf(entry)) : valueOf(entry));
    return 0;
  },
};

function detailsOf(entry: DirEntry, value: string): string {
  const rows = [
    ["CreateIndex", entry.CreateIndex],
    ["Flags", entry.Flags],
    ["Key", entry.Key],
    ["LockIndex", entry.LockIndex],
    ["ModifyIndex", entry.ModifyIndex],
    ["Session", entry.Session === "" ? "-" : entry.Session],
    ["Value", value],
  ];
  return tabbed(rows.map(([name, field]) => `${name}\t${field}`).join("\n"));
}
