/** The real `consul` command against our agent: what it prints for the everyday commands. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Agent } from "../src/agent/index.ts";
import { agentAt, run } from "./testkit.ts";

const ADDRESS = "127.0.0.63";
let agent: Agent;

beforeAll(async () => {
  agent = await agentAt(ADDRESS, ["-node=here"]);
});
afterAll(() => agent[Symbol.asyncDispose]());

const consul = (...args: readonly string[]) => {
  const at = args.findIndex((word) => word.startsWith("-") || word.startsWith("/"));
  const split = at === -1 ? args.length : at;
  const words = args.slice(0, Math.min(split, 2));
  return run([
    "consul",
    ...words,
    `-http-addr=http://${ADDRESS}:8500`,
    ...args.slice(words.length),
  ]);
};

test("kv", async () => {
  expect(await consul("kv", "put", "app/config", "5")).toMatchObject({
    code: 0,
    stdout: "Success! Data written to: app/config\n",
  });
  expect(await consul("kv", "get", "app/config")).toMatchObject({ code: 0, stdout: "5\n" });
  expect((await consul("kv", "get", "-detailed", "app/config")).stdout).toMatch(
    /^CreateIndex {6}\d+\nFlags {12}0\nKey {14}app\/config\nLockIndex {8}0\n/,
  );
  await consul("kv", "put", "-flags=18446744073709551615", "app/flags", "x");
  expect((await consul("kv", "get", "-detailed", "app/flags")).stdout).toContain(
    "18446744073709551615",
  );
  expect((await consul("kv", "get", "-keys", "app/")).stdout).toBe("app/config\napp/flags\n");
  expect(await consul("kv", "put", "-cas", "-modify-index=1", "app/config", "6")).toMatchObject({
    code: 1,
    stderr: "Error! Did not write to app/config: CAS failed\n",
  });
  const exported = await consul("kv", "export", "app/");
  expect(JSON.parse(exported.stdout)).toHaveLength(2);
  expect(await consul("kv", "delete", "-recurse", "app/")).toMatchObject({
    stdout: "Success! Deleted keys with prefix: app/\n",
  });
  expect(await consul("kv", "get", "app/config")).toMatchObject({
    code: 1,
    stderr: "Error! No key exists at: app/config\n",
  });
});

test("services and catalog", async () => {
  expect(await consul("services", "register", "-name=web", "-port=80", "-tag=v1")).toMatchObject({
    code: 0,
    stdout: "Registered service: web\n",
  });
  expect((await consul("catalog", "services")).stdout).toBe("consul\nweb\n");
  expect((await consul("catalog", "services", "-tags")).stdout).toMatch(/web +v1/);
  const nodes = (await consul("catalog", "nodes", "-service=web")).stdout.split("\n");
  expect(nodes[0]).toMatch(/^Node +ID +Address +DC$/);
  expect(nodes[1]).toMatch(new RegExp(`^here +[0-9a-f]{8} +${ADDRESS} +dc1$`));
  expect((await consul("catalog", "datacenters")).stdout).toBe("dc1\n");
  expect(await consul("services", "deregister", "-id=web")).toMatchObject({
    code: 0,
    stdout: "Deregistered service: web\n",
  });
});

test("members and maint", async () => {
  const { stdout } = await consul("members");
  expect(stdout).toMatch(/^Node +Address +Status +Type +Build +Protocol +DC +Segment\n/);
  expect(stdout).toMatch(
    new RegExp(`here +${ADDRESS}:8301 +alive +server +1\\.8\\.7 +2 +dc1 +<all>`),
  );
  expect((await consul("maint", "-enable", "-reason=work")).stdout).toBe(
    "Node maintenance is now enabled\n",
  );
  expect((await consul("maint")).stdout).toBe("Node:\n  Name:   here\n  Reason: work\n\n");
  expect((await consul("maint", "-disable")).stdout).toBe("Node maintenance is now disabled\n");
});

test("info", async () => {
  const { code, stdout } = await consul("info");
  expect(code).toBe(0);
  expect(stdout).toContain("leader = true");
});

test("lock runs its child under a lock that it holds", async () => {
  const locked = await consul("lock", "-verbose", "jobs/backup", "echo done");
  expect(locked.stdout + locked.stderr).toContain("Attempting lock acquisition");
  expect(locked.stdout).toContain("done\n");
  expect(locked.code).toBe(0);
}, 30_000);
