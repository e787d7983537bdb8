/** `rollcall operator raft transfer-leader`: another server leads, before this one goes down. */
import { openApi } from "./api-client.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";

export const operatorRaftTransferLeader: Command = {
  name: "operator raft transfer-leader",
  usage: `
Usage: rollcall operator raft transfer-leader [options]

  Has another server lead: the one with "-id", or whichever has most of the log.

      $ rollcall operator raft transfer-leader -id=<node id>`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    { name: "id", kind: "text", help: "ID of the server that is to lead." },
  ],
  async run(context) {
    const { flags, stdout } = context;
    using api = await openApi(context);
    const id = flags.text("id");
    const asked = api.ok({
      method: "POST",
      path: "/v1/operator/raft/transfer-leader",
      query: id === "" ? [] : [["id", id]],
    });
    await during("Error transferring leadership", asked);
    stdout("Success\n");
    return 0;
  },
};
