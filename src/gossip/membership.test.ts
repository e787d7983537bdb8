import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Instant } from "../platform/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import type { Rumor } from "./judge.ts";
import type { GossipMember } from "./member.ts";
import { Membership, type Effect, type MembershipOptions } from "./membership.ts";

const VSN = Uint8Array.of(1, 5, 2, 2, 5, 4);
const NO_BYTES = new Uint8Array(0);
const START = 1000;

function addr(name: string): Uint8Array {
  return Uint8Array.of(10, 0, 0, name.charCodeAt(0));
}
function membership(options: Partial<MembershipOptions> = {}): Membership {
  const made = new Membership({
    self: { name: "a", addr: addr("a"), port: 7946, vsn: VSN },
    suspicionMult: 4,
    suspicionMaxTimeoutMult: 6,
    probeIntervalMs: 1000,
    deadNodeReclaimMs: 0,
    random: new SimRandom(1),
    admits: () => true,
    ...options,
  });
  made.announce(NO_BYTES, START as Instant);
  return made;
}
function alive(
  Node: string,
  Incarnation: number,
  more: { Meta?: Uint8Array; Port?: number } = {},
): Rumor {
  const body = { Incarnation, Node, Addr: addr(Node), Port: 7946, Meta: NO_BYTES, Vsn: VSN };
  return { kind: "alive", body: { ...body, ...more } };
}
function accusation(
  kind: "suspect" | "dead",
  Node: string,
  Incarnation: number,
  From = "z",
): Rumor {
  return { kind, body: { Incarnation, Node, From } };
}
function show(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    switch (effect.kind) {
      case "broadcast": {
        const { kind, body } = effect.rumor;
        return `broadcast ${kind} ${body.Node}@${body.Incarnation}`;
      }
      case "joined":
      case "left":
      case "updated":
      case "expired":
        return `${effect.kind} ${effect.member.name} ${effect.member.state}@${effect.member.incarnation}`;
      case "conflict":
        return `conflict ${effect.existing.name}`;
      case "refuted":
        return `refuted ${effect.rumor.kind}`;
    }
  });
}
const at = (ms: number) => (START + ms) as Instant;

test("a member's life: join, update, suspicion, refutation, death, return, farewell", () => {
  const a = membership();
  const hear = (rumor: Rumor, ms = 0) => show(a.hear(rumor, at(ms)));
  expect(hear(alive("b", 1))).toEqual(["broadcast alive b@1", "joined b alive@1"]);
  expect(hear(alive("b", 2))).toEqual(["broadcast alive b@2"]);
  expect(hear(alive("b", 3, { Meta: Buffer.from("t") }))).toEqual([
    "broadcast alive b@3",
    "updated b alive@3",
  ]);
  expect(hear(accusation("suspect", "b", 3))).toEqual(["broadcast suspect b@3"]);
  expect(a.nextExpiryAt).toBe(at(4000));
  expect(hear(alive("b", 4, { Meta: Buffer.from("t") }))).toEqual(["broadcast alive b@4"]);
  expect(a.nextExpiryAt).toBeUndefined();
  expect(hear(accusation("dead", "b", 4))).toEqual(["broadcast dead b@4", "left b dead@4"]);
  expect(hear(alive("b", 4))).toEqual([]);
  expect(hear(alive("b", 5))).toEqual(["broadcast alive b@5", "joined b alive@5"]);
  expect(hear(accusation("dead", "b", 5, "b"))).toEqual(["broadcast dead b@5", "left b left@5"]);
});

test("who does not refute in time is declared dead, by us", () => {
  const a = membership();
  a.hear(alive("b", 1), at(0));
  a.hear(accusation("suspect", "b", 1), at(0));
  expect(a.expire(at(3999))).toEqual([]);
  expect(show(a.expire(at(4000)))).toEqual([
    "expired b suspect@1",
    "broadcast dead b@1",
    "left b dead@1",
  ]);
  expect(a.nextExpiryAt).toBeUndefined();
});

test("only an accuser who is new shortens the time, and is passed on", () => {
  const a = membership();
  for (const name of ["b", "c", "d", "e"]) a.hear(alive(name, 1), at(0));
  a.hear(accusation("suspect", "b", 1, "c"), at(0));
  expect(a.nextExpiryAt).toBe(at(24_000));
  expect(a.hear(accusation("suspect", "b", 1, "c"), at(1))).toEqual([]);
  expect(show(a.hear(accusation("suspect", "b", 1, "d"), at(2)))).toEqual([
    "broadcast suspect b@1",
  ]);
  expect(a.nextExpiryAt).toBe(at(11_381));
});

test.each(["suspect", "dead"] as const)("we answer a rumor that we are %s, above it", (kind) => {
  const a = membership();
  expect(show(a.hear(accusation(kind, "a", 1), at(0)))).toEqual([
    `refuted ${kind}`,
    "broadcast alive a@2",
  ]);
  expect(show(a.hear(accusation(kind, "a", 7), at(0)))).toEqual([
    `refuted ${kind}`,
    "broadcast alive a@8",
  ]);
  expect(a.hear(accusation(kind, "a", 1), at(0))).toEqual([]);
  expect(a.local).toMatchObject({ state: "alive", incarnation: 8 });
});

