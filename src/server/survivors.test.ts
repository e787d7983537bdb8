/** What is left of a cluster that has lost its majority: compared, and gone on from. */
import { beforeEach, describe, expect, test } from "vitest";
import { testConfig } from "../config/testkit.ts";
import { kvs, query } from "../endpoints/testkit.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { bootstrap, type Entry } from "../raft/index.ts";
import { toWalEntry } from "../raft/wal-entry.ts";
import { encodeCommand } from "../store/index.ts";
import { describeEntry } from "./describe-entry.ts";
import { openRaftHome } from "./raft-home.ts";
import { startServer } from "./server.ts";
import { compareSurvivors, openSurvivor, recoverAlone, type Survivor } from "./survivors.ts";
import { quietPool } from "./testkit.ts";

const IDS = ["a", "b", "c"].map((name) => `${name.repeat(8)}-1111-4111-8111-111111111111`);
const [A = "", B = "", C = ""] = IDS;
const ADDRESS = `${testConfig.advertiseAddr}:${testConfig.ports.server}`;
const addressOf = (id: string): string => (id === A ? ADDRESS : `10.0.0.${IDS.indexOf(id)}:8300`);
const CONFIGURATION = {
  servers: IDS.map((id) => ({ id, address: addressOf(id), suffrage: "voter" as const })),
};

let platform: SimPlatform;
const until = async <T>(work: Promise<T>): Promise<T> => platform.clock.until(work);
beforeEach(() => (platform = simPlatform({ seed: 1 })));

const set = (index: number, term: number, key: string): Entry => ({
  index,
  term,
  type: "command",
  data: encodeCommand(kvs("set", key, { Value: Buffer.from(`${term}`) })),
});
/** Entries from index 2 on, one for each term. */
const keys = (...terms: readonly number[]): Entry[] =>
  terms.map((term, at) => set(at + 2, term, `k${at + 2}`));

/** A server that has this log, and has stopped. */
async function leave(id: string, log: readonly Entry[]): Promise<string> {
  const dataDir = `/${id.slice(0, 1)}`;
  await platform.disk.makeDirectory(dataDir);
  await platform.disk.replace(`${dataDir}/node-id`, Buffer.from(`${id}\n`));
  const { wal } = await until(openRaftHome(platform, noLogger, dataDir));
  await until(bootstrap(wal, CONFIGURATION));
  if (log.length > 0) await until(wal.append(log.map(toWalEntry)));
  await until(wal.saveHardState({ term: log.at(-1)?.term ?? 1, vote: "" }));
  await until((async () => wal[Symbol.asyncDispose]())());
  return dataDir;
}
async function compared(...dataDirs: readonly string[]) {
  const survivors: Survivor[] = [];
  for (const dataDir of dataDirs) survivors.push(await until(openSurvivor(platform, dataDir)));
  return { survivors, ...(await until(compareSurvivors(survivors))) };
}
/** Everything in a directory, as it is. */
async function filesOf(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name, kind } of (await platform.disk.list(path)) ?? []) {
    const child = `${path}/${name}`;
    if (kind === "directory") Object.assign(files, await filesOf(child));
    else files[child] = Buffer.from((await platform.disk.read(child)) ?? []).toString("hex");
  }
  return files;
}

describe("the safest", () => {
  test.each([
    ["has the greater last term, however short its log", [2, 3], [2, 2, 2, 2], "/a"],
    ["of two with the same last term has the longer log", [2, 2], [2, 2, 2], "/b"],
    ["is the first of equals", [2, 2], [2, 2], "/a"],
  ])("%s", async (_, a, b, expected) => {
    const { safest } = await compared(await leave(A, keys(...a)), await leave(B, keys(...b)));
    expect(safest?.dataDir).toBe(expected);
  });

  test("is none of those that cannot be used", async () => {
    await platform.disk.makeDirectory("/consul/raft");
    await platform.disk.replace("/consul/raft/raft.db", Buffer.from("x"));
    const { safest, survivors } = await compared("/consul", "/nowhere", await leave(B, []));
    expect(survivors.map(({ faults }) => faults[0])).toEqual([
      "it is Consul's own (raft.db), which is not read here",
      "there is no log in it",
      undefined,
    ]);
    expect(safest?.dataDir).toBe("/b");
  });
});

