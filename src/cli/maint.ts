/** `rollcall maint`: takes a node or one of its services out of rotation, or shows what is out of it. */
import { HealthCheck, jsonDecoder, map } from "../model/index.ts";
import { agentSelf } from "./agent-self.ts";
import { openApi, type ApiClient } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, Failure, type Command, type CommandContext } from "./command.ts";

const decodeChecks = jsonDecoder(map(HealthCheck), { unknown: "ignore" });

const NODE_CHECK = "_node_maintenance";
const SERVICE_CHECK_PREFIX = "_service_maintenance:";

export const maint: Command = {
  name: "maint",
  usage: `
Usage: rollcall maint [options]

  Without options: lists what is in maintenance, if anything is.

  A node or service in maintenance gets a critical check, so that DNS and health
  queries do not return it. It stays so, through restarts too, until disabled.

      $ rollcall maint -enable -reason="kernel upgrade"
      $ rollcall maint -disable
      $ rollcall maint -enable -service=web-1`,
  flags: [
    ...clientFlags,
    { name: "disable", kind: "bool", help: "Put it back into rotation." },
    { name: "enable", kind: "bool", help: "Take it out of rotation." },
    { name: "reason", kind: "text", help: "Why, for those who find it so." },
    {
      name: "service",
      kind: "text",
      help: "ID of the one service to act on; else the whole node.",
    },
  ],
  async run(context) {
    const { flags } = context;
    const [enable, disable] = [flags.on("enable"), flags.on("disable")];
    const [reason, service] = [flags.text("reason"), flags.text("service")];
    if (enable && disable) {
      throw new Failure("Only one of -enable or -disable may be provided");
    }
    if (!enable && reason !== "") throw new Failure("Reason may only be provided with -enable");
    if (!enable && !disable && service !== "") {
      throw new Failure("Service requires either -enable or -disable");
    }
    using api = await openApi(context);
    if (!enable && !disable) return await show(api, context);
    const target = service === "" ? "node" : "service";
    await during(
      `Error ${enable ? "enabling" : "disabling"} ${target} maintenance`,
      api.ok({
        method: "PUT",
        path: service === "" ? "/v1/agent/maintenance" : `/v1/agent/service/maintenance/${service}`,
        query: enable
          ? [
              ["enable", "true"],
              ["reason", reason],
            ]
          : [["enable", "false"]],
      }),
    );
    const state = enable ? "enabled" : "disabled";
    context.stdout(
      service === ""
        ? `Node maintenance is now ${state}\n`
        : `Service maintenance is now ${state} for "${service}"\n`,
    );
    return 0;
  },
};

async function show(api: ApiClient, { stdout }: CommandContext): Promise<number> {
  const { nodeName } = await agentSelf(api);
  const checks = await during(
    "Error querying checks",
    api.ok({ method: "GET", path: "/v1/agent/checks" }).then(decodeChecks),
  );
  for (const check of Object.values(checks ?? {})) {
    if (check.CheckID === NODE_CHECK) {
      stdout(`Node:\n  Name:   ${nodeName}\n  Reason: ${check.Notes}\n\n`);
    } else if (check.CheckID.startsWith(SERVICE_CHECK_PREFIX)) {
      stdout(`Service:\n  ID:     ${check.ServiceID}\n  Reason: ${check.Notes}\n\n`);
    }
  }
  return 0;
}
