/** Joining until somebody answers, in virtual time. */
import { expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { retryJoin } from "./retry-join.ts";

function world(succeedsAt: number, maxRetries = 0) {
  const { clock } = simPlatform({ seed: 1 });
  const attempts: number[] = [];
  const stop = new AbortController();
  const outcome = retryJoin(
    {
      clock,
      logger: noLogger,
      cluster: "LAN",
      addresses: ["a", "b"],
      intervalMs: 30_000,
      maxRetries,
      join: async () => {
        attempts.push(clock.now());
        if (attempts.length < succeedsAt) throw new Error("nobody there");
        return 1;
      },
    },
    stop.signal,
  );
  return { clock, attempts, stop, outcome, start: clock.now() };
}

test("it tries again after each interval until one answers", async () => {
  const { clock, attempts, outcome, start } = world(3);
  await clock.run(300_000);
  expect(attempts.map((at) => at - start)).toEqual([0, 30_000, 60_000]);
  expect(await outcome).toBe("joined");
});

test("retry_max counts the attempts after the first", async () => {
  const { clock, attempts, outcome } = world(Infinity, 2);
  await clock.run(300_000);
  expect(attempts).toHaveLength(3);
  expect(await outcome).toBe("exhausted");
});

test("an agent that stops stops trying", async () => {
  const { clock, attempts, stop, outcome } = world(Infinity);
  await clock.run(40_000);
  stop.abort();
  await clock.run(300_000);
  expect(attempts).toHaveLength(2);
  expect(await outcome).toBe("aborted");
});
