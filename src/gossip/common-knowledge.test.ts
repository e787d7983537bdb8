import { expect, test } from "vitest";
import type { Instant } from "../platform/index.ts";
import { encodeGossipMessage } from "../wire/index.ts";
import { CommonKnowledge } from "./common-knowledge.ts";
import type { Rumor } from "./judge.ts";
import type { GossipMember } from "./member.ts";

const BYTES = { Meta: Uint8Array.of(1, 2), Vsn: Uint8Array.of(1, 5, 2, 2, 5, 4) };

function member(over: Partial<GossipMember> = {}): GossipMember {
  const addr = Uint8Array.of(10, 0, 0, 1);
  const { Meta: meta, Vsn: vsn } = BYTES;
  return { name: "a", addr, port: 7946, meta, vsn, state: "alive", incarnation: 3, ...over };
}

test("members that say the same are one object", () => {
  const common = new CommonKnowledge([], 0 as Instant);
  const first = common.member(member());
  expect(common.member(member())).toBe(first);
});

test.each([
  { state: "suspect" },
  { incarnation: 4 },
  { port: 1 },
  { addr: Uint8Array.of(10, 0, 0, 2) },
  { meta: Uint8Array.of(1, 3) },
  { vsn: Uint8Array.of(1, 5, 3, 2, 5, 4) },
] as const)("who differs in anything stays as they are: %o", (over) => {
  const common = new CommonKnowledge([], 0 as Instant);
  const first = common.member(member());
  const other = member(over);
  expect(common.member(other)).toBe(other);
  expect(common.member(member())).toBe(first);
});

const suspect = { kind: "suspect", body: { Incarnation: 3, Node: "a", From: "b" } } as const;
const alive = {
  kind: "alive",
  body: { Incarnation: 3, Node: "a", Addr: Uint8Array.of(10, 0, 0, 1), Port: 7946, ...BYTES },
} as const;
const rumors: readonly Rumor[] = [
  suspect,
  { ...suspect, kind: "dead" },
  { ...suspect, body: { ...suspect.body, Incarnation: 4 } },
  { ...suspect, body: { ...suspect.body, From: "c" } },
  alive,
  { ...alive, body: { ...alive.body, Incarnation: 4 } },
  { ...alive, body: { ...alive.body, Port: 1 } },
  { ...alive, body: { ...alive.body, Addr: Uint8Array.of(10, 0, 0, 2) } },
  { ...alive, body: { ...alive.body, Meta: Uint8Array.of(1) } },
  { ...alive, body: { ...alive.body, Vsn: Uint8Array.of(1) } },
];

test("messages that say the same are the same bytes, and are what each would have encoded", () => {
  const common = new CommonKnowledge([], 0 as Instant);
  const asked = (rumor: Rumor) => common.message("a", rumor, (each) => encodeGossipMessage(each));
  const first = rumors.map(asked);
  expect(first).toEqual(rumors.map((rumor) => encodeGossipMessage(rumor)));
  expect(new Set(first).size).toBe(rumors.length);
  for (const [i, rumor] of structuredClone(rumors).entries()) expect(asked(rumor)).toBe(first[i]);
});

test("of each member only the latest messages are kept", () => {
  const common = new CommonKnowledge([], 0 as Instant);
  let encodedCount = 0;
  const ask = (Incarnation: number) => {
    common.message("a", { ...suspect, body: { ...suspect.body, Incarnation } }, (rumor) => {
      encodedCount += 1;
      return encodeGossipMessage(rumor);
    });
  };
  for (let i = 0; i < 100; i += 1) ask(i);
  ask(99);
  expect(encodedCount).toBe(100);
  ask(0);
  expect(encodedCount).toBe(101);
});
