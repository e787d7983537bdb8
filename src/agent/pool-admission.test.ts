/** Who may join a pool: one row per rule of consul-gossip.md, section 3. */
import { expect, test } from "vitest";
import type { Tags } from "../wire/index.ts";
import { admitToLan, admitToWan, type Applicant } from "./pool-admission.ts";

const OWN = { nodeName: "me", nodeId: "id-me", datacenter: "dc1", segment: "" };
const CLIENT: Tags = { role: "node", dc: "dc1", segment: "", id: "id-a", build: "1.8.7:" };
const SERVER: Tags = { ...CLIENT, role: "consul", port: "8300", vsn: "2", raft_vsn: "3" };
const applicant = (name: string, tags: Tags, hasLeft = false): Applicant => ({
  name,
  tags,
  hasLeft,
});
const refusal = (applicants: readonly Applicant[]): string => {
  try {
    admitToLan(applicants, OWN);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

test.each<[string, readonly Applicant[], string]>([
  ["a client of this datacenter", [applicant("a", CLIENT)], ""],
  [
    "our id under another name",
    [applicant("a", { ...CLIENT, id: "id-me" })],
    "Member 'a' has conflicting node ID 'id-me' with this agent's ID",
  ],
  ["our own name with our id", [applicant("me", { ...CLIENT, id: "id-me" })], ""],
  [
    "one id twice in a list",
    [applicant("a", CLIENT), applicant("b", CLIENT)],
    "Member 'b' has conflicting node ID 'id-a' with member 'a'",
  ],
  ["one id twice, the first has left", [applicant("a", CLIENT, true), applicant("b", CLIENT)], ""],
  [
    "one id twice, before ids were unique",
    [applicant("a", { ...CLIENT, build: "0.8.4:" }), applicant("b", CLIENT)],
    "",
  ],
  [
    "one id twice, with the first version whose ids are unique",
    [applicant("a", { ...CLIENT, build: "0.8.5:" }), applicant("b", CLIENT)],
    "Member 'b' has conflicting node ID 'id-a' with member 'a'",
  ],
  [
    "a client of another datacenter",
    [applicant("a", { ...CLIENT, dc: "dc2" })],
    "Member 'a' part of wrong datacenter 'dc2'",
  ],
  [
    "a server of another datacenter",
    [applicant("s", { ...SERVER, dc: "dc2" })],
    "Member 's' part of wrong datacenter 'dc2'",
  ],
  [
    "another segment",
    [applicant("a", { ...CLIENT, segment: "alpha" })],
    "Member 'a' part of wrong segment 'alpha' (expected '')",
  ],
  ["a program that is no agent of Consul's", [applicant("x", { role: "web" })], ""],
])("LAN: %s", (_, applicants, expected) => {
  expect(refusal(applicants)).toBe(expected);
});

test("WAN: servers of any datacenter, and nobody else", () => {
  expect(() => admitToWan([applicant("s.dc2", { ...SERVER, dc: "dc2" })])).not.toThrow();
  expect(() => admitToWan([applicant("c.dc2", CLIENT)])).toThrow("Member 'c.dc2' is not a server");
});
