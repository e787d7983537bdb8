/** `rollcall kv delete`: removes a key, or all keys with a prefix. */
import { openApi } from "./api-client.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, Failure, refuseArguments, type Command } from "./command.ts";
import { deleteKeys, withoutLeadingSlash } from "./kv-api.ts";

export const kvDelete: Command = {
  name: "kv delete",
  usage: `
Usage: rollcall kv delete [options] KEY_OR_PREFIX

  Removes a key. One that is not there is no error.

      $ rollcall kv delete config/redis/maxconns

  Remove everything whose key begins with a text. It is a prefix and not a
  folder: "app" takes "apple" with it, "app/" does not.

      $ rollcall kv delete -recurse app/`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    namespaceFlag,
    { name: "cas", kind: "bool", help: "Remove only if the key's ModifyIndex is -modify-index." },
    { name: "modify-index", kind: "uint", help: "ModifyIndex that -cas expects." },
    { name: "recurse", kind: "bool", help: "Remove all keys that begin with the prefix." },
  ],
  async run(context) {
    const { args, flags, stdout } = context;
    refuseArguments(args, 1);
    const key = withoutLeadingSlash(args[0] ?? "");
    const [cas, recurse] = [flags.on("cas"), flags.on("recurse")];
    const index = flags.uint("modify-index");
    if (key === "" && !recurse) throw new Failure("Error! Missing KEY argument");
    if (cas && index === 0n) throw new Failure("Must specify -modify-index with -cas!");
    if (!cas && index !== 0n) throw new Failure("Cannot specify -modify-index without -cas!");
    if (cas && recurse) throw new Failure("Cannot specify both -cas and -recurse!");

    using api = await openApi(context);
    if (recurse) {
      await during(`Error! Did not delete prefix ${key}`, deleteKeys(api, key, { recurse }));
      stdout(`Success! Deleted keys with prefix: ${key}\n`);
      return 0;
    }
    if (cas) {
      const doing = `Error! Did not delete key ${key}`;
      const deleted = await during(doing, deleteKeys(api, key, { cas: index }));
      if (!deleted) throw new Failure(`${doing}: CAS failed`);
    } else {
      await during(`Error deleting key ${key}`, deleteKeys(api, key, {}));
    }
    stdout(`Success! Deleted key: ${key}\n`);
    return 0;
  },
};
