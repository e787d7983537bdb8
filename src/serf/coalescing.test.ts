/** serf.md §7, "Coalescing", with the Serf command's own times. */
import { beforeEach, expect, test } from "vitest";
import { SimClock } from "../platform/sim/clock.ts";
import { coalescing, type Coalescing } from "./coalescing.ts";
import { memberOf } from "./member.ts";
import type { MemberEventKind, SerfUserEvent } from "./serf-event.ts";
import { gossipMember, shownEvent, utf8 } from "./testkit.ts";

let clock: SimClock;
let told: string[];
let events: Coalescing;
beforeEach(() => {
  clock = new SimClock();
  told = [];
  events = coalescing(clock, { periodMs: 3000, quietMs: 1000 }, (event) =>
    told.push(shownEvent(event)),
  );
});

function member(kind: MemberEventKind, name: string): void {
  events.tell({ kind, members: [memberOf(gossipMember(name), "alive")] });
}
function user(ltime: number, payload: string, fields: Partial<SerfUserEvent> = {}): void {
  events.tell({
    kind: "user",
    ltime,
    name: "deploy",
    payload: utf8(payload),
    coalesce: true,
    ...fields,
  });
}

test("members with the same change are told together, once it is quiet", () => {
  member("join", "a");
  member("join", "b");
  clock.advance(999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual(["join a,b"]);
});

test("when it is never quiet, the period ends the waiting", () => {
  for (let i = 0; i < 4; i += 1) {
    member("update", `m${i}`);
    clock.advance(800);
  }
  expect(told).toEqual(["update m0,m1,m2,m3"]);
});

test("of each member the last event counts", () => {
  member("join", "a");
  member("failed", "a");
  clock.advance(1000);
  expect(told).toEqual(["failed a"]);
});

test("what was told last of a member is not told again, but updates are", () => {
  member("join", "a");
  clock.advance(1000);
  member("failed", "a");
  member("join", "a");
  clock.advance(1000);
  expect(told).toEqual(["join a"]);
  member("update", "a");
  clock.advance(1000);
  member("update", "a");
  clock.advance(1000);
  expect(told).toEqual(["join a", "update a", "update a"]);
});

test("a member that was erased can join as if it were new", () => {
  for (const kind of ["join", "reap", "join"] as const) {
    member(kind, "a");
    clock.advance(1000);
  }
  expect(told).toEqual(["join a", "reap a", "join a"]);
});

test("of user events with one name only those with the latest time are told", () => {
  user(1, "old");
  user(2, "new");
  user(2, "too");
  user(1, "late");
  clock.advance(1000);
  expect(told).toEqual(["user deploy:new@2", "user deploy:too@2"]);
});

test("user events that may not be coalesced pass at once", () => {
  user(1, "v1", { coalesce: false });
  expect(told).toEqual(["user deploy:v1@1"]);
});

test("too much to wait for is told early", () => {
  for (let index = 0; index < 1024; index += 1) user(1, `${index}`, { name: `n${index}` });
  expect(told).toHaveLength(1024);
});

test("disposed of, it leaves no timer", () => {
  member("join", "a");
  user(1, "v1");
  events[Symbol.dispose]();
  expect(clock.timerCount).toBe(0);
});
