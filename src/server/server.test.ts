/** The leader's duties, in virtual time. */
import { expect, test } from "vitest";
import { kvs, query } from "../endpoints/testkit.ts";
import type { Session } from "../model/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { startServer, type Server } from "./server.ts";
import { testConfig } from "../config/testkit.ts";
import { NODE_ID, quietPool } from "./testkit.ts";
import { TOMBSTONE_TTL_MS } from "./tombstone-reaper.ts";

async function started() {
  const platform = simPlatform({ seed: 1 });
  const server = await startServer({
    platform,
    logger: noLogger,
    config: testConfig,
    nodeId: NODE_ID,
    pool: quietPool,
    onFailure: (message) => {
      throw new Error(message);
    },
  });
  return { platform, server };
}

const sessionOf = (of: Partial<Session>): Session => ({
  ID: "",
  Name: "",
  Node: testConfig.nodeName,
  LockDelay: 15e9,
  Behavior: "release",
  TTL: "",
  NodeChecks: ["serfHealth"],
  ServiceChecks: null,
  Checks: null,
  CreateIndex: 0,
  ModifyIndex: 0,
  ...of,
});

const create = (server: Server, of: Partial<Session>): Promise<string> =>
  server.delegate.call("Session.Apply", {
    Datacenter: "",
    Op: "create",
    Session: sessionOf(of),
  });

function lock(server: Server, key: string, Session: string): Promise<boolean> {
  const { body } = kvs("lock", key, { Session });
  if (!("DirEnt" in body)) throw new Error("not a KVS command");
  return server.delegate.call("KVS.Apply", body);
}
const sessions = async (server: Server): Promise<readonly Session[]> =>
  (await server.delegate.call("Session.List", query({}))).value.Sessions;

test("a server registers itself: its node, the consul service and serfHealth", async () => {
  const { server } = await started();
  const { value } = await server.delegate.call(
    "Health.ServiceNodes",
    query({ ServiceName: "consul", ServiceTags: [], NodeMetaFilters: {}, Status: "passing" }),
  );
  expect(value.Nodes).toMatchObject([
    {
      Node: { ID: NODE_ID, Node: "n1", Address: "127.0.0.1", Datacenter: "dc1" },
      Service: { ID: "consul", Port: 8300, Meta: { raft_version: "3" } },
      Checks: [{ CheckID: "serfHealth", Status: "passing", Output: "Agent alive and reachable" }],
    },
  ]);
  await server[Symbol.asyncDispose]();
});

test("a session that is not renewed ends after twice its TTL, and its locks with it", async () => {
  const { platform, server } = await started();
  const id = await create(server, { TTL: "10s" });
  expect(await lock(server, "leader", id)).toBe(true);
  await platform.clock.run(15_000);
  await server.delegate.call("Session.Renew", { Datacenter: "", SessionID: id });
  await platform.clock.run(19_999);
  expect(await sessions(server)).toHaveLength(1);
  await platform.clock.run(1);
  expect(await sessions(server)).toHaveLength(0);
  const { value } = await server.delegate.call("KVS.Get", query({ Key: "leader" }));
  expect(value.Entries[0]?.Session).toBe("");
  await server[Symbol.asyncDispose]();
});

test("the lock of a lost session is refused for its lock delay, then given", async () => {
  const { platform, server } = await started();
  const lost = await create(server, { TTL: "10s", LockDelay: 15e9 });
  const next = await create(server, {});
  await lock(server, "leader", lost);
  expect(await lock(server, "leader", next)).toBe(false);
  await platform.clock.run(20_000);
  expect(await lock(server, "leader", next)).toBe(false);
  await platform.clock.run(14_999);
  expect(await lock(server, "leader", next)).toBe(false);
  await platform.clock.run(1);
  expect(await lock(server, "leader", next)).toBe(true);
  await server[Symbol.asyncDispose]();
});

test("a destroyed session leaves no timer; nor does a server that stops", async () => {
  const { platform, server } = await started();
  const idle = platform.clock.timerCount;
  const id = await create(server, { TTL: "10s" });
  expect(platform.clock.timerCount).toBe(idle + 1);
  await server.delegate.call("Session.Apply", {
    Datacenter: "",
    Op: "destroy",
    Session: sessionOf({ ID: id }),
  });
  expect(platform.clock.timerCount).toBe(idle);
  await create(server, { TTL: "10s" });
  await server[Symbol.asyncDispose]();
  expect(platform.clock.timerCount).toBe(0);
  await expect(create(server, {})).rejects.toThrow("No cluster leader");
});

test("tombstones hold a prefix's index up for their time, then are reaped", async () => {
  const { platform, server } = await started();
  const write = (op: "set" | "delete", key: string) => {
    const { body } = kvs(op, key);
    if (!("DirEnt" in body)) throw new Error("not a KVS command");
    return server.delegate.call("KVS.Apply", body);
  };
  const indexOf = async (Key: string): Promise<number> =>
    (await server.delegate.call("KVS.List", query({ Key }))).meta.Index;
  await write("set", "p/a");
  await write("set", "p/b");
  await write("delete", "p/b");
  const afterDelete = await indexOf("p/");
  expect(afterDelete).toBe(server.consensus.lastIndex);
  await platform.clock.run(TOMBSTONE_TTL_MS - 1000);
  expect(await indexOf("p/")).toBe(afterDelete);
  await platform.clock.run(32_000);
  await write("set", "elsewhere");
  await write("set", "p/a"); // Changes nothing, so the index is that of the surviving key.
  expect(server.consensus.lastIndex).toBe(afterDelete + 3);
  const fresh = await server.delegate.call("KVS.ListKeys", query({ Prefix: "p/", Seperator: "" }));
  expect(fresh.meta.Index).toBe(afterDelete - 2);
  await server[Symbol.asyncDispose]();
});

test.each([
  [{ Node: "" }, "Must provide Node"],
  [{ Behavior: "x" }, "Invalid Behavior setting 'x'"],
  [{ TTL: "abc" }, `Session TTL 'abc' invalid: time: invalid duration "abc"`],
  [{ TTL: "5s" }, "Invalid Session TTL '5000000000', must be between [10s=24h0m0s]"],
  [{ TTL: "25h" }, "Invalid Session TTL '90000000000000', must be between [10s=24h0m0s]"],
  [{ Node: "ghost" }, "Missing node registration"],
  [{ NodeChecks: ["x"] }, "Missing check 'x' registration"],
])("a session of %j is refused: %s", async (of, message) => {
  const { server } = await started();
  await expect(create(server, of)).rejects.toThrow(message);
  await server[Symbol.asyncDispose]();
});

test("another datacenter is not to be reached", async () => {
  const { server } = await started();
  await expect(
    server.delegate.call("KVS.Get", query({ Key: "a", Datacenter: "dc9" })),
  ).rejects.toThrow("No path to datacenter");
  await server[Symbol.asyncDispose]();
});
