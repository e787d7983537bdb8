/** `rollcall monitor`: the agent's log as it is written, at a level of one's own. */
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";
import { untilSignal } from "./until-signal.ts";

const GONE =
  "\nRemote side ended the monitor! This usually means that the\nremote side has exited or crashed.\n";

export const monitor: Command = {
  name: "monitor",
  usage: `
Usage: rollcall monitor [options]

  Shows what the agent logs from now on, until interrupted. The level is that of
  this view; the agent's own log does not change.

      $ rollcall monitor -log-level=debug`,
  flags: [
    ...clientFlags,
    { name: "log-json", kind: "bool", help: "Show each record as JSON." },
    {
      name: "log-level",
      kind: "text",
      help: "Least level to show: trace, debug, info, warn or err. Default: info.",
    },
  ],
  async run(context) {
    const { flags, stdout } = context;
    using api = await openApi(context);
    using interrupted = untilSignal(context);
    const { signal } = interrupted;
    const opened = api.stream({
      method: "GET",
      path: "/v1/agent/monitor",
      query: [
        ...(flags.on("log-json") ? ([["logjson", "true"]] as const) : []),
        ["loglevel", flags.given("log-level") ? flags.text("log-level") : "info"],
      ],
      signal,
    });
    try {
      for await (const piece of await during("Error starting monitor", opened)) stdout(piece);
    } catch (error) {
      if (signal.aborted) return 0;
      if (!isConnectionError(error)) throw error;
    }
    stdout(GONE);
    return 1;
  },
};

/** What Node says when the agent goes away in the middle of its answer. */
function isConnectionError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}