test("what others have beyond it is listed, from where the logs part", async () => {
  const a = await leave(A, keys(2, 2, 3));
  const b = await leave(B, keys(2, 2, 2, 2));
  const { safest, elsewhere } = await compared(a, b);
  expect(safest?.dataDir).toBe("/a");
  expect(elsewhere).toMatchObject([
    { survivor: { dataDir: "/b" }, fromIndex: 4, throughIndex: 5, entries: [{ index: 4 }, {}] },
  ]);
  expect(elsewhere[0]?.entries.map(describeEntry)).toEqual(["KVS set k4", "KVS set k5"]);
});

test("voters of which nothing is here are named, and whether a majority is", async () => {
  const a = await leave(A, keys(2, 2));
  const alone = await compared(a);
  expect(alone.unseen.map(({ id }) => id)).toEqual([B, C]);
  expect(alone.hasMajority).toBe(false);
  const two = await compared(a, await leave(C, keys(2)));
  expect(two.unseen.map(({ id }) => id)).toEqual([B]);
  expect(two.hasMajority).toBe(true);
});

test("looking changes nothing, even where a start would put something right", async () => {
  const a = await leave(A, keys(2, 2, 2));
  const segment = Object.keys(await filesOf("/a/raft/wal")).find((path) => path.endsWith(".wal"));
  const path =
    segment ??
    Object.keys(await filesOf("/a/raft/wal"))
      .sort()
      .at(-1) ??
    "";
  await tear(path);
  await platform.disk.makeDirectory("/a/raft/snapshots/2-3-4");
  await platform.disk.replace("/a/raft/snapshots/2-3-4/state.bin", Buffer.from("half"));
  const before = await filesOf("/a");
  const { survivors } = await compared(a);
  expect(survivors[0]?.faults.join()).toContain("cut off a write that was torn");
  expect(survivors[0]?.content?.last.index).toBe(3);
  expect(await filesOf("/a")).toEqual(before);
});

/** The last record's last bytes were never written. */
async function tear(path: string): Promise<void> {
  const bytes = Buffer.from((await platform.disk.read(path)) ?? []);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  await platform.disk.replace(path, bytes.subarray(0, end - 10));
}

test("what decayed is told, and what stands before it is still of use", async () => {
  const a = await leave(A, keys(2, 2, 2, 2));
  for (const [path, hex] of Object.entries(await filesOf("/a/raft/wal"))) {
    const bytes = Buffer.from(hex, "hex");
    const at = bytes.indexOf("k3");
    if (at < 0) continue;
    bytes[at] = 0x7a;
    await platform.disk.replace(path, bytes);
  }
  const { survivors, safest } = await compared(a);
  expect(survivors[0]?.content?.last).toEqual({ index: 2, term: 2 });
  expect(survivors[0]?.faults[0]).toContain("entries 3 to 5 cannot be read");
  expect(safest?.dataDir).toBe("/a");
  await until(recoverAlone(platform, { dataDir: "/a", id: A, address: ADDRESS }));
  expect((await compared(a)).survivors[0]?.content?.last).toEqual({ index: 2, term: 2 });
});

test("the safest becomes a cluster of its own, with all that it had, and leads", async () => {
  await leave(A, keys(2, 2, 3));
  await until(recoverAlone(platform, { dataDir: "/a", id: A, address: ADDRESS }));
  const { survivors } = await compared("/a");
  expect(survivors[0]?.content).toMatchObject({
    last: { index: 4, term: 3 },
    configuration: { servers: [{ id: A, address: ADDRESS, suffrage: "voter" }] },
  });
  const server = await until(
    startServer({
      platform,
      logger: noLogger,
      config: { ...testConfig, devMode: false, bootstrap: false, dataDir: "/a" },
      nodeId: A,
      pool: quietPool,
      onFailure: (message) => {
        throw new Error(message);
      },
    }),
  );
  await platform.clock.run(10_000);
  expect(server.consensus.isLeader).toBe(true);
  const args = query({ Prefix: "", Seperator: "" });
  const { value } = await until(server.delegate.call("KVS.ListKeys", args));
  expect(value.Keys).toEqual(["k2", "k3", "k4"]);
  await until((async () => server[Symbol.asyncDispose]())());
});
