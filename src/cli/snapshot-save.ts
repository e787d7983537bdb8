/** `rollcall snapshot save`: all state of the servers, in a file. */
import { openApi } from "./api-client.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, Failure, refuseArguments, type Command } from "./command.ts";
import { FILE_MISSING, verifySnapshot } from "./snapshot-file.ts";

export const snapshotSave: Command = {
  name: "snapshot save",
  usage: `
Usage: rollcall snapshot save [options] FILE

  Saves all state of the servers as it is at one moment. The file is written
  when all of it has come and its sums are right. With "-stale" any server may
  give what it has, which is what is left while there is no leader.

      $ rollcall snapshot save backup.snap`,
  flags: [...clientFlags, ...serverFlags],
  async run(context) {
    const { args, platform, stdout } = context;
    refuseArguments(args, 1);
    const [file] = args;
    if (file === undefined) throw new Failure(FILE_MISSING);
    using api = await openApi(context);
    const asked = api.bytes({ method: "GET", path: "/v1/snapshot" });
    const bytes = await during("Error saving snapshot", asked);
    const { Index } = await during("Error verifying snapshot file", verifySnapshot(bytes));
    await during("Error writing snapshot file", platform.disk.replace(file, bytes));
    stdout(`Saved and verified snapshot to index ${Index}\n`);
    return 0;
  },
};
