/** `rollcall watch`: prints a view of the cluster once, or runs a program whenever it changes. */
import { encodeKeyText, parseBool, prettyJson } from "../model/index.ts";
import { lineLogger, type Logger } from "../platform/index.ts";
import { follow, planWatch, type WatchParameter } from "../watch/index.ts";
import { agentSelf } from "./agent-self.ts";
import { openApi } from "./api-client.ts";
import { childArgv, endFault, shellFlag, startProgram } from "./child-program.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import {
  Failure,
  type Child,
  type ChildEnd,
  type Command,
  type CommandContext,
} from "./command.ts";
import { misused } from "./command-usage.ts";
import { untilSignal } from "./until-signal.ts";

/** For agents' own watches and proxies: their results are of no use to a command. */
const AGENT_ONLY = new Set(["connect_roots", "connect_leaf", "agent_service"]);
const PARAMETERS = ["key", "prefix", "service", "tag", "passingonly", "state", "name"] as const;

export const watch: Command = {
  name: "watch",
  usage: `
Usage: rollcall watch [options] [child...]

  Prints what is asked for as JSON. With a program it goes on: the program is run
  now and after each change, with the JSON on its standard input and the index in
  the environment, as CONSUL_INDEX. It ends if the program fails.

      $ rollcall watch -type=service -service=web
      $ rollcall watch -type=keyprefix -prefix=app/ ./reconfigure.sh`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    shellFlag,
    { name: "key", kind: "text", help: "Key to watch. For -type=key." },
    { name: "name", kind: "text", help: "Only events of this name. For -type=event." },
    {
      name: "passingonly",
      kind: "text",
      help: "Whether to leave out instances that are not passing, true or false. For -type=service.",
    },
    { name: "prefix", kind: "text", help: "Prefix of keys to watch. For -type=keyprefix." },
    {
      name: "service",
      kind: "text",
      help: "Service to watch. For -type=service, and -type=checks if wanted.",
    },
    {
      name: "state",
      kind: "text",
      help: "Only checks in this state: passing, warning or critical. For -type=checks.",
    },
    {
      name: "tag",
      kind: "list",
      help: "Only instances with this tag. For -type=service. May be repeated.",
    },
    {
      name: "type",
      kind: "text",
      help: "What to watch: key, keyprefix, services, nodes, service, checks or event.",
    },
  ],
  async run(context) {
    const { args, flags } = context;
    const type = flags.text("type");
    if (type === "") return misused(context, watch, "Watch type must be specified");
    if (AGENT_ONLY.has(type)) throw new Failure(`Type ${type} is not supported in the CLI tool`);
    const plan = planWatch(type, parametersOf(context));
    using api = await openApi(context);
    await agentSelf(api);
    using interrupted = untilSignal(context);
    const { signal } = interrupted;
    const changes = follow({
      clock: context.platform.clock,
      logger: complaints(context),
      type,
      plan,
      ask: (path, query, until) => api.send({ method: "GET", path, query, signal: until }),
      signal,
    });
    try {
      for await (const { json, index } of changes) {
        if (args.length === 0) {
          context.stdout(encodeKeyText(`${prettyJson(json)}\n`));
          return 0;
        }
        if (!(await handled(context, json, index, signal))) return 0;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return 0;
  },
};

function parametersOf({ flags }: CommandContext): Map<WatchParameter, readonly string[]> {
  const given = new Map<WatchParameter, readonly string[]>();
  for (const name of PARAMETERS) {
    const values = name === "tag" ? flags.list(name) : [flags.text(name)];
    if (values.some((value) => value !== "")) given.set(name, values);
  }
  const passing = given.get("passingonly")?.[0];
  if (passing !== undefined) {
    const { value, error } = parseBool(passing);
    if (value === undefined) throw new Failure(`Failed to parse passingonly flag: ${error}`);
    given.set("passingonly", [String(value)]);
  }
  return given;
}

function complaints({ platform, stderr }: CommandContext): Logger {
  return lineLogger({
    clock: platform.clock,
    level: "error",
    json: false,
    write: (line) => stderr(`${line}\n`),
    zoneOffsetMinutes: (wallMs) => platform.host.zoneOffsetMinutes(wallMs),
  }).named("watch.watch");
}

/** @returns false if an interrupt came first; the program is then left to itself */
async function handled(
  context: CommandContext,
  json: string,
  index: bigint,
  signal: AbortSignal,
): Promise<boolean> {
  const child = await startProgram(context, {
    argv: childArgv(context.args, context.flags, context),
    env: { CONSUL_INDEX: String(index) },
    stdin: encodeKeyText(`${json}\n`),
  });
  const end = await endOrAbort(child, signal);
  if (end === undefined) {
    child.letGo();
    return false;
  }
  const fault = endFault(end);
  if (fault !== undefined) throw new Failure(`Error executing handler: ${fault}`);
  return true;
}

function endOrAbort(child: Child, signal: AbortSignal): Promise<ChildEnd | undefined> {
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    void child.ended.then((end) => {
      signal.removeEventListener("abort", onAbort);
      resolve(end);
    });
  });
}
