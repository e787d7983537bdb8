// Who may lead, one test a rule. Names of sections are of Raft's paper and of Ongaro's thesis.
import { describe, expect, test } from "vitest";
import { TestCluster, TIMINGS } from "./testkit.ts";

describe("elections (paper §5.2)", () => {
  test("a follower that hears of no leader stands, and leads with a majority", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    expect(cluster.leaders).toEqual(["a"]);
    expect(cluster.at("a").core.term).toBe(2);
    expect(cluster.ids.map((id) => cluster.at(id).core.leader)).toEqual(["a", "a", "a"]);
  });

  test("who decides alone leads at once, without waiting to hear of others", () => {
    const cluster = new TestCluster(["a"]);
    cluster.tick("a");
    cluster.settle();
    expect(cluster.at("a").core.role).toBe("leader");
    expect(cluster.at("a").core.commitIndex).toBe(2);
  });

  test("a new cluster elects well within a timeout; what has served a leader before waits for it", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    const dueMs = (): number =>
      Math.min(...cluster.ids.map((id) => cluster.at(id).core.nextDueAt)) - cluster.now;
    expect(dueMs()).toBeLessThanOrEqual(TIMINGS.heartbeatTimeoutMs / 4);
    cluster.elect("a");
    for (const id of cluster.ids) cluster.sync(id);
    for (const id of cluster.ids) cluster.crash(id);
    for (const id of cluster.ids) cluster.start(id);
    expect(dueMs()).toBeGreaterThanOrEqual(TIMINGS.heartbeatTimeoutMs);
  });

  test("followers know when they heard of their leader; before, they never did", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    expect(cluster.at("b").core.heardAt).toBeUndefined();
    cluster.elect("a");
    expect(cluster.at("b").core.heardAt).toBe(cluster.now);
    expect(cluster.at("a").core.heardAt).toBeUndefined();
  });

  test("heartbeats keep followers from standing", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.run(60_000);
    expect(cluster.leaders).toEqual(["a"]);
    expect(cluster.at("b").core.term).toBe(2);
  });

  test("without a majority nobody leads", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.crash("b");
    cluster.crash("c");
    cluster.run(60_000);
    expect(cluster.leaders).toEqual([]);
  });

  test("one vote a term: of two candidates in one term only one is granted", () => {
    const cluster = new TestCluster(["a", "b", "c"], { knowsPreVote: () => false });
    cluster.now = (cluster.now + 10 * TIMINGS.heartbeatTimeoutMs) as typeof cluster.now;
    cluster.tick("a");
    cluster.tick("b");
    cluster.settle();
    expect(cluster.leaders).toHaveLength(1);
    expect(cluster.at("a").core.term).toBe(2);
  });

  test("the vote outlives the process", () => {
    const cluster = new TestCluster(["a", "b", "c"], { knowsPreVote: () => false });
    cluster.timeOut("a");
    cluster.sync("a");
    const toC = cluster.flights.findIndex(({ to }) => to === "c");
    cluster.deliver(toC);
    cluster.sync("c");
    cluster.crash("c");
    cluster.crash("a");
    cluster.start("c");
    expect(cluster.at("c").core.state.vote).toBe("a");
    expect(cluster.at("c").core.term).toBe(2);
  });

  test("no vote and no candidacy leaves before it is durable", () => {
    const cluster = new TestCluster(["a", "b", "c"], { knowsPreVote: () => false });
    cluster.timeOut("a");
    expect(cluster.flights).toEqual([]);
    cluster.sync("a");
    expect(cluster.flights.map(({ to }) => to)).toEqual(["b", "c"]);
    cluster.deliver(0);
    expect(cluster.flights.map(({ kind }) => kind)).toEqual(["request"]);
    cluster.sync("b");
    expect(cluster.flights.map(({ kind }) => kind)).toEqual(["request", "response"]);
  });

  test("who lacks an entry is not voted for by who has it (paper §5.4.1)", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("c");
    cluster.propose("a", "x");
    cluster.settle();
    cluster.heal();
    cluster.crash("a");
    cluster.timeOut("c");
    cluster.settle();
    expect(cluster.leaders).toEqual([]);
    cluster.timeOut("b");
    cluster.settle();
    expect(cluster.leaders).toEqual(["b"]);
  });

  test("a nonvoter does not stand, and counts for nothing", () => {
    const cluster = new TestCluster(["a", "b"], { nonvoters: ["n"] });
    cluster.timeOut("n");
    cluster.settle();
    expect(cluster.at("n").core.term).toBe(1);
    cluster.elect("a");
    cluster.crash("b");
    cluster.run(10_000);
    expect(cluster.leaders).toEqual([]);
  });

  test("a server that lost what it may have acknowledged votes as if it had it, and does not stand", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.propose("a", "x");
    cluster.settle();
    const state = cluster.at("c").core.state as { lost: { index: number; term: number } };
    state.lost = { index: 10, term: 2 };
    cluster.crash("a");
    cluster.timeOut("c");
    expect(cluster.at("c").core.role).toBe("follower");
    cluster.timeOut("b");
    cluster.settle();
    expect(cluster.leaders).toEqual([]);
  });
});

