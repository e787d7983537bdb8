import * as fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { LamportClock } from "./lamport-clock.ts";
import { MESSAGES_PER_TIME_MAX, RecentMessages, RING_SLOTS } from "./recent-messages.ts";

let clock: LamportClock;
let recent: RecentMessages<string>;
beforeEach(() => {
  clock = new LamportClock();
  recent = ring(clock, 10_000);
});

function ring(time: LamportClock, weightMax: number): RecentMessages<string> {
  return new RecentMessages({
    clock: time,
    isSame: (one, other) => one === other,
    weightOf: ({ length }) => length,
    weightMax,
  });
}

// serf.md §7, §8
test("the same message at the same time is known; another, or at another time, is not", () => {
  expect(recent.judge(5, "a")).toBe("new");
  expect(recent.judge(5, "a")).toBe("seen");
  expect(recent.judge(5, "b")).toBe("new");
  expect(recent.judge(6, "a")).toBe("new");
  expect(clock.time).toBe(7);
});

test("what is older than the ring is old", () => {
  recent.judge(RING_SLOTS + 100, "a");
  const oldest = clock.time - RING_SLOTS;
  expect(recent.judge(oldest - 1, "b")).toBe("old");
  expect(recent.judge(oldest, "b")).toBe("new");
});

test("a later time takes the slot of an earlier one", () => {
  recent.judge(3, "a");
  recent.judge(3 + RING_SLOTS, "b");
  expect(recent.slots[3]).toMatchObject({ LTime: 3 + RING_SLOTS, messages: ["b"] });
});

test("what is before the least time is old, although it was never seen", () => {
  recent.ignoreBefore(10);
  recent.ignoreBefore(4);
  expect(recent.judge(9, "a")).toBe("old");
  expect(recent.judge(10, "a")).toBe("new");
});

test("one time holds only so many messages", () => {
  const verdicts = Array.from({ length: MESSAGES_PER_TIME_MAX + 2 }, (_, index) =>
    recent.judge(1, `${index}`),
  );
  expect(verdicts.filter((verdict) => verdict === "new")).toHaveLength(MESSAGES_PER_TIME_MAX);
  expect(verdicts.slice(-2)).toEqual(["full", "full"]);
  expect(recent.slots[1]?.messages).toHaveLength(MESSAGES_PER_TIME_MAX);
});

test("when all are too heavy the oldest times are forgotten, and stay old", () => {
  recent = ring(clock, 10);
  for (const time of [1, 2, 3]) recent.judge(time, "four");
  expect(recent.slots.filter((slot) => slot !== null).map(({ LTime }) => LTime)).toEqual([2, 3]);
  expect(recent.judge(1, "four")).toBe("old");
  expect(recent.judge(2, "four")).toBe("seen");
});

test("nothing is ever new twice", () => {
  const message = fc.tuple(fc.nat(2000), fc.constantFrom("a", "b", "c"));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
      const small = ring(new LamportClock(), 20);
      const fresh = messages
        .filter(([time, text]) => small.judge(time, text) === "new")
        .map(([time, text]) => `${time}${text}`);
      expect(new Set(fresh).size).toBe(fresh.length);
    }),
  );
});
