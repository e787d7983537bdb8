// How logs become equal, and what is committed. Sections are of Raft's paper.
import { describe, expect, test } from "vitest";
import { RULES } from "./rules.ts";
import { LIMITS, TestCluster, TIMINGS } from "./testkit.ts";

function commands(cluster: TestCluster, id: string): string {
  return cluster
    .at(id)
    .applied.map(({ data }) => Buffer.from(data).toString())
    .join(" ");
}

function heal(cluster: TestCluster): void {
  cluster.heal();
  cluster.run(3 * TIMINGS.heartbeatTimeoutMs);
}

describe("replication (paper §5.3)", () => {
  test("what a majority has is committed and applied everywhere, in order", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    for (const data of ["x", "y", "z"]) cluster.propose("a", data);
    cluster.run(TIMINGS.commitTimeoutMs + 1);
    expect(cluster.ids.map((id) => commands(cluster, id))).toEqual(["x y z", "x y z", "x y z"]);
  });

  test("what a minority has is not committed", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.crash("b");
    cluster.crash("c");
    cluster.propose("a", "x");
    cluster.settle();
    expect(commands(cluster, "a")).toBe("");
  });

  test("a follower acknowledges when its entries are durable, the leader counts itself then too", () => {
    const cluster = new TestCluster(["a", "b"]);
    cluster.elect("a");
    cluster.propose("a", "x");
    cluster.deliver(0);
    expect(cluster.flights).toEqual([]);
    cluster.sync("b");
    expect(cluster.flights).toHaveLength(1);
    cluster.deliver(0);
    expect(commands(cluster, "a")).toBe("");
    cluster.sync("a");
    expect(commands(cluster, "a")).toBe("x");
  });

  test("a heartbeat is answered though the disk is slow", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.propose("a", "x");
    cluster.deliver(0);
    cluster.now = (cluster.now + TIMINGS.heartbeatTimeoutMs) as typeof cluster.now;
    const before = cluster.flights.length;
    const request = {
      kind: "appendEntries",
      term: 2,
      leader: "a",
      previousIndex: 0,
      previousTerm: 0,
      entries: [],
      commitIndex: 0,
    } as const;
    const effects = cluster.at("b").core.step({ kind: "request", rpc: 500, request }, cluster.now);
    expect(effects.map(({ kind }) => kind)).toEqual(["reply"]);
    expect(cluster.flights).toHaveLength(before);
  });

  test("entries of a deposed leader give way to those of the new one", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("a");
    cluster.propose("a", "lost1");
    cluster.propose("a", "lost2");
    cluster.elect("b");
    cluster.propose("b", "kept");
    cluster.settle();
    heal(cluster);
    expect(cluster.ids.map((id) => commands(cluster, id))).toEqual(["kept", "kept", "kept"]);
  });

  test("whoever waits at a deposed leader hears that leadership was lost", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("a");
    const read = cluster.read("a", "round");
    const change = cluster.change("a", { kind: "remove", id: "c" });
    const second = cluster.change("a", { kind: "remove", id: "b" });
    cluster.run(TIMINGS.leaseTimeoutMs + 250);
    expect(cluster.answer("a", read)).toMatchObject({ reason: "leadershipLost" });
    expect(cluster.answer("a", change)).toMatchObject({ kind: "accepted" });
    expect(cluster.answer("a", second)).toMatchObject({ reason: "leadershipLost" });
  });

  test("a late or repeated request does not undo what came after it", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.propose("a", "x");
    const place = cluster.flights.findIndex(({ to, kind }) => to === "b" && kind === "request");
    cluster.repeat(place);
    const repeated = cluster.flights.pop();
    cluster.propose("a", "y");
    cluster.settle();
    if (repeated !== undefined) cluster.flights.push(repeated);
    cluster.settle();
    expect(cluster.at("b").core.lastIndex).toBe(4);
    expect(cluster.at("b").entries).toHaveLength(4);
  });

  test("a whole term is stepped over at a time where logs part", () => {
    const cluster = new TestCluster(["a", "b", "c"], { batchEntriesMax: 100 });
    cluster.elect("a");
    cluster.isolate("a");
    for (let count = 0; count < 50; count += 1) cluster.propose("a", `lost${count}`);
    cluster.elect("b");
    for (let count = 0; count < 60; count += 1) cluster.propose("b", `kept${count}`);
    cluster.settle();
    cluster.heal();
    let requests = 0;
    for (let moves = 0; moves < 200 && cluster.at("a").core.lastIndex < 63; moves += 1) {
      cluster.now = Math.max(cluster.now, cluster.at("b").core.nextDueAt) as typeof cluster.now;
      cluster.tick("b");
      const isAppend = cluster.flights.some(
        ({ kind, to, sent }) => kind === "request" && to === "a" && sent.kind === "append",
      );
      if (isAppend) requests += 1;
      cluster.settle();
    }
    expect(cluster.at("a").core.lastIndex).toBe(63);
    expect(requests).toBeLessThan(4);
  });

  test("pipelined: no more is under way than may be, and nothing is sent twice", () => {
    const cluster = new TestCluster(["a", "b"]);
    cluster.elect("a");
    for (let count = 0; count < 40; count += 1) cluster.propose("a", `${count}`);
    const appends = cluster.flights.filter(({ kind }) => kind === "request");
    expect(appends).toHaveLength(LIMITS.inflightMax);
    cluster.settle();
    expect(cluster.at("b").core.lastIndex).toBe(42);
  });

  test("a follower that was away is brought up to date from the log's home", () => {
    const cluster = new TestCluster(["a", "b", "c"], { recentBytesMax: 0 });
    cluster.elect("a");
    cluster.crash("c");
    for (let count = 0; count < 30; count += 1) {
      cluster.propose("a", `${count}`);
      cluster.settle();
    }
    cluster.start("c");
    cluster.run(3000);
    expect(commands(cluster, "c")).toBe(commands(cluster, "a"));
  });

  test("more than may be uncommitted is refused", () => {
    const cluster = new TestCluster(["a", "b", "c"], { uncommittedEntriesMax: 3 });
    cluster.elect("a");
    cluster.isolate("a");
    const calls = [1, 2, 3, 4].map((count) => cluster.propose("a", `${count}`));
    const answers = calls.map((call) => cluster.answer("a", call)?.kind);
    expect(answers).toEqual(["accepted", "accepted", "accepted", "refused"]);
  });

  test("a request whose entries do not follow each other is dropped", () => {
    const cluster = new TestCluster(["a", "b"]);
    const entry = { index: 5, term: 2, type: "command", data: new Uint8Array(0) } as const;
    const request = {
      kind: "appendEntries",
      term: 2,
      leader: "a",
      previousIndex: 1,
      previousTerm: 1,
      entries: [entry],
      commitIndex: 9,
    } as const;
    const effects = cluster.at("b").core.step({ kind: "request", rpc: 1, request }, cluster.now);
    expect(effects).toEqual([{ kind: "drop", rpc: 1 }]);
  });
});

