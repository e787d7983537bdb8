/** Backups of a server that is alone: with a disk, and without. */
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { testConfig } from "../config/testkit.ts";
import { kvs, query } from "../endpoints/testkit.ts";
import type { Session } from "../model/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { readArchive, writeArchive } from "../snapshot/index.ts";
import { startServer, type Server } from "./server.ts";
import { NODE_ID, quietPool } from "./testkit.ts";

const BACKUP = readFileSync(new URL("../snapshot/testdata/backup.snap", import.meta.url));
const HERE = { datacenter: "", consistency: "default" } as const;
/** What the fixture's archive is of. */
const BACKUP_INDEX = 51;

async function allOf(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}
async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
async function start(platform: SimPlatform, devMode: boolean): Promise<Server> {
  const server = await startServer({
    platform,
    logger: noLogger,
    config: { ...testConfig, devMode, bootstrap: true, dataDir: "/data" },
    nodeId: NODE_ID,
    pool: quietPool,
    onFailure: (message) => {
      throw new Error(message);
    },
  });
  await platform.clock.run(5000);
  return server;
}

const SESSION: Session = {
  ID: "",
  Name: "",
  Node: "",
  LockDelay: 0,
  Behavior: "release",
  TTL: "",
  NodeChecks: null,
  ServiceChecks: null,
  Checks: null,
  CreateIndex: 0,
  ModifyIndex: 0,
};

const disposed = async (server: Server): Promise<void> => server[Symbol.asyncDispose]();

async function put(server: Server, key: string, value: string): Promise<void> {
  const { body } = kvs("set", key, { Value: Buffer.from(value) });
  if (!("DirEnt" in body)) throw new Error("not a KVS command");
  await server.delegate.call("KVS.Apply", body);
}
async function keysOf(server: Server): Promise<readonly string[]> {
  const args = query({ Prefix: "", Seperator: "" });
  return (await server.delegate.call("KVS.ListKeys", args)).value.Keys;
}