describe("pre-votes (thesis §9.6)", () => {
  test("a server that was cut off does not raise the term, nor disturb the leader when it is back", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("c");
    cluster.run(60_000);
    expect(cluster.at("c").core.term).toBe(2);
    cluster.heal();
    cluster.run(10_000);
    expect(cluster.leaders).toEqual(["a"]);
    expect(cluster.at("a").core.term).toBe(2);
  });

  test("peers that do not know pre-votes are not asked, and taken to agree", () => {
    const cluster = new TestCluster(["a", "b", "c"], { knowsPreVote: () => false });
    cluster.timeOut("a");
    cluster.sync("a");
    const kinds = cluster.flights.map((flight) => flight.kind === "request" && flight.request.kind);
    expect(kinds).toEqual(["requestVote", "requestVote"]);
  });

  test("a pre-vote binds nobody: the same server grants another", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.timeOut("a");
    cluster.timeOut("b");
    cluster.settle();
    expect(cluster.leaders).toHaveLength(1);
  });
});

describe("check-quorum and stickiness (thesis §4.2.3, §6.2)", () => {
  test("a leader that a majority does not answer steps down after the lease", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("a");
    cluster.run(TIMINGS.leaseTimeoutMs + 250);
    expect(cluster.at("a").core.role).not.toBe("leader");
    expect(cluster.at("a").core.leader).toBeUndefined();
  });

  test("with a leader that was heard of lately a vote is refused, and its term not taken over", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    const request = {
      kind: "requestVote",
      term: 9,
      candidate: "c",
      lastIndex: 100,
      lastTerm: 8,
      reason: "timeout",
    } as const;
    cluster.step("b", { kind: "request", rpc: 77, request });
    cluster.step("a", { kind: "request", rpc: 78, request });
    cluster.settle();
    expect([cluster.at("a").core.term, cluster.at("b").core.term]).toEqual([2, 2]);
    cluster.step("b", { kind: "request", rpc: 79, request: { ...request, reason: "transfer" } });
    expect(cluster.at("b").core.state.vote).toBe("c");
  });

  test("who restarts votes for nobody during the heartbeat timeout: it may have backed a lease", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.crash("b");
    cluster.start("b");
    const preVote = {
      kind: "preVote",
      term: 9,
      candidate: "c",
      lastIndex: 100,
      lastTerm: 8,
      reason: "timeout",
    } as const;
    const granted: boolean[] = [];
    for (const passedMs of [0, TIMINGS.heartbeatTimeoutMs]) {
      cluster.now = (cluster.now + passedMs) as typeof cluster.now;
      const effects = cluster
        .at("b")
        .core.step({ kind: "request", rpc: 1, request: preVote }, cluster.now);
      for (const effect of effects) {
        if (effect.kind === "reply" && "granted" in effect.response)
          granted.push(effect.response.granted);
      }
    }
    expect(granted).toEqual([false, true]);
  });
});
