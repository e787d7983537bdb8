/** `rollcall recover`: the way out when a majority of the servers is gone for good. */
import { DisposableScope } from "../platform/index.ts";
import { describeEntry, compareSurvivors, openSurvivor, recoverAlone } from "../server/index.ts";
import type { Comparison, Elsewhere, Survivor } from "../server/index.ts";
import { during, Failure, type Command, type CommandContext } from "./command.ts";

export const recover: Command = {
  name: "recover",
  usage: `
Usage: rollcall recover [options] DATA-DIR...

  For when so many servers are lost for good that no leader can be elected. Give
  it the data directories that are left, or copies of them: it shows how far the
  log of each reaches and what is damaged, which of them is the safest to go on
  from, and what is lost by that. Nothing is changed.

      $ rollcall recover /backup/server1 /backup/server2

  With "-apply" the safest becomes a cluster of its own, of one server; add new
  ones to it as to any cluster, with empty data directories. All servers of the
  old cluster must be stopped, and must stay so.

      $ rollcall recover -apply /var/lib/rollcall /backup/server2`,
  flags: [
    { name: "apply", kind: "bool", help: "Make the safest a cluster of its own, after asking." },
    { name: "yes", kind: "bool", help: "Do not ask." },
    {
      name: "address",
      kind: "text",
      value: "host:port",
      help: "Where its RPC port will be, if no longer where it was.",
    },
  ],
  async run(context) {
    const { args, flags, platform, stdout } = context;
    if (args.length === 0) throw new Failure("Missing DATA-DIR argument");
    const survivors: Survivor[] = [];
    let safest: Survivor | undefined;
    {
      await using scope = new DisposableScope();
      for (const dataDir of args) {
        const opened = openSurvivor(platform, dataDir);
        survivors.push(scope.use(await during(`Error reading ${dataDir}`, opened)));
      }
      const comparison = await compareSurvivors(survivors);
      stdout(`${[...survivors.map(describe), verdict(survivors, comparison)].join("\n\n")}\n`);
      ({ safest } = comparison);
    }
    if (safest === undefined) return 1;
    return flags.on("apply") ? apply(context, safest) : 0;
  },
};

async function apply(
  context: CommandContext,
  { dataDir, nodeId, content }: Survivor,
): Promise<number> {
  const { flags, platform, stdout, readLine } = context;
  if (nodeId === undefined) {
    throw new Failure(`Error recovering ${dataDir}: it has no file "node-id": copy that too`);
  }
  const known = content?.configuration.servers.find(({ id }) => id === nodeId)?.address ?? "";
  const address = flags.text("address") || known;
  if (address === "") {
    throw new Failure(`Error recovering ${dataDir}: its address is not known, give -address`);
  }
  if (!flags.on("yes")) {
    stdout(
      `\nThis makes ${dataDir} a cluster of its own: server ${nodeId} at ${address}.\n` +
        `No server may run on it, and none of the others may ever be started again.\n` +
        `Only "yes" is taken for an answer: `,
    );
    if ((await readLine()).trim() !== "yes") {
      stdout("\nNothing was changed.\n");
      return 1;
    }
  }
  const recovering = recoverAlone(platform, { dataDir, id: nodeId, address });
  const { id } = await during(`Error recovering ${dataDir}`, recovering);
  stdout(
    `\nRecovered ${dataDir}, with snapshot ${id}. Start it with\n\n` +
      `    rollcall agent -server -data-dir=${dataDir} ...\n\n` +
      `and let new servers join it, with empty data directories.\n`,
  );
  return 0;
}

function describe({ dataDir, nodeId, content, faults }: Survivor): string {
  const rows: [string, string][] = [["Server", nodeId ?? "not known: there is no file node-id"]];
  if (content !== undefined) {
    const { firstIndex, last, snapshot, configuration, configurationIndex } = content;
    const log =
      last.index >= firstIndex ? `entries ${firstIndex} to ${last.index}` : "no entries of its own";
    rows.push(["Last index", `${last.index} of term ${last.term}`], ["Log", log]);
    const taken =
      snapshot === undefined
        ? "none"
        : `${snapshot.id}, up to index ${snapshot.index} of term ${snapshot.term}, ${snapshot.sizeBytes} bytes`;
    rows.push(["Snapshot", taken]);
    const servers = configuration.servers.map(({ id, address, suffrage }) => {
      return `${id} at ${address}${suffrage === "voter" ? "" : ", without a vote"}`;
    });
    rows.push(["Servers", `as of index ${configurationIndex}:`]);
    for (const server of servers) rows.push(["", server]);
  }
  rows.push(["Damage", faults[0] ?? "none"]);
  for (const fault of faults.slice(1)) rows.push(["", fault]);
  return [dataDir, ...rows.map(([name, value]) => `  ${name.padEnd(LABEL_WIDTH)}${value}`)].join(
    "\n",
  );
}

const LABEL_WIDTH = 12;

function verdict(
  survivors: readonly Survivor[],
  { safest, elsewhere, unseen, hasMajority }: Comparison,
): string {
  if (safest?.content === undefined) return "None of these can be used to go on from.";
  const { index, term } = safest.content.last;
  const parts = [
    `Safest: ${safest.dataDir}, which reaches furthest: index ${index} of term ${term}.`,
  ];
  if (hasMajority) {
    parts.push(
      "A majority of the servers is here. Start them together, and they elect a leader with\n" +
        "nothing lost: recovery is for when they cannot.",
    );
  }
  const useless = survivors.filter(({ isUsable }) => !isUsable);
  const losses = [
    ...unseen.map(({ id, address }) => `what only ${id} at ${address} had, which is not here`),
    ...useless.map(({ dataDir }) => `what only ${dataDir} had, which cannot be used`),
    ...safest.faults.map((fault) => `of ${safest.dataDir} itself: ${fault}`),
  ];
  if (losses.length > 0 && !hasMajority) {
    parts.push(`Lost with it, though it may have been acknowledged:\n${bullets(losses)}`);
  } else parts.push("Nothing that was acknowledged is lost with it.");
  parts.push(...elsewhere.map(describeElsewhere));
  return parts.join("\n\n");
}

const bullets = (lines: readonly string[]): string => lines.map((line) => `  - ${line}`).join("\n");

function describeElsewhere({ survivor, fromIndex, throughIndex, entries }: Elsewhere): string {
  const lines = entries.map(
    (entry) => `  ${entry.index} of term ${entry.term}: ${describeEntry(entry)}`,
  );
  const more = throughIndex - fromIndex + 1 - entries.length;
  if (more > 0) lines.push(`  and ${more} more`);
  const what = `${survivor.dataDir} alone has entries ${fromIndex} to ${throughIndex}`;
  return `${what}, which a later leader went on without, so nobody was told that they were done:\n${lines.join("\n")}`;
}
