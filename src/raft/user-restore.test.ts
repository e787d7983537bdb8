import { describe, expect, test } from "vitest";
import type { Entry } from "./entry.ts";
import { TestCluster } from "./testkit.ts";

const IDS = ["a", "b", "c"] as const;
const BACKUP: readonly Entry[] = ["one", "two"].map((data, at) => ({
  index: at + 1,
  term: 1,
  type: "command",
  data: Buffer.from(data),
}));

function led(): TestCluster {
  const cluster = new TestCluster(IDS, { strangers: ["d"] });
  cluster.elect("a");
  for (const data of ["x", "y", "z"]) cluster.propose("a", data);
  cluster.run(500);
  return cluster;
}
function stateOf(cluster: TestCluster, id: string): readonly string[] {
  return cluster.at(id).applied.map(({ data }) => Buffer.from(data).toString());
}

describe("a state from elsewhere", () => {
  test("takes the place of everybody's, at an index after all that there were", () => {
    const cluster = led();
    const before = cluster.at("a").core.lastIndex;
    const call = cluster.restore("a", BACKUP, 3);
    cluster.storeGiven("a", call);
    cluster.run(3000);
    expect(cluster.answer("a", call)).toMatchObject({
      kind: "accepted",
      at: { index: before + 2 },
    });
    for (const id of IDS) {
      expect(stateOf(cluster, id)).toEqual(["one", "two"]);
      expect(cluster.at(id).core.snapshot.index).toBe(before + 1);
      expect(cluster.at(id).core.commitIndex).toBe(before + 2);
    }
  });

  test("goes beyond the index that it had there", () => {
    const cluster = led();
    cluster.storeGiven("a", cluster.restore("a", BACKUP, 1000));
    cluster.run(3000);
    for (const id of IDS) expect(cluster.at(id).core.snapshot.index).toBe(1001);
  });

  test("is followed by what is written later, on every server", () => {
    const cluster = led();
    cluster.storeGiven("a", cluster.restore("a", BACKUP, 3));
    cluster.propose("a", "later");
    cluster.run(3000);
    for (const id of IDS) expect(stateOf(cluster, id)).toEqual(["one", "two", "later"]);
  });

  test("keeps the members and their votes", () => {
    const cluster = led();
    cluster.change("a", { kind: "addNonvoter", id: "d", address: "d:8300" });
    cluster.run(500);
    const { configuration, configurationIndex } = cluster.at("a").core;
    cluster.storeGiven("a", cluster.restore("a", BACKUP, 3));
    cluster.run(3000);
    for (const id of IDS) {
      expect(cluster.at(id).core.configuration).toEqual(configuration);
      expect(cluster.at(id).core.configurationIndex).toBe(configurationIndex);
    }
  });

  test("survives that its leader is restarted, once the noop behind it is committed", () => {
    const cluster = led();
    cluster.storeGiven("a", cluster.restore("a", BACKUP, 3));
    cluster.run(3000);
    cluster.crash("a");
    cluster.elect("b");
    cluster.start("a");
    cluster.run(3000);
    for (const id of IDS) expect(stateOf(cluster, id)).toEqual(["one", "two"]);
  });

  test("lets nothing be proposed and nobody else lead while it is stored", () => {
    const cluster = led();
    const call = cluster.restore("a", BACKUP, 3);
    const refused = { kind: "refused", reason: "restored" };
    expect(cluster.answer("a", cluster.propose("a", "late"))).toMatchObject(refused);
    expect(cluster.answer("a", cluster.transfer("a", "b"))).toMatchObject(refused);
    expect(cluster.answer("a", cluster.restore("a", BACKUP, 3))).toMatchObject(refused);
    const change = cluster.change("a", { kind: "addNonvoter", id: "d", address: "d:8300" });
    expect(cluster.answer("a", change)).toBeUndefined();
    cluster.storeGiven("a", call);
    cluster.run(3000);
    expect(cluster.answer("a", change)).toMatchObject({ kind: "accepted" });
  });

  test("is refused by who does not lead", () => {
    const cluster = led();
    const call = cluster.restore("b", BACKUP, 3);
    expect(cluster.answer("b", call)).toMatchObject({ kind: "refused", reason: "notLeader" });
  });

  test("is refused while a change of members is not committed", () => {
    const cluster = led();
    cluster.change("a", { kind: "addNonvoter", id: "d", address: "d:8300" });
    const call = cluster.restore("a", BACKUP, 3);
    const reason = "configurationPending";
    expect(cluster.answer("a", call)).toMatchObject({ kind: "refused", reason });
  });

  test("comes to nothing when leadership is lost before it is stored", () => {
    const cluster = led();
    const call = cluster.restore("a", BACKUP, 3);
    cluster.isolate("a");
    cluster.run(5000);
    expect(cluster.answer("a", call)).toMatchObject({ kind: "refused", reason: "leadershipLost" });
    expect(cluster.at("a").core.restoring).toBeUndefined();
    cluster.storeGiven("a", call);
    cluster.heal();
    cluster.run(5000);
    for (const id of IDS) expect(stateOf(cluster, id)).toEqual(["x", "y", "z"]);
  });

  test("that a lost leader alone has is not passed over in silence when the others went on without", () => {
    const cluster = led();
    const call = cluster.restore("a", BACKUP, 3);
    cluster.isolate("a");
    cluster.storeGiven("a", call);
    while (cluster.at("a").writes.length > 0) cluster.sync("a");
    cluster.crash("a");
    cluster.elect("b");
    cluster.propose("b", "without");
    cluster.run(500);
    cluster.heal();
    cluster.start("a");
    expect(() => cluster.run(5000)).toThrow("gone on without snapshot");
  });
});
