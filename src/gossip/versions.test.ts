import { expect, test } from "vitest";
import type { GossipMember } from "./member.ts";
import { checkVersions } from "./versions.ts";

function member(
  name: string,
  vsn: readonly number[],
  state: GossipMember["state"] = "alive",
): GossipMember {
  const none = new Uint8Array(0);
  return {
    name,
    addr: none,
    port: 1,
    meta: none,
    vsn: Uint8Array.from(vsn),
    state,
    incarnation: 1,
  };
}
const USUAL = [1, 5, 2, 2, 5, 4];

test("versions that overlap go together", () => {
  expect(() => checkVersions([member("a", USUAL), member("b", [2, 6, 2, 4, 6, 5])])).not.toThrow();
});

test("who speaks what somebody alive does not understand is refused, in whatever state they are", () => {
  const narrow = member("a", [1, 2, 2, 2, 3, 3]);
  expect(() => checkVersions([narrow, member("b", [1, 5, 3, 2, 5, 3], "dead")])).toThrow(
    "Node 'b' protocol version (3) is incompatible: [1, 2]",
  );
  expect(() => checkVersions([narrow, member("b", USUAL)])).toThrow(
    "Node 'b' delegate protocol version (4) is incompatible: [2, 3]",
  );
});

test("the ranges of the dead bind nobody, and who tells no versions is not judged", () => {
  expect(() =>
    checkVersions([member("a", USUAL), member("old", [1, 2, 2, 2, 4, 4], "dead"), member("?", [])]),
  ).not.toThrow();
});
