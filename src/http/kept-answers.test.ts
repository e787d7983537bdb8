/** `?cached` where nothing keeps answers fresh: as Consul 1.8.7's agent with "prepared-query" and "catalog-datacenters". */
import { describe, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { cacheControlOf } from "./cache-control.ts";
import type { Call } from "./call.ts";
import { KeptAnswers } from "./kept-answers.ts";
import { headerOf, META, startTestServer, TEST_CONFIG } from "./testkit.ts";

const HOUR_MS = 3_600_000;
const ANY = { maxAgeMs: Infinity, staleIfErrorMs: 0 };

function underTest() {
  const { clock } = simPlatform({ seed: 1 });
  const kept = new KeptAnswers(clock);
  let fetchCount = 0;
  const ask = async (question: string, wish: Partial<typeof ANY> = {}, isFailing = "no") => {
    const fetch = async (): Promise<number> => {
      if (isFailing === "fails") throw new RollcallError("raft/no-leader");
      fetchCount += 1;
      return fetchCount;
    };
    const { answer, headers } = await kept.answer(question, { ...ANY, ...wish }, fetch);
    return [answer, ...headers].join(" ");
  };
  return { clock, ask };
}

test("an answer is kept, and grows old", async () => {
  const { clock, ask } = underTest();
  expect(await ask("a")).toBe("1 X-Cache MISS");
  expect(await ask("a")).toBe("1 X-Cache HIT Age 0");
  clock.advance(3900);
  expect(await ask("a")).toBe("1 X-Cache HIT Age 3");
  expect(await ask("b")).toBe("2 X-Cache MISS");
});

test("who wants a younger one gets a new one, and so does who asks next", async () => {
  const { clock, ask } = underTest();
  await ask("a");
  clock.advance(2000);
  expect(await ask("a", { maxAgeMs: 2000 })).toBe("1 X-Cache HIT Age 2");
  expect(await ask("a", { maxAgeMs: 1000 })).toBe("2 X-Cache MISS");
  expect(await ask("a")).toBe("2 X-Cache HIT Age 0");
  expect(await ask("a", { maxAgeMs: 0 })).toBe("3 X-Cache MISS");
});

test("an old one will do where no new one can be had, if that was said", async () => {
  const { clock, ask } = underTest();
  await ask("a");
  clock.advance(5000);
  const wish = { maxAgeMs: 1000 };
  await expect(ask("a", wish, "fails")).rejects.toThrow("No cluster leader");
  expect(await ask("a", { ...wish, staleIfErrorMs: 6000 }, "fails")).toBe("1 X-Cache HIT Age 5");
  await expect(ask("a", { ...wish, staleIfErrorMs: 5000 }, "fails")).rejects.toThrow();
  await expect(ask("new", { staleIfErrorMs: 6000 }, "fails")).rejects.toThrow();
});

test("what nobody asked for in three days is forgotten, and the oldest of too many", async () => {
  const { clock, ask } = underTest();
  await ask("a");
  clock.advance(71 * HOUR_MS);
  expect(await ask("a")).toBe(`1 X-Cache HIT Age ${71 * 3600}`);
  clock.advance(72 * HOUR_MS);
  expect(await ask("a")).toBe("2 X-Cache MISS");
  for (let i = 0; i < 1023; i++) await ask(`q${i}`);
  expect(await ask("a")).toContain("HIT");
  await ask("one more");
  expect(await ask("a")).toContain("HIT");
  expect(await ask("q0")).toContain("MISS");
});

test.each([
  ["", Infinity, 0],
  ["max-age=5", 5000, 0],
  ["max-age=0", 0, 0],
  ["must-revalidate", 0, 0],
  ["Max-Age=9, must-revalidate", 0, 0],
  ["max-age=3,stale-if-error=60", 3000, 60_000],
  ["max-age", Infinity, 0],
  ["no-store", Infinity, 0],
])("Cache-Control: %s", (header, maxAgeMs, staleIfErrorMs) => {
  const call = { header: () => header } as unknown as Call;
  expect(cacheControlOf(call)).toEqual({ maxAgeMs, staleIfErrorMs });
});

describe("over HTTP", () => {
  const server = async (useCache: boolean) => {
    const platform = simPlatform({ seed: 1 });
    let count = 0;
    const started = await startTestServer({
      platform,
      config: { http: { ...TEST_CONFIG.http, useCache } },
      handlers: {
        "PreparedQuery.Execute": () => ({
          value: {
            Service: `answer ${++count}`,
            Nodes: [],
            DNS: { TTL: "" },
            Datacenter: "dc1",
            Failovers: 0,
          },
          meta: META,
        }),
        "Catalog.ListDatacenters": () => [`dc${++count}`],
      },
    });
    const ask = async (path: string, wish = "") => {
      const headers: Record<string, string> = wish === "" ? {} : { "Cache-Control": wish };
      const answer = await started.send({ path, headers });
      const cache = [headerOf(answer, "X-Cache"), headerOf(answer, "Age")];
      return `${/(answer \d|dc\d)/.exec(answer.body)?.[0]} ${cache.join(" ")}`.trimEnd();
    };
    return {
      clock: platform.clock,
      ask,
      [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
    };
  };

  test("a prepared query's answer", async () => {
    await using under = await server(true);
    const path = "/v1/query/q/execute?cached";
    expect(await under.ask(path)).toBe("answer 1 MISS");
    under.clock.advance(2500);
    expect(await under.ask(path)).toBe("answer 1 HIT 2");
    expect(await under.ask(`${path}&limit=1`)).toBe("answer 2 MISS");
    expect(await under.ask(path, "max-age=2")).toBe("answer 3 MISS");
    expect(await under.ask("/v1/query/q/execute")).toBe("answer 4");
  });

  test("the list of datacenters", async () => {
    await using under = await server(true);
    const path = "/v1/catalog/datacenters?cached";
    expect(await under.ask(path)).toBe("dc1 MISS");
    under.clock.advance(1200);
    expect(await under.ask(path)).toBe("dc1 HIT 1");
    expect(await under.ask(path, "max-age=1")).toBe("dc2 MISS");
  });

  test("without use_cache there is none", async () => {
    await using under = await server(false);
    const path = "/v1/query/q/execute?cached&consistent";
    expect(await under.ask(path)).toBe("answer 1");
    expect(await under.ask(path)).toBe("answer 2");
    expect(await under.ask("/v1/catalog/datacenters?cached")).toBe("dc3");
  });
});
