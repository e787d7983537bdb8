/** `rollcall snapshot inspect`: what a snapshot's file holds, and whether it is whole. */
import { during, Failure, refuseArguments, type Command } from "./command.ts";
import { readNamedFile } from "./named-file.ts";
import { FILE_MISSING, verifySnapshot } from "./snapshot-file.ts";
import { tabbed } from "./table.ts";

export const snapshotInspect: Command = {
  name: "snapshot inspect",
  usage: `
Usage: rollcall snapshot inspect FILE

  Checks the sums of a snapshot and shows what it is of. No agent is asked.

      $ rollcall snapshot inspect backup.snap`,
  flags: [],
  async run({ args, platform, stdout }) {
    refuseArguments(args, 1);
    const [file] = args;
    if (file === undefined) throw new Failure(FILE_MISSING);
    const bytes = await during("Error opening snapshot file", readNamedFile(file, platform.disk));
    const meta = await during("Error verifying snapshot", verifySnapshot(bytes));
    const { ID, Size, Index, Term, Version } = meta;
    const rows = Object.entries({ ID, Size, Index, Term, Version });
    stdout(`${tabbed(rows.map(([name, value]) => `${name}\t${value}\n`).join(""))}\n`);
    return 0;
  },
};
