/** `rollcall operator raft remove-peer`: takes a server that is gone for good out of the quorum. */
import { openApi } from "./api-client.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, Failure, type Command } from "./command.ts";

export const operatorRaftRemovePeer: Command = {
  name: "operator raft remove-peer",
  usage: `
Usage: rollcall operator raft remove-peer [options]

  Removes a server from the configuration of the log. Needed only where a server
  is gone and neither left nor was cleaned up; for one that is still a member use
  "rollcall force-leave".

      $ rollcall operator raft remove-peer -id=<node id>`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    { name: "address", kind: "text", help: "The server's address, as host:port." },
    { name: "id", kind: "text", help: "The server's ID." },
  ],
  async run(context) {
    const { flags, stdout } = context;
    const [address, id] = [flags.text("address"), flags.text("id")];
    const failing = "Error removing peer";
    if (address !== "" && id !== "") {
      throw new Failure(`${failing}: cannot give both an address and id`);
    }
    if (address === "" && id === "") {
      throw new Failure(`${failing}: an address or id is required for the peer to remove`);
    }
    using api = await openApi(context);
    const asked = api.ok({
      method: "DELETE",
      path: "/v1/operator/raft/peer",
      query: id === "" ? [["address", address]] : [["id", id]],
    });
    await during(failing, asked);
    stdout(
      id === "" ? `Removed peer with address "${address}"\n` : `Removed peer with id "${id}"\n`,
    );
    return 0;
  },
};
