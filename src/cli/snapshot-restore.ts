/** `rollcall snapshot restore`: all state of the servers becomes that of a file. */
import { openApi } from "./api-client.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, Failure, refuseArguments, type Command } from "./command.ts";
import { readNamedFile } from "./named-file.ts";
import { FILE_MISSING } from "./snapshot-file.ts";

export const snapshotRestore: Command = {
  name: "snapshot restore",
  usage: `
Usage: rollcall snapshot restore [options] FILE

  Replaces all state of the servers by that of a snapshot, which may be of
  another cluster, or of Consul. Who the servers are stays as it is. It is there
  to stay once the command has ended: a leader that is lost before that may take
  it with it. Agents register their own services again within a minute or two.

      $ rollcall snapshot restore backup.snap`,
  flags: [...clientFlags, ...serverFlags],
  async run(context) {
    const { args, platform, stdout } = context;
    refuseArguments(args, 1);
    const [file] = args;
    if (file === undefined) throw new Failure(FILE_MISSING);
    const body = await during("Error opening snapshot file", readNamedFile(file, platform.disk));
    using api = await openApi(context);
    const asked = api.ok({ method: "PUT", path: "/v1/snapshot", body });
    await during("Error restoring snapshot", asked);
    stdout("Restored snapshot\n");
    return 0;
  },
};
