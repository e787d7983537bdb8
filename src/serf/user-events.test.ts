/** serf.md §7 */
import { beforeEach, expect, test } from "vitest";
import { noMeter } from "../platform/index.ts";
import type { UserEvent } from "../wire/index.ts";
import { Broadcasts } from "./broadcasts.ts";
import { LamportClock } from "./lamport-clock.ts";
import { recordingLogger, shownEvent, utf8 } from "./testkit.ts";
import { UserEvents } from "./user-events.ts";

let told: string[];
let queued: number;
let events: UserEvents;
let time: LamportClock;

function userEvents(sizeLimit: number): UserEvents {
  const logger = recordingLogger([]);
  const broadcasts = new Broadcasts({
    retransmitMult: 4,
    packetBytesMax: 1400,
    queueDepthMax: 100,
    queueDepthMin: 0,
    queueDepthWarning: 100,
    memberCount: () => 1,
    logger,
    metrics: noMeter,
  });
  broadcasts.add = () => (queued += 1);
  return new UserEvents({
    time,
    sizeLimit,
    broadcasts,
    logger,
    metrics: noMeter,
    onEvent: (event) => told.push(shownEvent(event)),
  });
}

beforeEach(() => {
  [told, queued, time] = [[], 0, new LamportClock()];
  events = userEvents(512);
});

const event = (LTime: number, text: string, CC = false): UserEvent => ({
  LTime,
  Name: "deploy",
  Payload: utf8(text),
  CC,
});
const notCoalesced = { coalesce: false };

test("one of our own is stamped, told here, and spread", () => {
  events.fire("deploy", utf8("v1"), notCoalesced);
  events.fire("deploy", utf8("v1"), notCoalesced);
  expect(told).toEqual(["user deploy:v1@1", "user deploy:v1@2"]);
  expect(queued).toBe(2);
});

test("the same event is told once, whether it may be coalesced or not", () => {
  expect(events.receive(event(3, "v1"))).toBe(true);
  expect(events.receive(event(3, "v1", true))).toBe(false);
  expect(events.receive(event(3, "v2"))).toBe(true);
  expect(told).toEqual(["user deploy:v1@3", "user deploy:v2@3"]);
});

test.each([
  [512, 505, "user event exceeds configured limit of 512 bytes before encoding", 507],
  [512, 500, "encoded user event exceeds configured limit of 512 bytes after encoding", 460],
  [20_000, 9300, "user event exceeds sane limit of 9216 bytes before encoding", 9000],
])("with a limit of %i bytes, %i are too many", (limit, bytes, text, enough) => {
  const limited = userEvents(limit);
  const fire = (count: number) => (): void =>
    limited.fire("deploy--", new Uint8Array(count), notCoalesced);
  expect(fire(bytes)).toThrow(text);
  expect(time.time).toBe(1);
  if (enough < bytes) expect(fire(enough)).not.toThrow();
});

test("what was told goes into the state that is exchanged, and comes from there", () => {
  events.receive(event(3, "v1"));
  events.receive(event(3, "v2"));
  const slots = events.forPushPull();
  expect(slots).toHaveLength(512);
  expect(slots[3]).toEqual({
    LTime: 3,
    Events: [
      { Name: "deploy", Payload: utf8("v1") },
      { Name: "deploy", Payload: utf8("v2") },
    ],
  });
  told = [];
  const other = userEvents(512);
  other.receive(event(3, "v2"));
  other.merge(slots);
  expect(told).toEqual(["user deploy:v2@3", "user deploy:v1@3"]);
});

test("who ignores what is old takes only what is as new as that", () => {
  events.ignoreBefore(5);
  events.merge([
    null,
    { LTime: 4, Events: [event(4, "old")] },
    { LTime: 5, Events: [event(5, "new")] },
  ]);
  expect(told).toEqual(["user deploy:new@5"]);
});
