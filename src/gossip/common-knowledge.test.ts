import { expect, test } from "vitest";
import type { Instant } from "../platform/index.ts";
import { CommonKnowledge } from "./common-knowledge.ts";
import type { GossipMember } from "./member.ts";

function member(over: Partial<GossipMember> = {}): GossipMember {
  const addr = Uint8Array.of(10, 0, 0, 1);
  const [meta, vsn] = [Uint8Array.of(1, 2), Uint8Array.of(1, 5, 2, 2, 5, 4)];
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

test("equal messages are the same bytes, others are not, whatever buffer they are a part of", () => {
  const common = new CommonKnowledge([], 0 as Instant);
  const packet = Uint8Array.of(9, 0, 0xff, 0x80, 9);
  const first = common.message(Uint8Array.of(0, 0xff, 0x80));
  expect(common.message(packet.subarray(1, 4))).toBe(first);
  expect(common.message(packet.subarray(0, 4))).toEqual(Uint8Array.of(9, 0, 0xff, 0x80));
});
