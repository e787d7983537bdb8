/**
 * Three servers as three processes: they elect a leader, answer alike, and lose nothing when the leader is killed under
 * load, again and again (`KILLS=200` for the full run).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oneLeader, raftServers, ServerFleet, votersAre, Writers } from "./clusters.ts";
import { eventually, http } from "./testkit.ts";

const ADDRESSES = ["127.0.0.151", "127.0.0.152", "127.0.0.153"] as const;
const NAMES = ["s1", "s2", "s3"] as const;
const KILLS = Number(process.env["KILLS"] ?? 5);
const MOVED = "127.0.0.154";

const fleet = new ServerFleet([
  "-bootstrap-expect=3",
  ...ADDRESSES.map((address) => `-retry-join=${address}`),
]);
afterAll(() => fleet[Symbol.asyncDispose]());

const start = (i: number, address: string = ADDRESSES[i] as string): void => {
  fleet.start({ name: NAMES[i] as string, address, make: "ours" });
};
const nameOf = (address: string): string =>
  fleet.specs.find((spec) => spec.address === address)?.name as string;

let electedAfterMs = 0;
beforeAll(async () => {
  const began = performance.now();
  for (const i of ADDRESSES.keys()) start(i);
  await oneLeader(ADDRESSES);
  electedAfterMs = performance.now() - began;
});

test("three servers that were started together have a leader within five seconds", () => {
  expect(electedAfterMs).toBeLessThan(5000);
});

describe("every server", () => {
  test.each(ADDRESSES)("%s lists the same three voters", async (address) => {
    await votersAre(address, NAMES);
    const servers = await raftServers(address);
    expect(servers.filter(({ Leader }) => Leader)).toHaveLength(1);
  });

  test.each(ADDRESSES)("%s takes a write, and all others have it at once", async (address) => {
    const put = await http(address, `/v1/kv/from/${address}`, { method: "PUT", body: "x" });
    expect(put.body.trim()).toBe("true");
    for (const other of ADDRESSES) {
      expect((await http(other, `/v1/kv/from/${address}?raw`)).body).toBe("x");
      expect((await http(other, `/v1/kv/from/${address}?raw&consistent`)).body).toBe("x");
    }
  });

  test.each(ADDRESSES)("%s says in its headers who it heard of", async (address) => {
    const { headers } = await http(address, "/v1/kv/none?stale");
    expect(headers["x-consul-knownleader"]).toBe("true");
    expect(Number(headers["x-consul-lastcontact"])).toBeLessThan(1000);
  });

  test("is in the catalog, healthy", async () => {
    const nodes = await eventually(
      "three healthy servers",
      async () =>
        (await http(ADDRESSES[0], "/v1/health/service/consul?passing")).json() as {
          readonly Node: { readonly Node: string };
        }[],
      (found) => found.length === 3,
    );
    expect(nodes.map(({ Node }) => Node.Node).sort()).toEqual([...NAMES]);
  });
});

test("a blocking query at a follower returns when another server is written to", async () => {
  const leader = await oneLeader(ADDRESSES);
  const [follower = ""] = ADDRESSES.filter((address) => address !== leader);
  const { headers } = await http(follower, "/v1/kv/awaited");
  const held = http(follower, `/v1/kv/awaited?index=${String(headers["x-consul-index"])}&wait=20s`);
  await http(leader, "/v1/kv/awaited", { method: "PUT", body: "here" });
  expect((await held).body).toContain(Buffer.from("here").toString("base64"));
});

test(
  `nothing acknowledged is lost when the leader is killed ${KILLS} times under load`,
  async () => {
    const writers = new Writers(() => fleet.specs.map(({ address }) => address), 64);
    await writers.more(100);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const leader = await oneLeader(fleet.specs.map(({ address }) => address));
      const name = nameOf(leader);
      await writers.more(Math.floor(Math.random() * 200));
      await fleet.end(name, "SIGKILL");
      await writers.more(50);
      start(NAMES.indexOf(name as (typeof NAMES)[number]));
    }
    await writers.stop();
    await oneLeader(ADDRESSES);
    for (const address of ADDRESSES) expect(await writers.lostAt(address)).toEqual([]);
    console.log(
      `${writers.acknowledged.size} writes acknowledged over ${KILLS} kills; ` +
        `longest pause ${Math.round(writers.longestPauseMs)} ms`,
    );
    expect(writers.acknowledged.size).toBeGreaterThan(100);
  },
  60_000 + KILLS * 10_000,
);

test("without a quorum, stale reads are answered, and others hear who is missing", async () => {
  const [kept, ...gone] = NAMES;
  for (const name of gone) await fleet.end(name, "SIGKILL");
  const at = ADDRESSES[0];
  expect((await http(at, "/v1/kv/from/127.0.0.151?raw&stale")).body).toBe("x");
  const refused = await eventually(
    `${kept} says who is missing`,
    () => http(at, "/v1/kv/from/127.0.0.151"),
    ({ body }) => body.includes("missing"),
    60_000,
  );
  expect(refused.status).toBe(500);
  expect(refused.body).toMatch(/^No cluster leader: 1 of 3 servers are there and 2 are needed/);
  start(1);
  start(2);
  await oneLeader(ADDRESSES);
}, 120_000);

test("a server that comes back with another address is a voter again", async () => {
  await fleet.end("s3", "SIGKILL");
  start(2, MOVED);
  const all = [ADDRESSES[0], ADDRESSES[1], MOVED];
  // The pool keeps a name for 30 s to whoever had it, as Consul's does.
  await oneLeader(all, 90_000);
  const servers = await eventually(
    "the servers know where s3 is now",
    () => raftServers(ADDRESSES[0]),
    (found) => found.some(({ Address, Voter }) => Voter && Address === `${MOVED}:8300`),
  );
  expect(servers).toHaveLength(3);
  const put = await http(MOVED, "/v1/kv/from/moved", { method: "PUT", body: "x" });
  expect(put.body.trim()).toBe("true");
}, 150_000);

test("a leader that leaves hands over, and is no member any more", async () => {
  const all = fleet.specs.map(({ address }) => address);
  const leader = await oneLeader(all);
  const name = nameOf(leader);
  await http(leader, "/v1/agent/leave", { method: "PUT" });
  await fleet.end(name, "SIGKILL");
  const others = fleet.specs.map(({ address }) => address);
  await oneLeader(others);
  await votersAre(
    others[0] as string,
    fleet.specs.map((spec) => spec.name),
  );
}, 60_000);
