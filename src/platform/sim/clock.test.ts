import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SimClock } from "./clock.ts";

test("timers fire by instant, equal ones in arming order, whatever is cancelled between", () => {
  const arming = fc.record({ delayMs: fc.nat({ max: 20 }), cancelled: fc.boolean() });
  fc.assert(
    fc.property(fc.array(arming, { maxLength: 40 }), fc.nat({ max: 25 }), (armings, durationMs) => {
      const clock = new SimClock();
      const start = clock.now();
      const fired: (readonly [atMs: number, armed: number])[] = [];
      const timers = armings.map(({ delayMs }, armed) =>
        clock.after(delayMs, () => fired.push([clock.now() - start, armed])),
      );
      armings.forEach(({ cancelled }, armed) => {
        if (cancelled) timers[armed]?.[Symbol.dispose]();
      });
      clock.advance(durationMs);

      const expected = armings
        .map(({ delayMs, cancelled }, armed) => ({ delayMs, cancelled, armed }))
        .filter(({ delayMs, cancelled }) => !cancelled && delayMs <= durationMs)
        .toSorted((a, b) => a.delayMs - b.delayMs || a.armed - b.armed);
      expect(fired).toEqual(expected.map(({ delayMs, armed }) => [delayMs, armed]));
      const alive = armings.filter(({ cancelled }) => !cancelled).length;
      expect(clock.timerCount).toBe(alive - fired.length);
      expect(clock.now() - start).toBe(durationMs);
    }),
  );
});

test("a timer may cancel another that is due at the same instant", () => {
  const clock = new SimClock();
  const fired: string[] = [];
  clock.after(5, () => {
    fired.push("first");
    second[Symbol.dispose]();
  });
  const second = clock.after(5, () => fired.push("second"));
  clock.advance(5);
  expect(fired).toEqual(["first"]);
});

test("a timer armed for now while another fires, fires within the same advance", () => {
  const clock = new SimClock();
  const fired: string[] = [];
  clock.after(5, () => clock.after(0, () => fired.push("inner")));
  clock.advance(5);
  expect(fired).toEqual(["inner"]);
});

test("run lets what a timer set in motion finish before the next timer", async () => {
  const clock = new SimClock();
  const sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      clock.after(ms, wake);
    });
  const events: string[] = [];
  const start = clock.now();
  const loop = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await sleep(10);
      await Promise.resolve();
      events.push(`woke at ${clock.now() - start}`);
    }
  };
  void loop();
  clock.after(15, () => events.push("timer at 15"));
  await clock.run(25);
  expect(events).toEqual(["woke at 10", "timer at 15", "woke at 20"]);
  expect(clock.now() - start).toBe(25);
});

test("until stops as soon as the work is done, and gives up in virtual time", async () => {
  const clock = new SimClock();
  const start = clock.now();
  const after = (ms: number): Promise<string> =>
    new Promise((resolve) => {
      clock.after(ms, () => resolve("done"));
    });
  clock.after(100, () => {});
  expect(await clock.until(after(60))).toBe("done");
  expect(clock.now() - start).toBe(60);
  await expect(clock.until(after(500), 200)).rejects.toThrow("still pending after 200 ms");
  expect(clock.now() - start).toBe(260);
  await expect(clock.until(Promise.reject(new Error("failed")))).rejects.toThrow("failed");
});

test("the wall clock jumps alone", () => {
  const clock = new SimClock();
  const now = clock.now();
  const wallMs = clock.wallMs();
  clock.jumpWall(-3_600_000);
  expect(clock.now()).toBe(now);
  expect(clock.wallMs()).toBe(wallMs - 3_600_000);
});
