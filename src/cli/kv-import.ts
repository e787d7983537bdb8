/** `rollcall kv import`: writes the entries that `rollcall kv export` printed. */
import { messageOf, RollcallError } from "../errors/index.ts";
import {
  decodeBase64,
  jsonDecoder,
  list,
  struct,
  text,
  uint64,
  type Static,
} from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, Failure, type Command } from "./command.ts";
import { readData } from "./data-argument.ts";
import { putKey } from "./kv-api.ts";

const Entry = struct("Entry", { key: text(), flags: uint64(), value: text() });
type Entry = Static<typeof Entry>;
const decodeEntries = jsonDecoder(list(Entry), { unknown: "ignore" });

export const kvImport: Command = {
  name: "kv import",
  usage: `
Usage: rollcall kv import [DATA]

  Writes the entries that "rollcall kv export" printed, one after the other, and
  stops at the first that fails: those before it are written. Keys that are
  there and not in DATA stay.

      $ rollcall kv import @app.json
      $ rollcall kv export app/ | rollcall kv import -http-addr=10.0.0.9:8500 -`,
  flags: [...clientFlags, ...serverFlags, namespaceFlag],
  async run(context) {
    const { args, stdout } = context;
    if (args.length > 1) {
      throw new Failure(`Error! Too many arguments (expected 1, got ${args.length})`);
    }
    if (args[0] === undefined) throw new Failure("Error! Missing DATA argument");
    if (args[0] === "") throw new Failure("Error! Empty DATA argument");
    const entries = parseEntries(Buffer.from(await readData(args[0], context)).toString("utf8"));
    using api = await openApi(context);
    for (const { key, flags, value } of entries) {
      const bytes = decodeValue(key, value);
      await during(`Error! Failed writing data for key ${key}`, putKey(api, key, bytes, { flags }));
      stdout(`Imported: ${key}\n`);
    }
    return 0;
  },
};

function decodeValue(key: string, value: string): Uint8Array {
  try {
    return decodeBase64(value);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw new Failure(`Error base 64 decoding value for key ${key}: ${messageOf(error)}`);
  }
}

function parseEntries(json: string): readonly Entry[] {
  try {
    const entries = decodeEntries(json) ?? [];
    const surplus = afterFirstValue(json);
    if (surplus !== undefined) {
      throw new Failure(
        `Cannot unmarshal data: invalid character '${surplus}' after top-level value`,
      );
    }
    return entries;
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    const text = messageOf(error);
    const ended = text === "EOF" || text === "unexpected EOF";
    throw new Failure(
      `Cannot unmarshal data: ${ended ? "unexpected end of JSON input" : withTypeNames(text)}`,
    );
  }
}

/** The decoder names types as the agent does. */
function withTypeNames(text: string): string {
  return text.replace("[]structs.", "[]*impexp.").replace("structs.", "impexp.");
}

/**
 * What the decoder does not look at: two exports in one file, say, of which only the first would be read.
 * @param json text that begins with a list or null
 */
function afterFirstValue(json: string): string | undefined {
  let depth = 0;
  let ended = false;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|null|\S/gs)) {
    if (ended) return token.slice(0, 1);
    if (token === "[" || token === "{") depth += 1;
    if (token === "]" || token === "}") depth -= 1;
    ended = depth === 0;
  }
  return undefined;
}
