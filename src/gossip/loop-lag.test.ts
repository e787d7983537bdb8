import { expect, test } from "vitest";
import { simPlatform, HostClock } from "../platform/sim/index.ts";
import { Awareness } from "./awareness.ts";
import { LoopLag } from "./loop-lag.ts";

const HOST = "10.0.0.1";

function lagging() {
  const { clock, network } = simPlatform({ seed: 1 });
  const awareness = new Awareness(8);
  const lags: number[] = [];
  const lag = new LoopLag({
    clock: new HostClock(clock, network.links, HOST),
    awareness,
    probeTimeoutMs: 500,
    probeIntervalMs: 1000,
    mode: "counts",
    onLag: (lateMs) => lags.push(lateMs),
  });
  /** The loop stands still from `fromMs` on, for `forMs`. */
  const stall = async (fromMs: number, forMs: number) => {
    await clock.run(fromMs);
    {
      using _pause = network.links.pause(HOST);
      await clock.run(forMs);
    }
    await clock.settle();
  };
  return { clock, awareness, lag, lags, stall };
}

test("a timer that fires in time says nothing", async () => {
  const { clock, awareness, lag, lags } = lagging();
  const fired: number[] = [];
  lag.after(300, (stallMs) => fired.push(stallMs));
  lag.deadline(300, 500, (stallMs) => fired.push(stallMs));
  await clock.run(300);
  expect(fired).toEqual([0, 0]);
  expect([awareness.score, lags.length]).toEqual([0, 0]);
});

test("one that is late by more than half a probe timeout counts against our own health, once a stall", async () => {
  const { awareness, lag, lags, stall } = lagging();
  const fired: number[] = [];
  for (const delayMs of [100, 200, 300]) lag.after(delayMs, (stallMs) => fired.push(stallMs));
  await stall(50, 2550);
  expect(lags).toEqual([2500]);
  expect(awareness.score).toBe(3); // One for the stall, and one for each probe interval that it took.
  expect(fired[0]).toBe(2500);
});

test("the less well we are, the later a timer may be", async () => {
  const { awareness, lag, lags, stall } = lagging();
  awareness.change(2);
  lag.after(100, () => {});
  await stall(50, 750);
  expect(lags).toEqual([]);
  lag.after(100, () => {});
  await stall(50, 851);
  expect(lags).toEqual([801]);
});

test("a late deadline first gives what has arrived time to be read, and says that it was late", async () => {
  const { clock, lag, stall } = lagging();
  const start = clock.now();
  const fired: [number, number][] = [];
  const note = (stallMs: number) => fired.push([stallMs, clock.now() - start]);
  lag.deadline(100, 500, note);
  await stall(50, 5000);
  expect(fired).toEqual([]);
  await clock.run(500);
  expect(fired).toEqual([[4950, 5550]]);
});

test("a loop that is always late still comes to an end", async () => {
  const { clock, network } = simPlatform({ seed: 1 });
  using _slow = network.links.slow(HOST, 400);
  const lag = new LoopLag({
    clock: new HostClock(clock, network.links, HOST),
    awareness: new Awareness(8),
    probeTimeoutMs: 500,
    probeIntervalMs: 1000,
    mode: "counts",
    onLag: () => {},
  });
  let fired = false;
  lag.deadline(100, 500, () => (fired = true));
  await clock.run(500 + 3 * (400 + 400));
  expect(fired).toBe(true);
});

test("a disposed deadline does not fire, not even one that is giving grace", async () => {
  const { clock, lag, stall } = lagging();
  let fired = false;
  const deadline = lag.deadline(100, 500, () => (fired = true));
  await stall(50, 1000);
  deadline[Symbol.dispose]();
  await clock.run(5000);
  expect(fired).toBe(false);
  expect(clock.timerCount).toBe(0);
});
