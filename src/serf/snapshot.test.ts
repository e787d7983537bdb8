/** serf.md §10 */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { noMeter } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { replaySnapshot } from "./snapshot-replay.ts";
import { openSnapshot, type Snapshot, type SnapshotNeeds } from "./snapshot.ts";
import { recordingLogger, utf8 } from "./testkit.ts";

const PATH = "/snapshot";
let platform: SimPlatform;
let log: string[];
let time: number;
beforeEach(() => {
  platform = simPlatform({ seed: 1 });
  log = [];
  time = 0;
});

function open(options: Partial<SnapshotNeeds> = {}): Promise<Snapshot> {
  return openSnapshot({
    clock: platform.clock,
    disk: platform.disk,
    logger: recordingLogger(log),
    metrics: noMeter,
    path: PATH,
    afterLeave: "forget",
    lastSeenTime: () => time,
    ...options,
  });
}

async function content(): Promise<string> {
  return Buffer.from((await platform.disk.read(PATH)) ?? []).toString();
}

test("Serf's own file comes to one alive node and three clocks", () => {
  const bytes = readFileSync(new URL("./testdata/serf.snapshot", import.meta.url));
  const { state, wholeBytes } = replaySnapshot(bytes, "forget", (error) => {
    throw error;
  });
  expect([...state.alive]).toEqual([["node-1", "127.0.77.11:7946"]]);
  expect([state.clock, state.eventClock, state.queryClock]).toEqual([3, 1, 4]);
  expect(wholeBytes).toBe(bytes.length);
});

const WRITTEN = "alive: a 10.0.0.1:1\nclock: 7\n";
test.each([
  ["a leave forgets all", `${WRITTEN}leave\n`, "forget", [], 0],
  ["unless the node is to come back", `${WRITTEN}leave\n`, "rejoin", ["a"], 7],
  ["what follows a leave counts", `${WRITTEN}leave\nalive: b 10.0.0.2:1\n`, "forget", ["b"], 0],
  ["a name with blanks", "alive: a b c 10.0.0.1:1\n", "forget", ["a b c"], 0],
  ["a line that was cut off is no line", `${WRITTEN}not-alive: a`, "forget", ["a"], 7],
  ["a line that means nothing is passed over", `?!\n${WRITTEN}`, "forget", ["a"], 7],
  ["an impossible time is passed over", `${WRITTEN}clock: 9007199254740991\n`, "forget", ["a"], 7],
] as const)("%s", (_, text, afterLeave, names, clock) => {
  const { state } = replaySnapshot(utf8(text), afterLeave, () => {});
  expect([...state.alive.keys()]).toEqual(names);
  expect(state.clock).toBe(clock);
});

test("any bytes are read without a failure", () => {
  const line = fc.oneof(
    fc.constantFrom("alive: ", "alive: a", "clock: 1e9", "event-clock: -1", "leave", "#", "\r"),
    fc.string(),
  );
  const text = fc.array(line).map((lines) => utf8(lines.join("\n")));
  fc.assert(
    fc.property(fc.oneof(text, fc.uint8Array()), (bytes) => {
      const { wholeBytes } = replaySnapshot(bytes, "forget", () => {});
      expect(wholeBytes).toBe(bytes.lastIndexOf(0x0a) + 1);
    }),
  );
});

test("lines are appended twice a second, the clock among them if it has moved", async () => {
  await using snapshot = await open();
  snapshot.alive("a", "10.0.0.1:7946");
  snapshot.alive("b", "10.0.0.2:7946");
  snapshot.notAlive("a");
  time = 3;
  expect(await content()).toBe("");
  await platform.clock.run(500);
  const first = "alive: a 10.0.0.1:7946\nalive: b 10.0.0.2:7946\nnot-alive: a\nclock: 3\n";
  expect(await content()).toBe(first);
  snapshot.eventSeen(5);
  snapshot.eventSeen(5);
  snapshot.eventSeen(4);
  snapshot.querySeen(9);
  await platform.clock.run(500);
  expect(await content()).toBe(`${first}event-clock: 5\nquery-clock: 9\n`);
});

