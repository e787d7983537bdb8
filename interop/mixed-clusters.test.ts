/**
 * Clusters of real Consul servers and ours: whoever leads, everything can be written and read through every server, all
 * hold the same state record by record, and nothing that was acknowledged is lost when the leader is killed, until each
 * server has led (`KILLS=20` for more).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oneLeader, ServerFleet, votersAre, Writers, type Make } from "./clusters.ts";
import { writeEverything } from "./every-write.ts";
import { refusalsOf } from "./refused.ts";
import { sameAnswers, sameRecords, snapshotOf } from "./same-state.ts";
import { http, ROLLCALL, run } from "./testkit.ts";

const KILLS = Number(process.env["KILLS"] ?? 0);
const KILLS_MAX = 15 + KILLS;

interface Mixture {
  readonly about: string;
  readonly makes: readonly Make[];
  readonly addresses: readonly string[];
}
const MIXTURES: readonly Mixture[] = [
  {
    about: "ours beside two real servers",
    makes: ["real", "real", "ours"],
    addresses: ["127.0.34.1", "127.0.34.2", "127.0.34.3"],
  },
  {
    about: "a real server beside two of ours",
    makes: ["real", "ours", "ours"],
    addresses: ["127.0.34.4", "127.0.34.5", "127.0.34.6"],
  },
];
/** Tables that are not empty after everything was written; coordinates may be lost with a leader, which keeps them for 5 s. */
const WRITTEN = [
  "nodes",
  "services",
  "checks",
  "kv",
  "tombstones",
  "sessions",
  "preparedQueries",
  "autopilot",
  "indexes",
  "configEntries",
  "intentions",
];

describe.each(MIXTURES)("$about", ({ makes, addresses }) => {
  const fleet = new ServerFleet([
    "-bootstrap-expect=3",
    "-hcl=limits { kv_max_value_size = 4000000 }",
    ...addresses.map((address) => `-retry-join=${address}`),
  ]);
  afterAll(() => fleet[Symbol.asyncDispose]());

  const nameOf = (address: string): string => {
    const i = addresses.indexOf(address);
    return `s${i + 1}-${makes[i]}`;
  };
  const makeOf = (address: string): Make => makes[addresses.indexOf(address)] as Make;
  const start = (address: string): void => {
    fleet.start({ name: nameOf(address), address, make: makeOf(address) });
  };
  /** What the first server that was asked has said. */
  let refused: object | undefined;
  const running = (): readonly string[] => fleet.specs.map(({ address }) => address);

  beforeAll(async () => {
    for (const address of addresses) start(address);
    await oneLeader(addresses);
    for (const address of addresses) await votersAre(address, addresses.map(nameOf));
  }, 60_000);

  test("`members` prints one table, whichever server and program is asked", async () => {
    const table = async (program: string, at: string): Promise<string> =>
      (await run([program, "members", `-http-addr=${at}:8500`])).stdout;
    const expected = await table("consul", addresses[0] as string);
    for (const address of addresses) {
      expect(expected).toContain(`${nameOf(address)} `);
      for (const program of ["consul", ROLLCALL]) {
        expect(await table(program, address)).toBe(expected);
      }
    }
  });

  test(
    "each server leads in turn, and nothing is lost or held differently",
    async () => {
      const yetToLead = new Set(addresses);
      const lost: string[] = [];
      let kills = 0;
      let pauseMs = 0;
      for (;;) {
        const leader = await oneLeader(addresses);
        if (yetToLead.delete(leader)) await everythingThroughAll(leader, addresses);
        if (yetToLead.size === 0 && kills >= KILLS) break;
        expect(kills, `not led yet: ${[...yetToLead].map(nameOf).join()}`).toBeLessThan(KILLS_MAX);
        const writers = new Writers(running, 6, `kill-${kills}`);
        await writers.more(50);
        await fleet.end(nameOf(leader), "SIGKILL");
        await writers.more(50);
        start(leader);
        kills += 1;
        await writers.stop();
        pauseMs = Math.max(pauseMs, writers.longestPauseMs);
        await oneLeader(addresses);
        for (const address of addresses) lost.push(...(await writers.lostAt(address)));
      }
      expect(lost).toEqual([]);
      const records = await sameRecords(addresses);
      for (const table of WRITTEN) expect(records[table], table).not.toEqual({});
      await sameAnswers(addresses);
      console.log(`${kills} kills; longest pause ${Math.round(pauseMs)} ms`);
    },
    90_000 + KILLS * 10_000,
  );

  /** The texts are the same whoever leads; a server that passed the request on says so. */
  async function refusesAsOthers(leader: string, address: string): Promise<void> {
    const said = [...(await refusalsOf(address))].map(([request, { text, hops }]) => {
      expect(hops, request).toBeLessThanOrEqual(address === leader ? 0 : 1);
      return [request, text];
    });
    refused ??= Object.fromEntries(said) as object;
    expect(Object.fromEntries(said), `${nameOf(address)} under ${nameOf(leader)}`).toEqual(refused);
  }

  async function everythingThroughAll(leader: string, at: readonly string[]): Promise<void> {
    for (const address of at) {
      const round = `${nameOf(leader)}-by-${nameOf(address)}`;
      await writeEverything({ address, round }, "withoutMesh");
      const isReal = makeOf(leader) === "real" && makeOf(address) === "real";
      if (isReal) await writeEverything({ address, round }, "mesh");
      await refusesAsOthers(leader, address);
      const key = `/v1/kv/every/${round}/cas?raw`;
      for (const reader of at) {
        for (const consistency of ["", "&consistent"]) {
          expect((await http(reader, key + consistency)).body).toBe("second");
        }
      }
    }
    await sameAnswers(at);
    const records = await sameRecords(at);
    for (const address of at) {
      const { tables } = await snapshotOf(address, "default");
      expect(tables.kv.size).toBe(Object.keys(records["kv"] as object).length);
    }
  }
});
