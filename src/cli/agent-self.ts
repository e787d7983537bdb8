/** Who the agent is that a command talks to. Commands that do more than ask start with this. */
import { jsonDecoder, struct, text } from "../model/index.ts";
import type { ApiClient } from "./api-client.ts";
import { during } from "./command.ts";

const decodeSelf = jsonDecoder(
  struct("Self", { Config: struct("Config", { Datacenter: text(), NodeName: text() }) }),
  { unknown: "ignore" },
);

export interface AgentSelf {
  readonly datacenter: string;
  readonly nodeName: string;
}

/** @throws {Failure} `Error querying Consul agent: …`, or whatever else `failing` is */
export async function agentSelf(
  api: ApiClient,
  failing = "Error querying Consul agent",
): Promise<AgentSelf> {
  const asked = api.ok({ method: "GET", path: "/v1/agent/self" }).then(decodeSelf);
  const { Config } = await during(failing, asked);
  return { datacenter: Config.Datacenter, nodeName: Config.NodeName };
}
