/** `rollcall operator raft list-peers`: the servers that keep the log, and which of them leads. */
import { bool, jsonDecoder, list, struct, text } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";
import { table } from "./table.ts";

const RaftServer = struct("RaftServer", {
  ID: text(),
  Node: text(),
  Address: text(),
  Leader: bool(),
  ProtocolVersion: text(),
  Voter: bool(),
});
const decodePeers = jsonDecoder(struct("RaftConfiguration", { Servers: list(RaftServer) }), {
  unknown: "ignore",
});

const HEAD = ["Node", "ID", "Address", "State", "Voter", "RaftProtocol"];

export const operatorRaftListPeers: Command = {
  name: "operator raft list-peers",
  usage: `
Usage: rollcall operator raft list-peers [options]

  Lists the servers that keep the replicated log. With "-stale" any of them may
  answer, which is what helps while there is no leader.`,
  flags: [...clientFlags, ...serverFlags],
  async run(context) {
    using api = await openApi(context);
    const asked = api.ok({ method: "GET", path: "/v1/operator/raft/configuration" });
    const { Servers } = await during(
      "Error getting peers: Failed to retrieve raft configuration",
      asked.then(decodePeers),
    );
    const rows = (Servers ?? []).map((server) => [
      server.Node,
      server.ID,
      server.Address,
      server.Leader ? "leader" : "follower",
      String(server.Voter),
      server.ProtocolVersion === "" ? "<=1" : server.ProtocolVersion,
    ]);
    context.stdout(`${table([HEAD, ...rows])}\n`);
    return 0;
  },
};