test("an accusation at the last incarnation there is cannot be answered, and does no harm", () => {
  const a = membership();
  expect(a.hear(accusation("suspect", "a", 0xffff_ffff), at(0))).toEqual([]);
  a.hear(accusation("suspect", "a", 0xffff_fffe), at(0));
  expect(a.local.incarnation).toBe(0xffff_fffe);
});

test("what we said before a restart is answered, so that it is not believed", () => {
  const a = membership();
  const before = alive("a", 5, { Meta: Buffer.from("old") });
  expect(show(a.hear(before, at(0)))).toEqual(["refuted alive", "broadcast alive a@6"]);
});

test("when we leave, nothing that is said about us is answered any more", () => {
  const a = membership();
  expect(show(a.leave(at(0)))).toEqual(["broadcast dead a@1", "left a left@1"]);
  for (const rumor of [accusation("suspect", "a", 9), accusation("dead", "a", 9), alive("a", 9)]) {
    expect(a.hear(rumor, at(1))).toEqual([]);
  }
  expect(a.table.aliveCount).toBe(0);
});

test("a second address under one name is a conflict, and changes nothing", () => {
  const a = membership();
  a.hear(alive("b", 1), at(0));
  const before = a.table.get("b")?.member;
  expect(show(a.hear(alive("b", 9, { Port: 1 }), at(0)))).toEqual(["conflict b"]);
  expect(a.table.get("b")?.member).toBe(before);
});

test.each([
  ["no name", alive("", 1)],
  ["no port", alive("b", 1, { Port: 0 })],
  ["too much meta", alive("b", 1, { Meta: new Uint8Array(513) })],
  [
    "an address of five bytes",
    { kind: "alive", body: { ...alive("b", 1).body, Addr: new Uint8Array(5) } } as Rumor,
  ],
  [
    "versions that are none",
    { kind: "alive", body: { ...alive("b", 1).body, Vsn: Uint8Array.of(0, 5, 2) } } as Rumor,
  ],
  [
    "a version that it does not understand itself",
    {
      kind: "alive",
      body: { ...alive("b", 1).body, Vsn: Uint8Array.of(1, 5, 182, 2, 5, 4) },
    } as Rumor,
  ],
  [
    "versions that nobody here understands",
    {
      kind: "alive",
      body: { ...alive("b", 1).body, Vsn: Uint8Array.of(200, 255, 200, 2, 5, 4) },
    } as Rumor,
  ],
  [
    "versions upside down",
    { kind: "alive", body: { ...alive("b", 1).body, Vsn: Uint8Array.of(5, 1, 2) } } as Rumor,
  ],
])("an alive message with %s is no news", (_what, rumor) => {
  const a = membership();
  expect(a.hear(rumor, at(0))).toEqual([]);
  expect(a.table.size).toBe(1);
});

test("whom the layer above does not admit is not taken in; it is asked about news only", () => {
  const asked: string[] = [];
  const a = membership({
    admits: ({ name, incarnation }) => {
      asked.push(`${name}@${incarnation}`);
      return name !== "c";
    },
  });
  a.hear(alive("b", 1), at(0));
  a.hear(alive("b", 1), at(0));
  a.hear(alive("c", 1), at(0));
  expect(asked).toEqual(["b@1", "c@1"]);
  expect(a.table.get("c")).toBeUndefined();
});

// The three invariants at the head of membership.ts, under anything that anybody may say in any order.
test("random rumors: incarnations never fall, and the dead return only with a higher one", () => {
  const rumor = fc.record({
    kind: fc.constantFrom("alive" as const, "suspect" as const, "dead" as const),
    about: fc.constantFrom("a", "b", "c"),
    incarnation: fc.integer({ min: 0, max: 6 }),
    from: fc.constantFrom("a", "b", "c", "z"),
    afterMs: fc.integer({ min: 0, max: 30_000 }),
  });
  fc.assert(
    fc.property(fc.array(rumor, { maxLength: 50 }), (heard) => {
      const a = membership();
      let now = 0;
      for (const { kind, about, incarnation, from, afterMs } of heard) {
        now += afterMs;
        a.expire(at(now));
        const before = new Map(
          a.table.members().map((member): [string, GossipMember] => [member.name, member]),
        );
        const said =
          kind === "alive" ? alive(about, incarnation) : accusation(kind, about, incarnation, from);
        const effects = a.hear(said, at(now));
        for (const member of a.table.members()) {
          const was = before.get(member.name);
          if (was === undefined) continue;
          expect(member.incarnation).toBeGreaterThanOrEqual(was.incarnation);
          const returned =
            (was.state === "dead" || was.state === "left") && member.state === "alive";
          if (returned) expect(member.incarnation).toBeGreaterThan(was.incarnation);
        }
        expect(a.local.state).toBe("alive");
        expect(a.table.get("a")?.member).toBe(a.local);
        const isOldNews = incarnation < (before.get(about)?.incarnation ?? 0);
        if (isOldNews) expect(effects).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});
