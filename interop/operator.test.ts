/**
 * What an operator does with a cluster: of two servers of ours and a real one, which is backed up, restored, led by
 * another, and brought back when most of it is gone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leaderAt, oneLeader, raftServers, ServerFleet, votersAre } from "./clusters.ts";
import { eventually, http, ROLLCALL, run } from "./testkit.ts";

const ADDRESSES = ["127.0.33.21", "127.0.33.22", "127.0.33.23"] as const;
const NAMES = ["s1", "s2", "s3"] as const;
const [OURS, , REAL] = ADDRESSES;
const folder = mkdtempSync(join(tmpdir(), "rollcall-operator-"));
const file = join(folder, "backup.snap");

const joining = ADDRESSES.map((address) => `-retry-join=${address}`);
// Who is gone is removed by hand here.
const fleet = new ServerFleet([...joining, "-hcl=autopilot { cleanup_dead_servers = false }"]);
const start = (i: number, ...flags: readonly string[]) => {
  const [name, address] = [NAMES[i] ?? "", ADDRESSES[i] ?? ""];
  return fleet.start({ name, address, make: address === REAL ? "real" : "ours" }, flags);
};
const at = (address: string): string => `-http-addr=${address}:8500`;
const idOf = async (name: string): Promise<string> =>
  (await raftServers(OURS)).find(({ Node }) => Node === name)?.ID ?? "";
const put = async (address: string, key: string): Promise<string> =>
  (await http(address, `/v1/kv/${key}`, { method: "PUT", body: key })).body.trim();
const keysAt = async (address: string): Promise<string> =>
  (await http(address, "/v1/kv/k/?keys&stale")).body.replaceAll(/\s/g, "");
const everywhere = (keys: readonly string[]): Promise<unknown> =>
  eventually(
    `all have ${keys.join()}`,
    () => Promise.all(ADDRESSES.map(keysAt)),
    (all) => all.every((one) => one === JSON.stringify(keys)),
    30_000,
  );
/** Has that server lead. */
async function lead(name: string): Promise<void> {
  const i = NAMES.indexOf(name as (typeof NAMES)[number]);
  const leader = await oneLeader(ADDRESSES);
  if (leader !== ADDRESSES[i]) {
    // A real server of this version cannot be asked to give up the lead: it is restarted instead.
    if (leader === REAL) throw new Error("the real one leads");
    const id = `-id=${await idOf(name)}`;
    const told = await run([ROLLCALL, "operator", "raft", "transfer-leader", at(OURS), id]);
    expect(told).toEqual({ code: 0, stdout: "Success\n", stderr: "" });
  }
  await eventually(
    `${name} leads`,
    () => oneLeader(ADDRESSES),
    (now) => now === ADDRESSES[i],
  );
}

