/** `rollcall kv put`: writes a value, under a condition if asked. */
import { messageOf, RollcallError } from "../errors/index.ts";
import { decodeBase64 } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, Failure, type Command, type CommandContext } from "./command.ts";
import { readData } from "./data-argument.ts";
import { putKey, type Write } from "./kv-api.ts";

export const kvPut: Command = {
  name: "kv put",
  usage: `
Usage: rollcall kv put [options] KEY [DATA]

  Writes DATA under KEY. Without DATA the value is empty.

      $ rollcall kv put config/redis/maxconns 5

  DATA that begins with "@" names a file, and "-" is standard input:

      $ rollcall kv put config/licence @licence.txt
      $ date | rollcall kv put config/deployed -

  Write only if nobody else has written since it was read (see ModifyIndex in
  "rollcall kv get -detailed"; the exit code tells):

      $ rollcall kv put -cas -modify-index=844 config/redis/maxconns 5

  Hold a lock with a session that exists already:

      $ rollcall kv put -acquire -session=<id> service/leader node1`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    namespaceFlag,
    { name: "acquire", kind: "bool", help: "Lock the key for -session, creating it if need be." },
    { name: "base64", kind: "bool", help: "DATA is base64; what it encodes is written." },
    { name: "cas", kind: "bool", help: "Write only if the key's ModifyIndex is -modify-index." },
    {
      name: "flags",
      kind: "uint",
      help: "A number of the client's own, 64 bits, stored beside the value. Default: 0.",
    },
    { name: "modify-index", kind: "uint", help: "ModifyIndex that -cas expects." },
    { name: "release", kind: "bool", help: "Unlock the key, which -session must hold." },
    { name: "session", kind: "text", help: "ID of a session, for -acquire and -release." },
  ],
  async run(context) {
    const { flags, stdout } = context;
    const { key, value } = await readArguments(context);
    const session = flags.text("session");
    const acquire = flags.on("acquire");
    const release = !acquire && flags.on("release");
    if (session === "" && (acquire || release)) {
      throw new Failure("Error! Missing -session (required with -acquire and -release)");
    }
    const cas = flags.on("cas");
    if (cas && flags.uint("modify-index") === 0n) {
      throw new Failure("Must specify -modify-index with -cas!");
    }
    using api = await openApi(context);
    const numbered: Write = { flags: flags.uint("flags") };
    if (cas) {
      const write = { ...numbered, cas: flags.uint("modify-index") };
      const written = await during(
        `Error! Did not write to ${key}`,
        putKey(api, key, value, write),
      );
      if (!written) throw new Failure(`Error! Did not write to ${key}: CAS failed`);
      stdout(`Success! Data written to: ${key}\n`);
      return 0;
    }
    const write: Write = {
      ...numbered,
      ...(acquire ? { acquire: session } : {}),
      ...(release ? { release: session } : {}),
    };
    const written = await during("Error! Failed writing data", putKey(api, key, value, write));
    if (acquire || release) {
      if (!written) throw new Failure(`Error! Did not ${acquire ? "acquire" : "release"} lock`);
      stdout(`Success! Lock ${acquire ? "acquired" : "released"} on: ${key}\n`);
      return 0;
    }
    stdout(`Success! Data written to: ${key}\n`);
    return 0;
  },
};

async function readArguments(
  context: CommandContext,
): Promise<{ readonly key: string; readonly value: Uint8Array }> {
  const { args, flags } = context;
  const [key, data = ""] = args;
  if (key === undefined) throw new Failure("Error! Missing KEY argument");
  if (args.length > 2) {
    throw new Failure(`Error! Too many arguments (expected 1 or 2, got ${args.length})`);
  }
  const value = await readData(data, context);
  if (!flags.on("base64")) return { key, value };
  try {
    return { key, value: decodeBase64(Buffer.from(value).toString("latin1")) };
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    // Consul 1.8 goes on and writes as much as it could decode. Half a value is worse than none.
    throw new Failure(`Error! Cannot base 64 decode data: ${messageOf(error)}`);
  }
}
