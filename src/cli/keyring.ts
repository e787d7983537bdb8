/** `rollcall keyring`: the keys that gossip is encrypted with, on all members at once. */
import { bool, int, jsonDecoder, list, map, struct, text, type Static } from "../model/index.ts";
import { openApi, type ApiClient } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { Failure, type Command } from "./command.ts";
import { commandUsage } from "./command-usage.ts";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { CommandFlags } from "./flags.ts";
import type { Query } from "./go-url.ts";

const KeyringAnswer = struct("KeyringResponse", {
  WAN: bool(),
  Datacenter: text(),
  Segment: text(),
  Messages: map(text()),
  Keys: map(int()),
  PrimaryKeys: map(int()),
  NumNodes: int(),
});
type KeyringAnswer = Static<typeof KeyringAnswer>;
const decodeKeyrings = jsonDecoder(list(KeyringAnswer), { unknown: "ignore" });

const PATH = "/v1/operator/keyring";
const RELAY_FACTOR_MAX = 5;

/** One of them is to be given. `method` undefined: it lists. */
const ACTIONS = [
  { flag: "list", announce: "Gathering installed encryption keys", keys: "Keys" },
  {
    flag: "list-primary",
    announce: "Gathering installed primary encryption keys",
    keys: "PrimaryKeys",
  },
  { flag: "install", announce: "Installing new gossip encryption key", method: "POST" },
  { flag: "use", announce: "Changing primary gossip encryption key", method: "PUT" },
  { flag: "remove", announce: "Removing gossip encryption key", method: "DELETE" },
] as const;

export const keyring: Command = {
  name: "keyring",
  usage: `
Usage: rollcall keyring [options]

  Lists and changes the encryption keys of gossip, of the LAN and the WAN alike.
  Ask a server. To change the key of a cluster: install the new one, use it, and
  remove the old one; go on only after each step has worked on all members.

      $ rollcall keyring -list
      $ rollcall keyring -install=$(rollcall keygen)`,
  flags: [
    ...clientFlags,
    { name: "install", kind: "text", help: "Give all members this key, without using it yet." },
    { name: "list", kind: "bool", help: "List the keys, and how many members have each." },
    { name: "list-primary", kind: "bool", help: "List the keys that members encrypt with." },
    {
      name: "local-only",
      kind: "bool",
      help: "Ask only this datacenter. For -list and -list-primary.",
    },
    {
      name: "relay-factor",
      kind: "int",
      help: "Send each answer by so many other members too, 0 to 5, for a network that loses some. Default: 0.",
    },
    { name: "remove", kind: "text", help: "Take this key from all members." },
    { name: "use", kind: "text", help: "Encrypt with this key, which all must have." },
  ],
  async run(context) {
    const { flags, stdout, stderr } = context;
    const wanted = ACTIONS.filter(({ flag }) => flags.on(flag) || flags.text(flag) !== "");
    const [action] = wanted;
    if (action === undefined) {
      stderr(commandUsage(keyring));
      return 1;
    }
    if (wanted.length > 1) throw new Failure("Only a single action is allowed");
    const query = queryFrom(flags, action);
    stdout(`==> ${action.announce}...\n`);
    using api = await openApi(context);
    try {
      if ("method" in action) {
        const body = `${JSON.stringify({ Key: flags.text(action.flag) })}\n`;
        await api.ok({ method: action.method, path: PATH, query, body });
      } else {
        stdout(await listing(api, query, action.keys));
      }
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      throw new Failure(`error: ${messageOf(error)}`);
    }
    return 0;
  },
};

function queryFrom(flags: CommandFlags, action: (typeof ACTIONS)[number]): Query {
  const relayFactor = flags.int("relay-factor");
  if (relayFactor < 0 || relayFactor > RELAY_FACTOR_MAX) {
    throw new Failure(
      `Error parsing relay factor: Relay factor must be in range: [0, ${RELAY_FACTOR_MAX}]`,
    );
  }
  const localOnly = flags.on("local-only");
  if (localOnly && "method" in action) {
    throw new Failure("Error validating local-only: local-only can only be set for list requests");
  }
  const query: [string, string][] = [];
  if (relayFactor !== 0) query.push(["relay-factor", String(relayFactor)]);
  if (localOnly) query.push(["local-only", "true"]);
  return query;
}

async function listing(
  api: ApiClient,
  query: Query,
  which: "Keys" | "PrimaryKeys",
): Promise<string> {
  const answers = decodeKeyrings(await api.ok({ method: "GET", path: PATH, query })) ?? [];
  return answers
    .map((answer) => {
      const messages = sorted(answer.Messages).map(([node, said]) => `  ${node}: ${said}\n`);
      const keys = sorted(answer[which]).map(
        ([key, count]) => `  ${key} [${count}/${answer.NumNodes}]\n`,
      );
      return `\n${poolOf(answer)}:\n${messages.join("")}${keys.join("")}`;
    })
    .join("");
}

function poolOf({ WAN, Datacenter, Segment }: KeyringAnswer): string {
  if (WAN) return "WAN";
  return `${Datacenter} (LAN)${Segment === "" ? "" : ` [${Segment}]`}`;
}

function sorted<T>(record: Readonly<Record<string, T>> | null): [name: string, value: T][] {
  return Object.entries(record ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
