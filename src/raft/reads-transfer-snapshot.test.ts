// Reads without an entry (thesis §6.4), handing leadership over (§3.10), snapshots (paper §7).
import { describe, expect, test } from "vitest";
import { TestCluster, TIMINGS } from "./testkit.ts";

describe("reads", () => {
  test("by round: answered when a majority has confirmed the leader after the question", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    const call = cluster.read("a", "round");
    expect(cluster.answer("a", call)).toBeUndefined();
    cluster.settle();
    expect(cluster.answer("a", call)).toEqual({ kind: "done", call, index: 2 });
  });

  test("a confirmation that was sent before the question does not count", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.now = cluster.at("a").core.nextDueAt as typeof cluster.now;
    cluster.tick("a");
    const early = cluster.flights.length;
    const call = cluster.read("a", "round");
    for (let count = 0; count < early; count += 1) cluster.deliver(0);
    const responses = cluster.flights.filter(({ kind }) => kind === "response");
    for (const flight of responses) cluster.deliver(cluster.flights.indexOf(flight));
    expect(cluster.answer("a", call)).toBeUndefined();
  });

  test("a leader that has committed nothing of its term does not know what is committed", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.timeOut("a");
    while (cluster.at("a").core.role !== "leader") {
      if (cluster.at("a").writes.length > 0) cluster.sync("a");
      for (const id of ["b", "c"]) if (cluster.at(id).writes.length > 0) cluster.sync(id);
      cluster.deliver(0);
    }
    const round = cluster.read("a", "round");
    const verify = cluster.read("a", "verify");
    // Heartbeats arrive; the disks stand still.
    for (let moves = 0; moves < 50 && cluster.flights.length > 0; moves += 1) cluster.deliver(0);
    expect(cluster.answer("a", verify)).toMatchObject({ kind: "done" });
    expect(cluster.answer("a", round)).toBeUndefined();
    cluster.settle();
    expect(cluster.answer("a", round)).toMatchObject({ kind: "done", index: 2 });
  });

  test("by lease: at once while a majority has answered lately, by round after that", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    const held = cluster.read("a", "lease");
    expect(cluster.answer("a", held)).toMatchObject({ kind: "done" });
    cluster.now = (cluster.now + TIMINGS.leaseTimeoutMs) as typeof cluster.now;
    const lapsed = cluster.read("a", "lease");
    expect(cluster.answer("a", lapsed)).toBeUndefined();
  });

  test("there is no lease once somebody was told to stand", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.transfer("a", "b");
    const call = cluster.read("a", "lease");
    expect(cluster.answer("a", call)).toBeUndefined();
  });

  test("on a follower are refused", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    const call = cluster.read("b", "lease");
    expect(cluster.answer("b", call)).toMatchObject({ reason: "notLeader" });
  });
});

describe("a transfer", () => {
  test("makes the target leader, without waiting for a timeout", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.propose("a", "x");
    const call = cluster.transfer("a", "b");
    cluster.settle();
    expect(cluster.leaders).toEqual(["b"]);
    expect(cluster.answer("a", call)).toMatchObject({ kind: "done" });
  });

  test("refuses proposals and changes meanwhile, and is given up after the election timeout", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.crash("b");
    const call = cluster.transfer("a", "b");
    const proposal = cluster.propose("a", "x");
    expect(cluster.answer("a", proposal)).toMatchObject({ reason: "transferring" });
    const change = cluster.change("a", { kind: "remove", id: "b" });
    expect(cluster.answer("a", change)).toMatchObject({ reason: "transferring" });
    cluster.run(TIMINGS.electionTimeoutMs + 1);
    expect(cluster.answer("a", call)).toMatchObject({ reason: "timeout" });
    const next = cluster.propose("a", "y");
    expect(cluster.answer("a", next)).toMatchObject({ kind: "accepted" });
  });

  test("goes to nobody who does not vote", () => {
    const cluster = new TestCluster(["a", "b"], { nonvoters: ["n"] });
    cluster.elect("a");
    for (const to of ["a", "n", "x"]) {
      const call = cluster.transfer("a", to);
      expect(cluster.answer("a", call)).toMatchObject({ reason: "noTarget" });
    }
  });

  test("by a leader of an earlier term has no effect any more", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.step("b", { kind: "request", rpc: 9, request: { kind: "timeoutNow", term: 1 } });
    expect(cluster.at("b").core.role).toBe("follower");
    cluster.step("b", { kind: "request", rpc: 10, request: { kind: "timeoutNow", term: 0 } });
    expect(cluster.at("b").core.role).toBe("candidate");
  });
});

