/** SWIM §4.2 and memberlist's additions, one row a rule. `state@incarnation`; a suspect has its accusers. */
import { expect, test } from "vitest";
import { judge, type Circumstances, type Rumor } from "./judge.ts";
import type { GossipMember } from "./member.ts";

const HOME = Uint8Array.of(10, 0, 0, 1);
const ELSEWHERE = Uint8Array.of(10, 0, 0, 9);
const VSN = Uint8Array.of(1, 5, 2, 2, 5, 4);
const RECLAIM_MS = 30_000;

function believed(text: string): GossipMember | undefined {
  if (text === "stranger") return undefined;
  const [state = "", incarnation] = text.split("@");
  return {
    name: "x",
    addr: HOME,
    port: 7946,
    meta: Buffer.from("m"),
    vsn: VSN,
    state: state as GossipMember["state"],
    incarnation: Number(incarnation),
  };
}

/** `alive@3`, `alive@3 elsewhere`, `alive@3 changed`, `suspect@3`, `dead@3`. */
function heard(text: string): Rumor {
  const [what = "", how] = text.split(" ");
  const [kind, incarnation] = what.split("@");
  const body = { Incarnation: Number(incarnation), Node: "x", From: "c" };
  if (kind === "suspect" || kind === "dead") return { kind, body };
  const Addr = how === "elsewhere" ? ELSEWHERE : HOME;
  const Meta = Buffer.from(how === "changed" ? "other" : "m");
  return { kind: "alive", body: { ...body, Addr, Port: 7946, Meta, Vsn: VSN } };
}

function rows(table: string): string[][] {
  const lines = table.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").map((line) => line.split(/\s{2,}/));
}

function circumstances(known: string, more: Partial<Circumstances> = {}): Circumstances {
  const member = believed(known);
  return {
    known: member,
    knownForMs: 1000,
    isSelf: false,
    isLeaving: false,
    isSuspected: member?.state === "suspect",
    deadNodeReclaimMs: RECLAIM_MS,
    ...more,
  };
}

test.each(
  rows(`
  stranger    alive@1             accept
  stranger    alive@0             ignore
  stranger    suspect@1           ignore
  stranger    dead@1              ignore
  alive@3     alive@2             ignore
  alive@3     alive@3             ignore
  alive@3     alive@3 changed     ignore
  alive@3     alive@4             accept
  alive@3     suspect@2           ignore
  alive@3     suspect@3           accept
  alive@3     suspect@9           accept
  alive@3     dead@2              ignore
  alive@3     dead@3              accept
  suspect@3   alive@3             ignore
  suspect@3   alive@4             accept
  suspect@3   suspect@2           ignore
  suspect@3   suspect@3           confirm
  suspect@3   suspect@9           confirm
  suspect@3   dead@2              ignore
  suspect@3   dead@3              accept
  dead@3      alive@3             ignore
  dead@3      alive@4             accept
  dead@3      suspect@9           ignore
  dead@3      dead@9              ignore
  left@3      alive@3             ignore
  left@3      alive@4             accept
  left@3      suspect@9           ignore
  left@3      dead@9              ignore
  alive@3     alive@9 elsewhere   conflict
  alive@3     alive@1 elsewhere   conflict
  suspect@3   alive@9 elsewhere   conflict
  dead@3      alive@9 elsewhere   conflict
  left@3      alive@1 elsewhere   accept
  alive@3     alive@4294967295    ignore
  alive@3     suspect@4294967295  ignore
  alive@3     dead@4294967295     ignore
`),
)("who is %s, and of whom we hear %s: %s", (known, rumor, verdict) => {
  expect(judge(heard(rumor), circumstances(known))).toBe(verdict);
});

test.each(
  rows(`
  alive@3     alive@2             ignore
  alive@3     alive@3             ignore
  alive@3     alive@3 changed     refute
  alive@3     alive@4             refute
  alive@3     alive@9 elsewhere   conflict
  alive@3     suspect@2           ignore
  alive@3     suspect@3           refute
  alive@3     suspect@9           refute
  alive@3     dead@2              ignore
  alive@3     dead@3              refute
  alive@3     dead@9              refute
`),
)("we are %s ourselves, and hear %s of us: %s", (known, rumor, verdict) => {
  expect(judge(heard(rumor), circumstances(known, { isSelf: true }))).toBe(verdict);
});

test.each(
  rows(`
  alive@3     alive@9             ignore
  alive@3     dead@3              accept
  left@3      alive@9             ignore
  left@3      suspect@9           ignore
  left@3      dead@9              ignore
`),
)("we are leaving, %s, and hear %s of us: %s", (known, rumor, verdict) => {
  const leaving = circumstances(known, { isSelf: true, isLeaving: true });
  expect(judge(heard(rumor), leaving)).toBe(verdict);
});

test("the name of the dead is free after a while, if that is set", () => {
  const claim = heard("alive@1 elsewhere");
  const deadFor = (knownForMs: number, deadNodeReclaimMs = RECLAIM_MS) =>
    judge(claim, circumstances("dead@3", { knownForMs, deadNodeReclaimMs }));
  expect(deadFor(RECLAIM_MS)).toBe("conflict");
  expect(deadFor(RECLAIM_MS + 1)).toBe("accept");
  expect(deadFor(RECLAIM_MS + 1, 0)).toBe("conflict");
});