test("its folder is made where there is none", async () => {
  await using snapshot = await open({ path: "/data/serf/local.snapshot" });
  expect(snapshot.recovered.members).toEqual([]);
});

test("what was recorded is recovered", async () => {
  {
    await using snapshot = await open();
    snapshot.alive("a", "10.0.0.1:7946");
    snapshot.eventSeen(5);
    time = 8;
  }
  await using again = await open();
  expect(again.recovered).toEqual({
    members: [{ name: "a", address: "10.0.0.1:7946" }],
    clock: 8,
    eventClock: 5,
    queryClock: 0,
  });
});

test("after a crash in the middle of a line the next one stands on its own", async () => {
  await platform.disk.replace(PATH, utf8("alive: a 10.0.0.1:1\nalive: b 10.0"));
  await using snapshot = await open();
  snapshot.alive("c", "10.0.0.3:1");
  await platform.clock.run(500);
  expect(await content()).toBe("alive: a 10.0.0.1:1\nalive: c 10.0.0.3:1\n");
});

test("a leave survives power loss, and is the end", async () => {
  await using snapshot = await open();
  snapshot.alive("a", "10.0.0.1:7946");
  await platform.clock.until(snapshot.leave());
  snapshot.alive("b", "10.0.0.2:7946");
  await platform.clock.run(1000);
  platform.disk.crash();
  expect(await content()).toBe("alive: a 10.0.0.1:7946\nleave\n");
});

test("a name with a line feed could forge lines, and is not recorded", async () => {
  await using snapshot = await open();
  snapshot.alive("a\nleave", "10.0.0.1:7946");
  snapshot.notAlive("a\nleave");
  await platform.clock.run(500);
  expect(await content()).toBe("");
});

test("a file that has grown is rewritten as what it comes to", async () => {
  await using snapshot = await open();
  snapshot.alive("a", "10.0.0.1:7946");
  let longest = 0;
  for (let index = 0; index < 9000; index += 1) {
    snapshot.eventSeen(index);
    if (index % 1000 !== 0) continue;
    await platform.clock.run(500);
    longest = Math.max(longest, (await content()).length);
  }
  await platform.clock.run(1000);
  expect(longest).toBeGreaterThan(128 * 1024);
  expect(await content()).toBe(
    "alive: a 10.0.0.1:7946\nclock: 0\nevent-clock: 8999\nquery-clock: 0\n",
  );
  snapshot.alive("b", "10.0.0.2:7946");
  await platform.clock.run(500);
  expect(await content()).toMatch(/query-clock: 0\nalive: b 10.0.0.2:7946\n$/);
});

describe("a disk that fails", () => {
  test("is told of, and half a minute later has the whole state", async () => {
    await using snapshot = await open();
    platform.disk.capacityBytes = 0;
    snapshot.alive("a", "10.0.0.1:7946");
    await platform.clock.run(20_000);
    expect(log).toEqual([expect.stringContaining("ERROR serf: Failed to update snapshot: ")]);
    platform.disk.capacityBytes = Infinity;
    await platform.clock.run(11_000);
    expect(await content()).toBe(
      "alive: a 10.0.0.1:7946\nclock: 0\nevent-clock: 0\nquery-clock: 0\n",
    );
  });

  test("does not fill memory: lines are given up for the state", async () => {
    await using snapshot = await open();
    platform.disk.capacityBytes = 0;
    await platform.clock.run(500);
    for (let index = 0; index < 100_000; index += 1) snapshot.eventSeen(index);
    platform.disk.capacityBytes = Infinity;
    await platform.clock.run(31_000);
    expect(await content()).toBe("clock: 0\nevent-clock: 99999\nquery-clock: 0\n");
  });
});

test("disposed of, it leaves no timer", async () => {
  const snapshot = await open();
  await snapshot[Symbol.asyncDispose]();
  await snapshot[Symbol.asyncDispose]();
  expect(platform.clock.timerCount).toBe(0);
});