describe("commitment (paper §5.4.2, figure 8)", () => {
  test("an entry of an earlier term is not committed by counting its copies", () => {
    expect(RULES.mayCommit(2, 4)).toBe(false);
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.isolate("a");
    cluster.propose("a", "old");
    cluster.sync("a");
    cluster.flights = [];
    cluster.elect("b");
    cluster.crash("b");
    cluster.heal();
    // c has b's noop; a, with the older entry, cannot win, so c leads and a's entry is gone.
    cluster.run(10_000);
    expect(cluster.leaders).toEqual(["c"]);
    expect(commands(cluster, "c")).toBe("");
  });

  test("a follower takes for committed only what the request has shown to be the leader's", () => {
    const cluster = new TestCluster(["a", "b", "c"]);
    cluster.elect("a");
    const { core } = cluster.at("b");
    const data = Buffer.from("theirs");
    const stale = { index: 3, term: 2, type: "command", data } as const;
    const base = { kind: "appendEntries", leader: "a", previousIndex: 2, previousTerm: 2 } as const;
    core.step(
      { kind: "request", rpc: 1, request: { ...base, term: 2, entries: [stale], commitIndex: 2 } },
      cluster.now,
    );
    core.step(
      {
        kind: "request",
        rpc: 2,
        request: { ...base, term: 3, leader: "c", entries: [], commitIndex: 9 },
      },
      cluster.now,
    );
    expect(core.commitIndex).toBe(2);
  });
});

test("a follower that takes a leader's word for all it has commits nothing that it is yet to cut", () => {
  // As hashicorp/raft's do.
  const followerCommit = (commit: number, _: number, last: number): number =>
    Math.min(commit, last);
  const rules = { ...RULES, followerCommit };
  const cluster = new TestCluster(["a", "b", "c"], {
    rules,
    batchEntriesMax: 1,
    tellsConflicts: false,
  });
  cluster.elect("a");
  for (const data of ["1", "2", "3", "4", "5"]) cluster.propose("a", data);
  cluster.settle();
  cluster.isolate("a");
  for (let count = 0; count < 9; count += 1) cluster.propose("a", `lost${count}`);
  cluster.elect("b");
  for (const data of ["6", "7", "8"]) cluster.propose("b", data);
  cluster.settle();
  cluster.heal();
  cluster.run(20 * TIMINGS.heartbeatTimeoutMs);
  expect(cluster.ids.map((id) => commands(cluster, id))).toEqual(
    cluster.ids.map(() => "1 2 3 4 5 6 7 8"),
  );
});

test("a follower that was busy when an entry was committed hears of it all the same", () => {
  const cluster = new TestCluster(["a", "b", "c"]);
  cluster.elect("a");
  cluster.cuts.add("a>c");
  cluster.propose("a", "x");
  cluster.settle();
  // c is probed again, with the entry, and the commit timeout passes before it answers.
  cluster.heal();
  cluster.now = (cluster.now + 2 * TIMINGS.commitTimeoutMs) as typeof cluster.now;
  cluster.tick("a");
  const probe = cluster.flights.findIndex(({ to, sent }) => to === "c" && sent.kind === "append");
  const [held] = cluster.flights.splice(probe, 1);
  cluster.settle();
  cluster.propose("a", "y");
  cluster.settle();
  cluster.run(2 * TIMINGS.commitTimeoutMs);
  if (held !== undefined) cluster.flights.push(held);
  cluster.run(200);
  expect(cluster.at("c").core.commitIndex).toBe(cluster.at("a").core.commitIndex);
});
