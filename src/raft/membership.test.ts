// Changing who belongs to the cluster, one server at a time (thesis §4).
import { describe, expect, test } from "vitest";
import { changed, faultOf, type Change, type Configuration } from "./configuration.ts";
import { server, TestCluster } from "./testkit.ts";

const BEFORE: Configuration = { servers: [server("v", "voter"), server("n", "nonvoter")] };

// hashicorp/raft's outcomes. `id@address suffrage` of all servers afterwards.
test.each<[string, Change, string]>([
  ["a new voter", { kind: "addVoter", id: "x", address: "x:1" }, "v:v n:n x:v"],
  ["a new nonvoter", { kind: "addNonvoter", id: "x", address: "x:1" }, "v:v n:n x:n"],
  ["a nonvoter becomes a voter", { kind: "addVoter", id: "n", address: "n:8300" }, "v:v n:v"],
  [
    "a voter is not made a nonvoter by adding",
    { kind: "addNonvoter", id: "v", address: "v:8300" },
    "v:v n:n",
  ],
  ["a voter is demoted", { kind: "demote", id: "v" }, "v:n n:n"],
  ["a server is removed", { kind: "remove", id: "n" }, "v:v"],
  ["a stranger cannot be removed", { kind: "remove", id: "x" }, "v:v n:n"],
])("%s", (_title, change, expected) => {
  const { servers } = changed(BEFORE, change);
  expect(servers.map(({ id, suffrage }) => `${id}:${suffrage[0]}`).join(" ")).toBe(expected);
});

test("an address may change, whatever a server counts for", () => {
  const moved = changed(BEFORE, { kind: "addNonvoter", id: "v", address: "v:9999" });
  expect(moved.servers[0]).toEqual({ id: "v", address: "v:9999", suffrage: "voter" });
});

test.each([
  ["need at least one voter", [server("n", "nonvoter")]],
  ["duplicate ID", [server("v", "voter"), { ...server("v", "voter"), address: "w" }]],
  ["duplicate address", [server("v", "voter"), { ...server("v", "voter"), id: "w" }]],
  ["empty ID", [server("", "voter")]],
  ["empty address", [{ ...server("v", "voter"), address: "" }]],
])("refused: %s", (fault, servers) => {
  expect(faultOf({ servers })).toContain(fault);
});

describe("a change", () => {
  test("adds a server that then receives the log and votes", () => {
    const cluster = new TestCluster(["a", "b"], { strangers: ["c"] });
    cluster.elect("a");
    cluster.propose("a", "x");
    cluster.change("a", { kind: "addVoter", id: "c", address: "c:8300" });
    cluster.run(3000);
    expect(cluster.at("c").applied).toHaveLength(1);
    cluster.crash("a");
    cluster.run(10_000);
    expect(cluster.leaders).toHaveLength(1);
  });

  test("waits for the one before it, and for the leader's first entry", () => {
    const cluster = new TestCluster(["a", "b", "c"], { strangers: ["d", "e"] });
    cluster.elect("a");
    const first = cluster.change("a", { kind: "addVoter", id: "d", address: "d:8300" });
    const second = cluster.change("a", { kind: "addVoter", id: "e", address: "e:8300" });
    expect(cluster.answer("a", first)).toMatchObject({ kind: "accepted" });
    expect(cluster.answer("a", second)).toBeUndefined();
    cluster.run(3000);
    expect(cluster.answer("a", second)).toMatchObject({ kind: "accepted" });
    expect(cluster.at("e").core.configuration.servers).toHaveLength(5);
  });

  test("is in force when it is appended, and undone when its entry is cut", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("a");
    cluster.change("a", { kind: "remove", id: "c" });
    expect(cluster.at("a").core.configuration.servers).toHaveLength(2);
    cluster.elect("b");
    cluster.heal();
    cluster.run(3000);
    expect(cluster.at("a").core.configuration.servers).toHaveLength(3);
  });

  test("is refused when the configuration is no longer the one that the caller saw", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    const call = cluster.change("a", { kind: "remove", id: "c" }, 7);
    expect(cluster.answer("a", call)).toMatchObject({ reason: "configurationChanged" });
    const last = new TestCluster(["a"]);
    last.elect("a");
    const refused = last.change("a", { kind: "remove", id: "a" });
    expect(last.answer("a", refused)).toMatchObject({ reason: "invalidConfiguration" });
  });

  test("that removes the leader: it leads until that is committed, then the others elect", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.change("a", { kind: "remove", id: "a" });
    expect(cluster.at("a").core.role).toBe("leader");
    cluster.run(10_000);
    expect(cluster.at("a").core.role).toBe("follower");
    expect(cluster.leaders).toHaveLength(1);
    expect(cluster.at(cluster.leaders[0] ?? "").core.configuration.servers).toHaveLength(2);
  });

  test("a removed server is told so, and then stands for no election", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.change("a", { kind: "remove", id: "c" });
    cluster.run(30_000);
    expect(cluster.at("a").core.matches.has("c")).toBe(false);
    expect(cluster.at("c").core.role).toBe("follower");
    expect(cluster.at("c").core.commitIndex).toBe(cluster.at("a").core.commitIndex);
    expect(cluster.at("a").core.term).toBe(2);
  });
});
