/** `rollcall recover`: what it prints, and that it asks. What it finds is tested in src/server/survivors.test.ts. */
import { expect, test } from "vitest";
import { kvs } from "../endpoints/testkit.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { bootstrap } from "../raft/index.ts";
import { toWalEntry } from "../raft/wal-entry.ts";
import { openRaftHome } from "../server/raft-home.ts";
import { encodeCommand } from "../store/index.ts";
import { Failure } from "./command.ts";
import { parseCommandFlags } from "./flags.ts";
import { recover as command } from "./recover.ts";

const CONFIGURATION = {
  servers: ["one", "two", "three"].map((id) => {
    return { id, address: `${id}:8300`, suffrage: "voter" as const };
  }),
};

async function leave(platform: SimPlatform, id: string, terms: readonly number[]): Promise<void> {
  const dataDir = `/${id}`;
  await platform.disk.makeDirectory(dataDir);
  await platform.disk.replace(`${dataDir}/node-id`, Buffer.from(id));
  const { wal } = await openRaftHome(platform, noLogger, dataDir);
  await bootstrap(wal, CONFIGURATION);
  const entries = terms.map((term, at) => {
    const data = encodeCommand(kvs("set", `key${at + 2}`, {}));
    return toWalEntry({ index: at + 2, term, type: "command", data });
  });
  await wal.append(entries);
  await wal[Symbol.asyncDispose]();
}

async function recover(platform: SimPlatform, argv: readonly string[], line = "") {
  const output = { stdout: "", stderr: "" };
  const { flags, args } = parseCommandFlags(command.flags, argv);
  const running = command.run({
    platform,
    flags,
    args,
    argv,
    program: "rollcall",
    stdout: (text) => void (output.stdout += Buffer.from(text).toString()),
    stderr: () => {},
    readStdin: () => Promise.resolve(new Uint8Array()),
    readLine: () => Promise.resolve(line),
    onSignal: () => ({ [Symbol.dispose]: () => {} }),
    startChild: () => Promise.reject(new Error("none")),
  });
  const failed = (error: unknown): number => {
    if (!(error instanceof Failure)) throw error;
    output.stderr = error.message;
    return error.exitCode;
  };
  return { exitCode: await platform.clock.until(running.catch(failed)), ...output };
}
async function left(): Promise<SimPlatform> {
  const platform = simPlatform({ seed: 1 });
  await platform.clock.until(leave(platform, "one", [2, 2, 2]));
  await platform.clock.until(leave(platform, "two", [2, 3]));
  return platform;
}

test("shows what is left of each, and what is lost with all but the safest", async () => {
  const { exitCode, stdout } = await recover(await left(), ["/one", "/two"]);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(`/one
  Server      one
  Last index  4 of term 2
  Log         entries 1 to 4
  Snapshot    none
  Servers     as of index 1:
              one at one:8300
              two at two:8300
              three at three:8300
  Damage      none

/two
  Server      two
  Last index  3 of term 3
  Log         entries 1 to 3
  Snapshot    none
  Servers     as of index 1:
              one at one:8300
              two at two:8300
              three at three:8300
  Damage      none

Safest: /two, which reaches furthest: index 3 of term 3.

A majority of the servers is here. Start them together, and they elect a leader with
nothing lost: recovery is for when they cannot.

Nothing that was acknowledged is lost with it.

/one alone has entries 3 to 4, which a later leader went on without, so nobody was told that they were done:
  3 of term 2: KVS set key3
  4 of term 2: KVS set key4
`);
});

test("says of whom there is nothing, when a majority is missing", async () => {
  const { stdout } = await recover(await left(), ["/one"]);
  expect(stdout).toContain(`Safest: /one, which reaches furthest: index 4 of term 2.

Lost with it, though it may have been acknowledged:
  - what only two at two:8300 had, which is not here
  - what only three at three:8300 had, which is not here
`);
});

test.each([
  ["anything but yes", "y", [], 1, "Nothing was changed."],
  ["yes", "yes", [], 0, "Recovered /one, with snapshot 2-4-"],
  ["-yes, without asking", "", ["-yes"], 0, "Recovered /one, with snapshot 2-4-"],
])("-apply, answered with %s", async (_, line, flags, exitCode, said) => {
  const platform = await left();
  const run = await recover(platform, ["-apply", ...flags, "-address=new:8300", "/one"], line);
  expect(run.exitCode).toBe(exitCode);
  expect(run.stdout).toContain(said);
  const { stdout } = await recover(platform, ["/one"]);
  expect(stdout.includes("one at new:8300")).toBe(exitCode === 0);
});

test("says what is missing", async () => {
  const platform = simPlatform({ seed: 1 });
  expect((await recover(platform, [])).stderr).toBe("Missing DATA-DIR argument");
  expect(await recover(platform, ["-apply", "-yes", "/none"])).toMatchObject({ exitCode: 1 });
  await platform.clock.until(leave(platform, "one", [2]));
  await platform.disk.remove("/one/node-id");
  const { stderr } = await recover(platform, ["-apply", "-yes", "/one"]);
  expect(stderr).toContain('it has no file "node-id"');
});