beforeAll(async () => {
  start(0, "-bootstrap-expect=1");
  await eventually(
    "s1 leads",
    () => leaderAt(OURS),
    (leader) => leader === OURS,
    30_000,
  );
  start(1);
  start(2);
  await votersAre(OURS, NAMES, 60_000);
}, 100_000);
afterAll(async () => {
  await fleet[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test("list-peers prints what Consul's command prints, at every server, stale or not", async () => {
  for (const address of ADDRESSES) {
    for (const flags of [[], ["-stale"]]) {
      const args = ["operator", "raft", "list-peers", at(address), ...flags];
      const [theirs, ours] = [await run(["consul", ...args]), await run([ROLLCALL, ...args])];
      expect([address, ours]).toEqual([address, theirs]);
      expect(ours.stdout.split("\n")).toHaveLength(NAMES.length + 2);
    }
  }
});

test("the configuration has an index", async () => {
  const { body } = await http(ADDRESSES[1], "/v1/operator/raft/configuration");
  expect((JSON.parse(body) as { Index: number }).Index).toBeGreaterThan(0);
});

test("autopilot finds three servers healthy, one of which may fail", async () => {
  const health = async () => {
    const { status, body } = await http(ADDRESSES[1], "/v1/operator/autopilot/health");
    return { status, ...(JSON.parse(body) as { FailureTolerance: number; Servers: unknown[] }) };
  };
  const seen = await eventually("health", health, ({ status }) => status === 200, 30_000);
  expect([seen.FailureTolerance, seen.Servers.length]).toEqual([1, 3]);
});

test("leadership goes to whom it is told, asked at any server, and over HTTP to anybody", async () => {
  await lead("s2");
  await lead("s1");
  const { status, body } = await http(ADDRESSES[1], "/v1/operator/raft/transfer-leader", {
    method: "PUT",
  });
  expect([status, body.trim()]).toEqual([200, '{"Success":true}']);
  await eventually(
    "another leads",
    () => oneLeader(ADDRESSES),
    (leader) => leader !== OURS,
  );
  const unknown = await http(ADDRESSES[1], "/v1/operator/raft/transfer-leader?id=x", {
    method: "POST",
  });
  expect(unknown.status).toBe(500);
});

// The transfer before may have made it the leader; it does not know how to hand that on.
async function takeFromReal(): Promise<void> {
  if ((await oneLeader(ADDRESSES)) !== REAL) return;
  await fleet.end("s3", "SIGKILL");
  const other = () => oneLeader(ADDRESSES.slice(0, 2));
  await eventually("another leads", other, (leader) => leader !== REAL, 30_000);
  start(2);
  await votersAre(OURS, NAMES);
}

test("a backup that is asked for at a follower is the leader's, and goes back through one", async () => {
  await takeFromReal();
  await lead("s1");
  for (const address of ADDRESSES) expect(await put(address, `k/${address}`)).toBe("true");
  for (const [address, program] of [
    [ADDRESSES[1], ROLLCALL],
    [REAL, "consul"],
    [ADDRESSES[1], "consul"],
  ] as const) {
    const saved = await run([program, "snapshot", "save", at(address), file]);
    expect([address, saved.stderr]).toEqual([address, ""]);
    expect(await put(address, "k/later")).toBe("true");
    const restored = await run([program, "snapshot", "restore", at(address), file]);
    expect([address, restored.stdout, restored.stderr]).toEqual([
      address,
      "Restored snapshot\n",
      "",
    ]);
    await everywhere(ADDRESSES.map((own) => `k/${own}`));
  }
  expect(await put(REAL, "k/after")).toBe("true");
  await everywhere([...ADDRESSES.map((own) => `k/${own}`), "k/after"].sort());
}, 90_000);

test("what was restored is there after all servers were killed", async () => {
  await Promise.all(NAMES.map((name) => fleet.end(name, "SIGKILL")));
  for (const i of NAMES.keys()) start(i);
  await oneLeader(ADDRESSES, 60_000);
  await everywhere([...ADDRESSES.map((own) => `k/${own}`), "k/after"].sort());
}, 90_000);

test("a server that is gone for good is removed, by its ID", async () => {
  const id = await idOf("s3");
  await fleet.end("s3", "SIGKILL");
  await oneLeader(ADDRESSES.slice(0, 2));
  // As long as it seems to be there, the leader would take it in again.
  const statusOf = async (): Promise<number | undefined> => {
    const { body } = await http(OURS, "/v1/agent/members");
    const members = JSON.parse(body) as { readonly Name: string; readonly Status: number }[];
    return members.find(({ Name }) => Name === "s3")?.Status;
  };
  await eventually("s3 has failed", statusOf, (status) => status === 4, 30_000);
  const removed = await run([ROLLCALL, "operator", "raft", "remove-peer", at(OURS), `-id=${id}`]);
  expect(removed.stdout + removed.stderr).toBe(`Removed peer with id "${id}"\n`);
  await votersAre(OURS, ["s1", "s2"]);
});

test("with the other gone too, peers.json brings one back, with all that there was", async () => {
  const id = await idOf("s1");
  const data = fleet.dataOf({ name: "s1", address: OURS, make: "ours" });
  for (const name of ["s1", "s2"]) await fleet.end(name, "SIGKILL");
  const peers = join(data, "raft", "peers.json");
  writeFileSync(peers, JSON.stringify([{ id, address: `${OURS}:8300`, non_voter: false }]));
  const program = start(0);
  await eventually(
    "s1 leads",
    () => leaderAt(OURS),
    (leader) => leader === OURS,
    30_000,
  );
  expect(program.output).toContain("found peers.json file, recovering Raft configuration...");
  expect(program.output).toContain("deleted peers.json file after successful recovery");
  expect(() => readFileSync(peers)).toThrow("ENOENT");
  expect(JSON.parse(await keysAt(OURS))).toHaveLength(4);
  expect(await put(OURS, "k/again")).toBe("true");
}, 60_000);
