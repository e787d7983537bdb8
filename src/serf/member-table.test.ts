/** The rules of serf.md §6, one row each. */
import { describe, expect, test } from "vitest";
import type { Instant } from "../platform/index.ts";
import { MemberTable } from "./member-table.ts";
import { RecentIntents } from "./recent-intents.ts";
import { gossipMember, tagsMember } from "./testkit.ts";

const at = (ms: number): Instant => ms as Instant;
const DAY = 86_400_000;

/** A table to which the steps have happened to x: `there`, `gone`, `join 3`, `leave 3`, `prune 3`. */
function after(steps: string, self = "self"): { table: MemberTable; results: string[] } {
  const table = new MemberTable(self);
  const results = steps
    .split(", ")
    .filter((step) => step !== "")
    .map((step) => take(table, step));
  return { table, results };
}

function take(table: MemberTable, step: string): string {
  const [what, time] = step.split(" ");
  const LTime = Number(time);
  if (what === "there") return table.there(gossipMember("x")).kind;
  if (what === "gone") return table.gone("x", at(0))?.kind ?? "nothing";
  if (what === "join") return table.joinIntent({ Node: "x", LTime }, at(0)) ? "passOn" : "drop";
  const intent = { Node: "x", LTime, Prune: what === "prune" };
  const { outcome, change, prune } = table.leaveIntent(intent, "staying", at(0));
  return [outcome, change?.kind, prune].filter((part) => part !== undefined).join(" ");
}

// What has happened to x ; what happens next ; what comes of it ; its status then
test.each([
  ["", "there", "join", "alive"],
  ["there", "gone", "failed", "failed"],
  ["there, leave 1", "gone", "leave", "left"],
  ["there, gone", "gone", "nothing", "failed"],
  ["there, leave 1, gone", "gone", "nothing", "left"],
  ["there, gone", "there", "join", "alive"],
  ["there, leave 1, gone", "there", "join", "alive"],
  ["", "gone", "nothing", undefined],

  ["there", "leave 1", "passOn", "leaving"],
  ["there, gone", "leave 1", "passOn leave", "left"],
  ["there, leave 1", "leave 2", "passOn", "leaving"],
  ["there, leave 1, gone", "leave 2", "passOn", "left"],
  ["there, join 5", "leave 5", "drop", "alive"],
  ["there, join 5", "leave 4", "drop", "alive"],
  ["there, leave 5", "leave 5", "drop", "leaving"],

  ["there", "prune 1", "passOn soon", "leaving"],
  ["there, gone", "prune 1", "passOn leave now", "left"],
  ["there, leave 1, gone", "prune 2", "passOn now", "left"],

  ["there", "join 1", "passOn", "alive"],
  ["there, join 5", "join 5", "drop", "alive"],
  ["there, leave 5", "join 6", "passOn", "alive"],
  ["there, leave 5", "join 5", "drop", "leaving"],
  ["there, leave 5, gone", "join 6", "passOn", "left"],
  ["there, gone", "join 6", "passOn", "failed"],

  // Before the member is known the latest intent is kept, and counts once it is.
  ["", "leave 3", "passOn", undefined],
  ["leave 3", "leave 3", "drop", undefined],
  ["leave 3", "join 4", "passOn", undefined],
  ["leave 3", "there", "join", "leaving"],
  ["leave 3, join 4", "there", "join", "alive"],
  ["leave 3, there", "join 3", "drop", "leaving"],
  ["join 7, there", "leave 7", "drop", "alive"],
])("after (%s), %s: %s, and it is %s", (before, next, result, status) => {
  const { table, results } = after([before, next].filter((part) => part !== "").join(", "));
  expect(results.at(-1)).toBe(result);
  expect(table.get("x")?.status).toBe(status);
});

describe("about this node itself", () => {
  test("that it is leaving is refuted while it stays, and accepted when it goes", () => {
    const { table } = after("there", "x");
    const intent = { Node: "x", LTime: 9, Prune: false };
    expect(table.leaveIntent(intent, "staying", at(0))).toEqual({ outcome: "refute" });
    expect(table.get("x")?.status).toBe("alive");
    expect(table.leaveIntent(intent, "leaving", at(0))).toEqual({ outcome: "passOn" });
    expect(table.get("x")?.status).toBe("leaving");
  });

  test("it is never erased", () => {
    const { table } = after("there, leave 1, gone", "x");
    expect(table.erase("x")).toBeUndefined();
  });
});

test("an update brings new tags and keeps the status", () => {
  const { table } = after("there, leave 1");
  const change = table.updated(tagsMember("x", { role: "web" }));
  expect(change).toMatchObject({ kind: "update", member: { tags: { role: "web" } } });
  expect(table.get("x")).toMatchObject({ status: "leaving", tags: { role: "web" } });
  expect(table.updated(tagsMember("y", {}))).toBeUndefined();
});

test("tags that cannot be read are none; of an old member the whole text is its role", () => {
  const table = new MemberTable("self");
  const broken = gossipMember("x", { meta: Uint8Array.of(0xff, 0xc1) });
  expect(table.there(broken).member.tags).toEqual({});
  const old = gossipMember("y", { meta: Buffer.from("db") });
  expect(table.there(old).member.tags).toEqual({ role: "db" });
});

test.each([
  ["failed", "there, gone", { failedMs: DAY, leftMs: 3 * DAY }],
  ["left", "there, leave 1, gone", { failedMs: 3 * DAY, leftMs: DAY }],
  ["left by force", "there, gone, leave 1", { failedMs: 3 * DAY, leftMs: DAY }],
])("who is %s is erased after the time for it", (_, steps, limits) => {
  const { table } = after(steps);
  expect(table.reap(at(DAY), limits)).toEqual([]);
  expect(table.reap(at(DAY + 1), limits)).toMatchObject([{ kind: "reap", member: { name: "x" } }]);
  expect(table.get("x")).toBeUndefined();
});

test("who is there, or leaving, is not erased", () => {
  for (const steps of ["there", "there, leave 1"]) {
    const { table } = after(steps);
    expect(table.reap(at(9 * DAY), { failedMs: 1, leftMs: 1 })).toEqual([]);
  }
});

test("for a push/pull: the time of every member, and who has left", () => {
  const { table } = after("there, leave 4, gone");
  table.there(gossipMember("__proto__"));
  expect(Object.entries(table.statusTimes())).toEqual([
    ["x", 4],
    ["__proto__", 0],
  ]);
  expect(table.named("left").map(({ name }) => name)).toEqual(["x"]);
});

describe("intents of unknown members", () => {
  test("are forgotten after five minutes", () => {
    const intents = new RecentIntents();
    intents.note("x", { kind: "join", LTime: 1 }, at(0));
    intents.forgetOld(at(300_000));
    expect(intents.size).toBe(1);
    intents.forgetOld(at(300_001));
    expect(intents.size).toBe(0);
  });

  test("are bounded in number: the first goes first", () => {
    const intents = new RecentIntents();
    for (let index = 0; index < 5000; index += 1) {
      intents.note(`n${index}`, { kind: "join", LTime: 1 }, at(index));
    }
    expect(intents.size).toBe(4096);
    expect(intents.of("n0")).toBeUndefined();
    expect(intents.of("n4999")).toBeDefined();
  });
});