describe.each([
  ["on a disk", false],
  ["in memory", true],
])("a server that keeps its state %s", (_, devMode) => {
  let platform: SimPlatform;
  let server: Server;
  // Archives are compressed by a thread, which virtual time does not know: little of it passes meanwhile.
  const until = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    while (!isOver) {
      await platform.clock.run(0.01);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return work;
  };
  const save = async (): Promise<Buffer> =>
    until(server.snapshots.save(HERE).then(({ archive }) => allOf(archive)));
  const restore = (archive: Uint8Array): Promise<void> =>
    until(server.snapshots.restore(slices(archive), HERE));

  beforeEach(async () => {
    platform = simPlatform({ seed: 1 });
    server = await start(platform, devMode);
    return async () => until(disposed(server));
  });

  test("takes back what it saved, and forgets what came later", async () => {
    await until(put(server, "kept", "1"));
    const archive = await save();
    await until(put(server, "later", "2"));
    await restore(archive);
    expect(await until(keysOf(server))).toEqual(["kept"]);
    await until(put(server, "after", "3"));
    expect(await until(keysOf(server))).toEqual(["after", "kept"]);
  });

  test("says in the archive what it is of", async () => {
    await until(put(server, "a", "1"));
    const { index, archive } = await until(server.snapshots.save(HERE));
    const bytes = await until(allOf(archive));
    const meta = await readArchive([bytes], { write: () => Promise.resolve() });
    const address = `${testConfig.advertiseAddr}:${testConfig.ports.server}`;
    expect(index).toBe(server.consensus.appliedIndex);
    expect(meta).toMatchObject({
      Version: 1,
      Index: index,
      Term: 2,
      Configuration: { Servers: [{ Suffrage: 0, ID: NODE_ID, Address: address }] },
    });
  });

  test("a snapshot shows the moment in which it was asked for, however slowly it is read", async () => {
    await until(put(server, "a", "1"));
    const { archive } = await until(server.snapshots.save(HERE));
    await until(put(server, "b", "2"));
    const bytes = await until(allOf(archive));
    await restore(bytes);
    expect(await until(keysOf(server))).toEqual(["a"]);
  });

  test("takes Consul's archive, and its own index goes beyond that of the archive", async () => {
    await restore(BACKUP);
    expect(await until(keysOf(server))).toEqual(["app/lock", "app/one", "app/two"]);
    expect(server.consensus.commitIndex).toBeGreaterThan(BACKUP_INDEX);
  });

  test("is in the restored catalog, and leads as before", async () => {
    await restore(BACKUP);
    await platform.clock.run(1000);
    const args = query({
      ServiceName: "consul",
      ServiceTags: [],
      NodeMetaFilters: {},
      Status: "any" as const,
    });
    const { value } = await until(server.delegate.call("Health.ServiceNodes", args));
    expect(value.Nodes?.map(({ Node }) => Node.ID)).toContain(NODE_ID);
    expect(server.consensus.isLeader).toBe(true);
  });

  test("sessions that came with the archive end when nobody renews them", async () => {
    const sessions = async (): Promise<number> =>
      (await until(server.delegate.call("Session.List", query({})))).value.Sessions?.length ?? 0;
    const session = { ...SESSION, Node: testConfig.nodeName, TTL: "10s" };
    const args = { Datacenter: "", Op: "create", Session: session } as const;
    await until(server.delegate.call("Session.Apply", args));
    const archive = await save();
    await platform.clock.run(30_000);
    expect(await sessions()).toBe(0);
    await restore(archive);
    expect(await sessions()).toBe(1);
    await platform.clock.run(30_000);
    expect(await sessions()).toBe(0);
  });

  test.each([
    ["is no archive", () => Buffer.from("hello, world"), "gzip: invalid header"],
    ["is cut off", () => BACKUP.subarray(0, 4000), "unexpected EOF"],
  ])("refuses what %s, and keeps all", async (_what, archive, text) => {
    await until(put(server, "kept", "1"));
    await expect(restore(archive())).rejects.toThrow(text);
    expect(await until(keysOf(server))).toEqual(["kept"]);
    await until(put(server, "after", "2"));
  });

  test("refuses an archive whose sums are right and whose state is nonsense, and keeps all", async () => {
    const meta = await readArchive([BACKUP], { write: () => Promise.resolve() });
    const state = Buffer.from("this is no state at all");
    const nonsense = writeArchive({
      meta: { ...meta, Size: state.length },
      state: [state],
      nowMs: 0,
    });
    const bytes = await until(allOf(nonsense));
    await until(put(server, "kept", "1"));
    await expect(restore(bytes)).rejects.toThrow("failed to decode the snapshot's state");
    expect(await until(keysOf(server))).toEqual(["kept"]);
  });

  test("restores one at a time", async () => {
    let goOn: () => void = () => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const slow = async function* (): AsyncGenerator<Uint8Array, void> {
      await gate;
      yield BACKUP;
    };
    const first = server.snapshots.restore(slow(), HERE);
    await expect(restore(BACKUP)).rejects.toThrow("another snapshot is being restored");
    goOn();
    await until(first);
  });

  test("says no to what cannot be", async () => {
    const elsewhere = { ...HERE, datacenter: "zz" };
    await expect(until(server.snapshots.save(elsewhere))).rejects.toThrow("No path to datacenter");
    const stale = { ...HERE, consistency: "stale" } as const;
    const restoring = server.snapshots.restore(slices(BACKUP), stale);
    await expect(until(restoring)).rejects.toThrow("stale not allowed for restore");
  });
});

test("what was restored is there after a restart, and nothing is left beside it", async () => {
  const platform = simPlatform({ seed: 1 });
  const server = await start(platform, false);
  await platform.clock.until(server.snapshots.restore(slices(BACKUP), HERE));
  await platform.clock.until(put(server, "after", "1"));
  await platform.clock.until(disposed(server));
  const again = await start(platform, false);
  const keys = await platform.clock.until(keysOf(again));
  expect(keys).toEqual(["after", "app/lock", "app/one", "app/two"]);
  const names = (await platform.disk.list("/data/raft"))?.map(({ name }) => name);
  expect(names?.some((name) => name.endsWith(".tmp"))).toBe(false);
  await platform.clock.until(disposed(again));
});