describe("snapshots", () => {
  function lagging(): TestCluster {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("c");
    for (let count = 0; count < 20; count += 1) cluster.propose("a", `${count}`);
    cluster.settle();
    cluster.takeSnapshot("a");
    return cluster;
  }

  test("let go of the entries that they cover, but for the trailing ones", () => {
    const cluster = lagging();
    expect(cluster.at("a").core.snapshot.index).toBe(22);
    expect(cluster.at("a").entries[0]?.index).toBe(18);
  });

  test("are sent to who lags behind the log, who then goes on from there", () => {
    const cluster = lagging();
    cluster.heal();
    cluster.run(3000);
    expect(cluster.at("c").core.snapshot.index).toBe(22);
    cluster.propose("a", "after");
    cluster.run(1000);
    expect(cluster.at("c").applied).toHaveLength(21);
    expect(cluster.at("c").entries.map(({ index }) => index)).toEqual([23]);
  });

  test("are installed durably before that is acknowledged", () => {
    const cluster = lagging();
    cluster.heal();
    const snapshotAt = () => cluster.flights.findIndex(({ sent }) => sent.kind === "snapshot");
    for (let moves = 0; moves < 200 && snapshotAt() < 0; moves += 1) {
      if (cluster.flights.length > 0) cluster.deliver(0);
      else {
        cluster.now = cluster.at("a").core.nextDueAt as typeof cluster.now;
        cluster.tick("a");
      }
    }
    cluster.deliver(snapshotAt());
    const answered = () =>
      cluster.flights.some(({ kind, sent }) => kind === "response" && sent.kind === "snapshot");
    expect(answered()).toBe(false);
    while (cluster.at("c").writes.length > 0) cluster.sync("c");
    expect(answered()).toBe(true);
  });

  test("that are older than what is committed change nothing", () => {
    const cluster = lagging();
    const request = {
      kind: "installSnapshot",
      term: 2,
      leader: "a",
      lastIndex: 2,
      lastTerm: 2,
      configuration: { servers: [] },
      configurationIndex: 1,
      sizeBytes: 0,
    } as const;
    cluster.run(100);
    const effects = cluster.at("b").core.step({ kind: "request", rpc: 1, request }, cluster.now);
    expect(effects.map(({ kind }) => kind)).toEqual(["reply"]);
    expect(cluster.at("b").core.lastIndex).toBe(22);
  });

  test("keep the entries that follow them, if the log has their last", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    for (const data of ["x", "y", "z"]) cluster.propose("a", data);
    cluster.cuts.add("b>a");
    cluster.settle();
    const { core } = cluster.at("b");
    const configuration = core.configuration;
    const request = {
      kind: "installSnapshot",
      term: 2,
      leader: "a",
      lastIndex: 4,
      lastTerm: 2,
      configuration,
      configurationIndex: 1,
      sizeBytes: 0,
    } as const;
    core.step({ kind: "request", rpc: 1, request }, cluster.now);
    const received = { kind: "snapshotReceived", rpc: 1, request, outcome: "stored" } as const;
    const effects = core.step(received, cluster.now);
    expect(effects.find(({ kind }) => kind === "restore")).toMatchObject({ log: "keep" });
    expect(core.lastIndex).toBe(5);
  });
});
