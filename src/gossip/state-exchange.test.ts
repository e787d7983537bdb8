import { expect, test } from "vitest";
import type { GossipMember } from "./member.ts";
import { memberOf, nodeOf, rumorOf } from "./state-exchange.ts";

function member(state: GossipMember["state"]): GossipMember {
  const vsn = Uint8Array.of(1, 5, 2, 2, 5, 4);
  const [addr, meta] = [Uint8Array.of(10, 0, 0, 1), Uint8Array.of(7)];
  return { name: "b", addr, port: 7946, meta, vsn, state, incarnation: 3 };
}

test.each(["alive", "suspect", "dead", "left"] as const)(
  "a member that is %s crosses as it is",
  (state) => {
    expect(memberOf(nodeOf(member(state)), 1)).toEqual(member(state));
  },
);

test("a node without a port has ours, and one in a state that we do not know is suspect", () => {
  const node = { ...nodeOf(member("alive")), Port: 0, State: 9 };
  expect(memberOf(node, 8301)).toMatchObject({ port: 8301, state: "suspect" });
});

// What another believes is a rumor; that somebody is dead is for them to deny, that they left is their own word.
test.each([
  ["alive", "alive", undefined],
  ["suspect", "suspect", "a"],
  ["dead", "suspect", "a"],
  ["left", "dead", "b"],
] as const)("that somebody is %s comes to a rumor of %s from %s", (state, kind, from) => {
  const rumor = rumorOf(member(state), "a");
  expect(rumor.kind).toBe(kind);
  expect(rumor.body).toMatchObject({ Node: "b", Incarnation: 3, ...(from && { From: from }) });
});
