/** `raft/peers.json` of a server with a disk: Consul's way out when the others are gone for good. */
import { beforeEach, expect, test } from "vitest";
import { testConfig } from "../config/testkit.ts";
import { kvs, query } from "../endpoints/testkit.ts";
import { noLogger, type Logger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { startServer, type Server } from "./server.ts";
import { NODE_ID, quietPool } from "./testkit.ts";

const PEERS = "/data/raft/peers.json";
const INFO = "/data/raft/peers.info";
const ADDRESS = `${testConfig.advertiseAddr}:${testConfig.ports.server}`;
const OTHER = { id: "22222222-2222-4222-8222-222222222222", address: "10.0.0.2:8300" };
const OWN = { id: NODE_ID, address: ADDRESS };

let platform: SimPlatform;
let lines: string[];
beforeEach(() => {
  platform = simPlatform({ seed: 1 });
  lines = [];
});

const logger: Logger = {
  ...noLogger,
  info: (message) => void lines.push(message),
  named: () => logger,
};
async function start(): Promise<Server> {
  const starting = startServer({
    platform,
    logger,
    config: { ...testConfig, devMode: false, bootstrap: true, dataDir: "/data" },
    nodeId: NODE_ID,
    pool: quietPool,
    onFailure: (message) => {
      throw new Error(message);
    },
  });
  const server = await platform.clock.until(starting);
  await platform.clock.run(5000);
  return server;
}
const stop = async (server: Server): Promise<void> =>
  platform.clock.until((async () => server[Symbol.asyncDispose]())());
const write = (path: string, value: unknown): Promise<void> =>
  platform.disk.replace(path, Buffer.from(JSON.stringify(value)));

/** It has been a member of this cluster, and stopped. */
async function beenOneOf(): Promise<void> {
  const server = await start();
  const { body } = kvs("set", "kept", { Value: Buffer.from("1") });
  if (!("DirEnt" in body)) throw new Error("not a KVS command");
  await platform.clock.until(server.delegate.call("KVS.Apply", body));
  await stop(server);
}
async function keysOf(server: Server): Promise<readonly string[]> {
  const args = { ...query({ Prefix: "", Seperator: "" }), Consistency: "stale" as const };
  return (await platform.clock.until(server.delegate.call("KVS.ListKeys", args))).value.Keys;
}

test("says who the servers are, once", async () => {
  await beenOneOf();
  await write(PEERS, [OWN, OTHER]);
  const server = await start();
  expect(server.consensus.members).toEqual([
    { ...OWN, isVoter: true },
    { ...OTHER, isVoter: true },
  ]);
  expect(await platform.disk.read(PEERS)).toBeUndefined();
  expect(lines).toContain("found peers.json file, recovering Raft configuration...");
  expect(lines).toContain("deleted peers.json file after successful recovery");
  await stop(server);
});

test("brings a server back that was left alone without a quorum", async () => {
  await beenOneOf();
  await write(PEERS, [OWN, OTHER]);
  const alone = await start();
  expect(alone.consensus.isLeader).toBe(false);
  await stop(alone);
  await write(PEERS, [OWN]);
  const server = await start();
  expect(server.consensus.isLeader).toBe(true);
  expect(await keysOf(server)).toEqual(["kept"]);
  await stop(server);
});

test("is not obeyed where this program has never run: it may be somebody's record of old", async () => {
  await beenOneOf();
  await platform.disk.remove(INFO);
  await write(PEERS, [OTHER]);
  const server = await start();
  expect(server.consensus.members).toEqual([{ ...OWN, isVoter: true }]);
  expect(await platform.disk.read(PEERS)).toBeUndefined();
  expect(await platform.disk.read(INFO)).toBeDefined();
  expect(lines).toContain("deleted peers.json file (see peers.info for details)");
  await stop(server);
});

test.each([
  ["is no JSON", "[{", "recovery failed to parse peers.json: "],
  ["names nobody", "[]", "recovery failed to parse peers.json: "],
  ["lacks an address", '[{"id":"a"}]', "recovery failed to parse peers.json: "],
  ["is of raft protocol 2", `["${ADDRESS}"]`, "an object was expected"],
])("one that %s keeps the server from starting, and stays", async (_, text, fault) => {
  await beenOneOf();
  await platform.disk.replace(PEERS, Buffer.from(text));
  await expect(start()).rejects.toThrow(
    new RegExp(`^Failed to start Consul server: Failed to start Raft: .*${fault}`),
  );
  expect(Buffer.from((await platform.disk.read(PEERS)) ?? []).toString()).toBe(text);
  await platform.disk.remove(PEERS);
  const server = await start();
  expect(await keysOf(server)).toEqual(["kept"]);
  await stop(server);
});
