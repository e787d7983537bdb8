/**
 * A live cluster of three real servers becomes one of ours, one server after the other, and the same way back, while
 * clients write and read all the time: nothing that was acknowledged is lost, and nobody's read fails.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { oneLeader, ServerFleet, votersAre, Writers, type ServerSpec } from "./clusters.ts";
import { writeEverything } from "./every-write.ts";
import { Readers } from "./readers.ts";
import { sameAnswers, sameRecords } from "./same-state.ts";
import { eventually, http } from "./testkit.ts";

const HOSTS = ["127.0.34.11", "127.0.34.12", "127.0.34.13"] as const;
const SPARE = "127.0.34.14";

const fleet = new ServerFleet([
  ...[...HOSTS, SPARE].map((address) => `-retry-join=${address}`),
  "-hcl=limits { kv_max_value_size = 4000000 }",
  // Not to wait for minutes: a new server has its vote, and an old one its peace, soon.
  '-hcl=autopilot { server_stabilization_time = "500ms" }',
  '-hcl=performance { leave_drain_time = "500ms" }',
]);
afterAll(() => fleet[Symbol.asyncDispose]());

/** Servers that clients may ask: those that are not just being started or stopped. */
let open: readonly string[] = [];
const openBut = (address: string): void => {
  open = fleet.specs.map((spec) => spec.address).filter((other) => other !== address);
};

const servers: ServerSpec[] = HOSTS.map((address, i) => {
  return { name: `s${i + 1}`, address, make: "real" };
});

beforeAll(async () => {
  for (const server of servers) fleet.start(server, ["-bootstrap-expect=3"]);
  await oneLeader(HOSTS);
  openBut("");
  await votersAre(
    HOSTS[0],
    servers.map(({ name }) => name),
  );
  await writeEverything({ address: HOSTS[0], round: "before" }, "withoutMesh");
  await writeEverything({ address: HOSTS[0], round: "before" }, "mesh");
}, 60_000);

async function leave({ name, address }: ServerSpec): Promise<void> {
  openBut(address);
  await http(address, "/v1/agent/leave", { method: "PUT" });
  await fleet.end(name, "SIGKILL");
}

async function enter(server: ServerSpec): Promise<void> {
  fleet.start(server);
  const [at = ""] = open;
  const names = fleet.specs.map(({ name }) => name);
  await votersAre(at, names);
  await oneLeader(fleet.specs.map(({ address }) => address));
  openBut("");
}

/** What takes whose place: the same name at the same address; another name at the same address; and both anew. */
async function replaceAll(make: ServerSpec["make"]): Promise<void> {
  const [first, second, third] = servers as [ServerSpec, ServerSpec, ServerSpec];
  await leave(first);
  servers[0] = { ...first, make };
  await enter(servers[0]);

  await leave(second);
  servers[1] = { name: `${second.name}-${make}`, address: second.address, make };
  await enter(servers[1]);

  const used = third.address;
  servers[2] = { name: `${third.name}-${make}`, address: used === SPARE ? HOSTS[2] : SPARE, make };
  await enter(servers[2]);
  await leave(third);
  await votersAre(
    open[0] as string,
    servers.map(({ name }) => name),
  );
}

/** A write that was under way when its leader went is not answered; a real leader that hands over refuses some. */
const MAY_BE_REFUSED = {
  ours: /stream closed|session shutdown|EOF|reset|hang up|leadership (?:lost|transfer)/,
  real: /stream closed|session shutdown|EOF|reset|hang up|leadership lost/,
};

/** Minutes of waiting for real servers' votes: `ROLLING=1 npx vitest run interop/rolling-replacement.test.ts`. */
const isWanted = process.env["ROLLING"] === "1";
if (!isWanted) console.log("rolling replacement is skipped: it takes minutes; ROLLING=1 runs it");

test.skipIf(!isWanted).each(["ours", "real"] as const)(
  "the servers are replaced by %s, and nobody notices",
  async (make) => {
    const writers = new Writers(() => open, 4, `to-${make}`);
    const readers = new Readers(() => open, "every/before/cas", "second");
    const began = performance.now();
    await replaceAll(make);
    await Promise.all([writers.stop(), readers.stop()]);
    const tookS = Math.round((performance.now() - began) / 1000);
    console.log(
      `replaced in ${tookS} s; ${writers.acknowledged.size} writes, ${writers.refusals.length} refused, ` +
        `longest pause ${Math.round(writers.longestPauseMs)} ms; ${readers.count} reads, ` +
        `slowest ${Math.round(readers.slowestMs)} ms`,
    );
    const addresses = servers.map(({ address }) => address);
    for (const address of addresses) expect(await writers.lostAt(address)).toEqual([]);
    expect(writers.refusals.filter((text) => !MAY_BE_REFUSED[make].test(text))).toEqual([]);
    expect(readers.failures).toEqual([]);
    await eventually(
      "the catalog has these servers, healthy, and no others",
      async () => {
        const { body } = await http(addresses[0] as string, "/v1/health/service/consul?passing");
        return (JSON.parse(body) as { readonly Node: { readonly Node: string } }[]).map(
          ({ Node }) => Node.Node,
        );
      },
      (found) =>
        found.sort().join() ===
        servers
          .map(({ name }) => name)
          .sort()
          .join(),
    );
    for (const address of addresses) {
      await writeEverything(
        { address, round: `${make}-${address.replaceAll(".", "-")}` },
        "withoutMesh",
      );
    }
    await sameRecords(addresses);
    await sameAnswers(addresses);
  },
  120_000,
);
