import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Instant } from "../platform/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import type { GossipMember } from "./member.ts";
import { CommonKnowledge } from "./common-knowledge.ts";
import { MemberTable } from "./member-table.ts";

const NOW = 1000 as Instant;
const TO_THE_DEAD_MS = 30_000;

function member(name: string, state: GossipMember["state"] = "alive"): GossipMember {
  const none = new Uint8Array(0);
  return {
    name,
    addr: Uint8Array.of(10, 0, 0, 1),
    port: 1,
    meta: none,
    vsn: none,
    state,
    incarnation: 1,
  };
}
function table(count: number, seed = 1): MemberTable {
  const made = new MemberTable("self", new SimRandom(seed));
  made.put(member("self"), NOW);
  for (let i = 0; i < count; i += 1) made.put(member(`m${i}`), NOW);
  return made;
}
const probe = (from: MemberTable, now = NOW) => from.nextToProbe(now, TO_THE_DEAD_MS)?.name;

// SWIM §4.3: within two rounds everybody's turn comes, however the rounds are shuffled.
test("every member but ourselves is probed once a round, in another order each time", () => {
  const members = table(20);
  const rounds = Array.from({ length: 3 }, () => Array.from({ length: 20 }, () => probe(members)));
  for (const round of rounds) expect(new Set(round).size).toBe(20);
  expect(rounds[0]).not.toEqual(rounds[1]);
  expect(rounds.flat()).not.toContain("self");
});

test("nobody is probed who is gone, and nobody at all when we are alone", () => {
  const members = table(0);
  expect(probe(members)).toBeUndefined();
  members.put(member("a", "dead"), NOW);
  members.put(member("b", "left"), NOW);
  expect(probe(members)).toBeUndefined();
  members.put(member("c", "suspect"), NOW);
  expect([probe(members), probe(members)]).toEqual(["c", "c"]);
});

test("a newcomer stands anywhere in the round, not always at its end", () => {
  const turns = new Set<number>();
  for (let seed = 0; seed < 40; seed += 1) {
    const members = table(9, seed);
    members.put(member("new"), NOW);
    const round = Array.from({ length: 10 }, () => probe(members));
    turns.add(round.indexOf("new"));
  }
  expect(turns.size).toBeGreaterThan(5);
});

test("the dead are dropped at the end of a round once they were gossiped to for long enough, the left a day on", () => {
  const members = table(3);
  members.put(member("m0", "dead"), NOW);
  members.put(member("m1", "left"), NOW);
  const endRound = (now: number) => {
    for (let i = 0; i < 4; i += 1) members.nextToProbe(now as Instant, TO_THE_DEAD_MS);
    return members.members().map(({ name }) => name);
  };
  expect(endRound(NOW + TO_THE_DEAD_MS)).toContain("m0");
  expect(endRound(NOW + TO_THE_DEAD_MS + 1).toSorted()).toEqual(["m1", "m2", "self"]);
  expect(members.get("m0")).toBeUndefined();
  expect(endRound(NOW + 24 * 3_600_000 + 1).toSorted()).toEqual(["m2", "self"]);
});

test("counts who is alive through every change of state", () => {
  const members = table(2);
  const counts = (["suspect", "dead", "alive", "left"] as const).map((state) => {
    members.put(member("m0", state), NOW);
    return members.aliveCount;
  });
  expect(counts).toEqual([3, 2, 3, 2]);
  expect(members.size).toBe(3);
});

test("the time of a state is that of its change, not of every message about it", () => {
  const members = table(1);
  members.put({ ...member("m0"), incarnation: 2 }, (NOW + 5) as Instant);
  expect(members.get("m0")?.changedAt).toBe(NOW);
  members.put(member("m0", "suspect"), (NOW + 9) as Instant);
  expect(members.get("m0")?.changedAt).toBe(NOW + 9);
});

test("picks different members that suit, and as many as there are at most", () => {
  const members = table(10);
  const picked = members.pick(4, ({ member: { name } }) => name !== "self");
  expect(new Set(picked.map(({ name }) => name)).size).toBe(4);
  expect(members.pick(5, () => false)).toEqual([]);
  expect(members.pick(50, ({ member: { name } }) => name === "m3").length).toBeLessThanOrEqual(1);
});

test("a table that starts from common members does as one that was filled, and leaves them as they were", () => {
  const names = ["self", "a", "b", "c", "d", "e"];
  const name = fc.constantFrom(...names, "new", "newer");
  const state = fc.constantFrom(
    "alive" as const,
    "suspect" as const,
    "dead" as const,
    "left" as const,
  );
  const step = fc.record({
    about: name,
    state,
    afterMs: fc.constantFrom(0, 10, TO_THE_DEAD_MS + 1, 24 * 3_600_000 + 1),
    probes: fc.integer({ min: 0, max: 8 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer(), (steps, seed) => {
      const known = names.map((each) => member(each));
      const common = new CommonKnowledge(known, NOW);
      const before = structuredClone(common.entries);
      const fromCommon = new MemberTable("self", new SimRandom(seed), common);
      const filled = new MemberTable("self", new SimRandom(seed));
      for (const each of known) filled.put(each, NOW);
      let now: number = NOW;
      const seen = (table: MemberTable, { about, state, probes }: (typeof steps)[number]) => {
        const fits = ({ member: other }: { member: GossipMember }) => other.state !== "left";
        return {
          hadRoom: table.put(member(about, state), now as Instant),
          probed: Array.from({ length: probes }, () => probe(table, now as Instant)),
          picked: table.pick(2, fits),
          members: table.members(),
          byName: [...names, "new", "newer"].map((each) => table.get(each)),
          counts: [table.size, table.aliveCount],
        };
      };
      for (const each of steps) {
        now += each.afterMs;
        expect(seen(fromCommon, each)).toEqual(seen(filled, each));
      }
      expect(common.entries).toEqual(before);
    }),
    { numRuns: 500 },
  );
});
