/** What each setting of the gossip pools changes, in whole agents on one simulated network. */
import { expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { poolProfile } from "./gossip-pool.ts";
import { wholeAgent, type WholeAgent } from "./testkit.ts";

const KEY = Buffer.alloc(16, 1).toString("base64");
const OTHER_KEY = Buffer.alloc(16, 2).toString("base64");
const HOSTS = { a: "10.0.0.1", b: "10.0.0.2" };
type Name = keyof typeof HOSTS;
/** So that a failure shows within seconds. */
const QUICK = `gossip_lan { probe_interval = "100ms", probe_timeout = "50ms", suspicion_mult = 2 }
  gossip_wan { probe_interval = "100ms", probe_timeout = "50ms", suspicion_mult = 2 }`;

const world = (): SimPlatform => simPlatform({ seed: "pools", hostname: "a" });
const beside = (platform: SimPlatform): SimPlatform =>
  simPlatform({ seed: "pools-b", hostname: "b", beside: platform });

function start(name: Name, platform: SimPlatform, hcl = "", mode = "-dev"): Promise<WholeAgent> {
  const host = HOSTS[name];
  const argv = [mode, `-node=${name}`, `-bind=${host}`, `-client=${host}`];
  const durable = mode === "-server" ? ["-bootstrap-expect=1", "-data-dir=/data"] : [];
  return wholeAgent(`${QUICK}\n${hcl}`, { platform, argv: [...argv, ...durable] });
}

/** Whom an agent sees, and with which status. */
async function seen(running: WholeAgent, name: Name, pool = ""): Promise<Record<string, number>> {
  const { status, body } = await running.send(
    { path: `/v1/agent/members${pool === "wan" ? "?wan=1" : ""}` },
    HOSTS[name],
  );
  expect(status).toBe(200);
  const members = JSON.parse(body) as { readonly Name: string; readonly Status: number }[];
  return Object.fromEntries(members.map(({ Name, Status }) => [Name, Status]));
}
const ALIVE = 1;
const FAILED = 4;
const BOTH = { a: ALIVE, b: ALIVE };
const BOTH_WAN = { "a.dc1": ALIVE, "b.dc1": ALIVE };

async function pair(hclA: string, hclB: string) {
  const platform = world();
  const a = await start("a", platform, hclA);
  const b = await start("b", beside(platform), hclB);
  const { clock } = platform;
  return {
    a,
    b,
    clock,
    [Symbol.asyncDispose]: async () => {
      await b[Symbol.asyncDispose]();
      await a[Symbol.asyncDispose]();
    },
  };
}

test("start_join and start_join_wan join once, and fail when nobody is there", async () => {
  await using both = await pair("", `start_join = ["${HOSTS.a}"], start_join_wan = ["${HOSTS.a}"]`);
  const { a, b, clock } = both;
  await expect(b.agent.joinConfigured("lan")).resolves.toBe(1);
  await expect(b.agent.joinConfigured("wan")).resolves.toBe(1);
  await clock.run(1000);
  expect(await seen(a, "a")).toEqual(BOTH);
  expect(await seen(a, "a", "wan")).toEqual(BOTH_WAN);

  await using lonely = await wholeAgent('start_join = ["10.0.0.9"]', {
    argv: ["-dev", "-bind=10.0.0.3", "-client=10.0.0.3"],
  });
  await expect(lonely.agent.joinConfigured("lan")).rejects.toThrow("Failed to join 10.0.0.9");
});

test.each([
  ["retry_join", "retry_interval", "retry_max", ""],
  ["retry_join_wan", "retry_interval_wan", "retry_max_wan", "wan"],
])("%s joins again and again: %s apart, %s times", async (join, interval, max, pool) => {
  const platform = world();
  await using b = await start(
    "b",
    beside(platform),
    `${join} = ["${HOSTS.a}"], ${interval} = "7s"`,
  );
  await platform.clock.run(6000);
  await using a = await start("a", platform);
  expect(await seen(a, "a", pool)).not.toHaveProperty(pool === "wan" ? "b.dc1" : "b");
  await platform.clock.run(2000);
  expect(await seen(a, "a", pool)).toEqual(pool === "wan" ? BOTH_WAN : BOTH);
  expect(b.lines.filter((line) => line.includes("Join cluster failed"))).toHaveLength(1);

  await using c = await wholeAgent(`${join} = ["10.0.0.9"], ${interval} = "1s", ${max} = 2`, {
    platform: simPlatform({ seed: 3 }),
    argv: ["-dev", "-bind=10.0.0.4", "-client=10.0.0.4"],
  });
  await c.platform.clock.run(60_000);
  expect(c.lines.filter((line) => line.includes("Joining cluster"))).toHaveLength(3);
});

test("serf_lan and serf_wan are where the pools listen", async () => {
  const platform = world();
  await using a = await start("a", platform, 'serf_lan = "10.0.0.21", serf_wan = "10.0.0.22"');
  await using b = await start("b", beside(platform));
  const joined = (address: string, pool: string) =>
    b.send({ method: "PUT", path: `/v1/agent/join/${address}${pool}` }, HOSTS.b);
  expect((await joined(HOSTS.a, "")).status).toBe(500);
  expect((await joined("10.0.0.21", "")).status).toBe(200);
  expect((await joined("10.0.0.21", "?wan=1")).status).toBe(500);
  expect((await joined("10.0.0.22", "?wan=1")).status).toBe(200);
  expect(await seen(a, "a", "wan")).toMatchObject(BOTH_WAN);
});

test.each([
  ["serf_lan_allowed_cidrs", ""],
  ["serf_wan_allowed_cidrs", "wan"],
])("%s says where members may be", async (key, pool) => {
  for (const [network, status] of [
    ["10.0.0.0/29", 200],
    ["10.1.0.0/16", 500],
  ] as const) {
    await using both = await pair(`${key} = ["${network}"]`, "");
    const path = `/v1/agent/join/${HOSTS.b}${pool === "wan" ? "?wan=1" : ""}`;
    expect((await both.a.send({ method: "PUT", path }, HOSTS.a)).status).toBe(status);
    await both.clock.run(1000);
    const isSeen = pool === "wan" ? "b.dc1" : "b";
    expect(isSeen in (await seen(both.a, "a", pool))).toBe(status === 200);
  }
});

test("encrypt keeps out who has another key, or none", async () => {
  const joins = async (hclA: string, hclB: string): Promise<boolean> => {
    await using both = await pair(hclA, `${hclB}, start_join = ["${HOSTS.a}"]`);
    const { a, b, clock } = both;
    const isJoined = await b.agent.joinConfigured("lan").then(
      () => true,
      () => false,
    );
    await clock.run(1000);
    expect(await seen(a, "a")).toEqual(isJoined ? BOTH : { a: ALIVE });
    return isJoined;
  };
  const encrypt = `encrypt = "${KEY}"`;
  expect(await joins(encrypt, encrypt)).toBe(true);
  expect(await joins(encrypt, `encrypt = "${OTHER_KEY}"`)).toBe(false);
  expect(await joins(encrypt, 'log_level = "INFO"')).toBe(false);
  // The way to encryption without an interruption: all take both, then all send encrypted.
  const open = `${encrypt}, encrypt_verify_incoming = false`;
  expect(await joins(open, `${open}, encrypt_verify_outgoing = false`)).toBe(true);
  expect(await joins(encrypt, `${open}, encrypt_verify_outgoing = false`)).toBe(false);
});

test("disable_keyring_file keeps the key off the disk; without it, the file wins", async () => {
  const file = async (platform: SimPlatform): Promise<unknown> => {
    const bytes = await platform.disk.read("/data/serf/local.keyring");
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  };
  const platform = world();
  {
    await using _a = await start(
      "a",
      platform,
      `encrypt = "${KEY}", disable_keyring_file = true`,
      "-server",
    );
    expect(await file(platform)).toBeUndefined();
  }
  {
    await using _a = await start("a", platform, `encrypt = "${KEY}"`, "-server");
    expect(await file(platform)).toEqual([KEY]);
  }
  await using a = await start("a", platform, `encrypt = "${OTHER_KEY}"`, "-server");
  expect(a.lines.join("\n")).toContain("keyring doesn't include key provided with -encrypt");
  expect(await file(platform)).toEqual([KEY]);
});

test("reconnect_timeout and reconnect_timeout_wan: when a failed member is forgotten", async () => {
  const timeouts = 'reconnect_timeout = "1h", reconnect_timeout_wan = "2h"';
  await using both = await pair(
    timeouts,
    `start_join = ["${HOSTS.a}"], start_join_wan = ["${HOSTS.a}"]`,
  );
  const { a, b, clock } = both;
  await b.agent.joinConfigured("lan");
  await b.agent.joinConfigured("wan");
  await b[Symbol.asyncDispose]();
  await clock.run(60_000);
  expect(await seen(a, "a")).toEqual({ a: ALIVE, b: FAILED });
  await clock.run(3_600_000);
  expect(await seen(a, "a")).toEqual({ a: ALIVE });
  expect(await seen(a, "a", "wan")).toEqual({ "a.dc1": ALIVE, "b.dc1": FAILED });
  await clock.run(3_600_000);
  expect(await seen(a, "a", "wan")).toEqual({ "a.dc1": ALIVE });
}, 30_000);

test("rejoin_after_leave: whether an agent that left remembers its pool", async () => {
  const comesBack = async (hcl: string): Promise<boolean> => {
    const platform = world();
    const first = await start("a", platform, hcl, "-server");
    await using b = await start("b", beside(platform));
    await b.send({ method: "PUT", path: `/v1/agent/join/${HOSTS.a}` }, HOSTS.b);
    await platform.clock.run(1000);
    const left = first.agent.leave();
    await platform.clock.run(20_000);
    await left;
    await first[Symbol.asyncDispose]();
    await using again = await start("a", platform, hcl, "-server");
    await platform.clock.run(5000);
    return "b" in (await seen(again, "a"));
  };
  expect(await comesBack("rejoin_after_leave = true")).toBe(true);
  expect(await comesBack("rejoin_after_leave = false")).toBe(false);
});

test.each([
  ["gossip_lan.gossip_interval", '"12ms"', "gossipIntervalMs", 12],
  ["gossip_lan.gossip_nodes", "12", "gossipNodes", 12],
  ["gossip_lan.probe_interval", '"12ms"', "probeIntervalMs", 12],
  ["gossip_lan.probe_timeout", '"12ms"', "probeTimeoutMs", 12],
  ["gossip_lan.retransmit_mult", "12", "retransmitMult", 12],
  ["gossip_lan.suspicion_mult", "12", "suspicionMult", 12],
  ["gossip_wan.gossip_interval", '"12ms"', "gossipIntervalMs", 12],
  ["gossip_wan.gossip_nodes", "12", "gossipNodes", 12],
  ["gossip_wan.probe_interval", '"12ms"', "probeIntervalMs", 12],
  ["gossip_wan.probe_timeout", '"12ms"', "probeTimeoutMs", 12],
  ["gossip_wan.retransmit_mult", "12", "retransmitMult", 12],
  ["gossip_wan.suspicion_mult", "12", "suspicionMult", 12],
] as const)("%s is in the rhythm of its pool", async (key, value, field, expected) => {
  const [parent = "", name] = key.split(".");
  const { config } = await loadConfig({
    argv: ["-dev", `-hcl=${parent} { ${name} = ${value} }`],
    platform: world(),
  });
  const [pool, other] =
    parent === "gossip_lan" ? (["lan", "wan"] as const) : (["wan", "lan"] as const);
  expect(poolProfile(config, pool)[field]).toBe(expected);
  expect(poolProfile(config, other)[field]).not.toBe(expected);
});
