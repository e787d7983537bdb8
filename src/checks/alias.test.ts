import { describe, expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { retryDelayMs } from "./alias-of-node.ts";
import { worstOf } from "./alias-verdict.ts";
import type { AliasedCheck, AliasedChecks, CheckContext } from "./check-runner.ts";
import { show, start } from "./testkit.ts";

/** `id@service status output`; a node's check has no service. */
function check(text: string): AliasedCheck {
  const [, id = "", serviceId = "", status = "", output = ""] =
    /^(\w+)@(\w*) (\w+) ?(.*)$/.exec(text) ?? [];
  return {
    CheckID: id,
    Name: id.toUpperCase(),
    ServiceID: serviceId,
    Status: status,
    Output: output,
  };
}

const among = (texts: readonly string[], services: readonly string[]): AliasedChecks => ({
  checks: texts.map(check),
  hasService: (id) => services.includes(id),
});

describe("what an alias of db makes of the checks", () => {
  test.each<[string, string[], string]>([
    ["none", [], "passing: No checks found."],
    ["other services' only", ["a@web critical"], "passing: No checks found."],
    ["all good", ["a@db passing", "b@db passing"], "passing: All checks passing."],
    ["one warns", ["a@db warning hm", "b@db passing"], 'warning: Aliased check "A" failing: hm'],
    [
      "the other warns",
      ["a@db passing", "b@db warning hm"],
      'warning: Aliased check "B" failing: hm',
    ],
    ["both warn", ["a@db warning x", "b@db warning y"], 'warning: Aliased check "B" failing: y'],
    ["one fails", ["a@db critical x", "b@db warning y"], 'critical: Aliased check "A" failing: x'],
    ["both fail", ["a@db critical x", "b@db critical y"], 'critical: Aliased check "A" failing: x'],
    ["the node fails", ["a@db passing", "n@ critical x"], 'critical: Aliased check "N" failing: x'],
    ["only itself", ["self@db critical x"], "passing: No checks found."],
  ])("%s", (_name, texts, expected) => {
    const target = {
      checkId: "self",
      definition: { AliasService: "db", AliasNode: "" },
      outputMaxLength: 100,
    };
    expect(show(worstOf(among(texts, ["db"]), target))).toBe(expected);
  });

  test.each([
    ["", "Service db could not be found on node "],
    ["n1", "Service db could not be found on node n1"],
  ])("no such service on node %j", (node, output) => {
    const target = {
      checkId: "self",
      definition: { AliasService: "db", AliasNode: node },
      outputMaxLength: 100,
    };
    expect(show(worstOf(among([], ["web"]), target))).toBe(`critical: ${output}`);
  });

  test("an alias of a node alone counts the node's checks only", () => {
    const target = {
      checkId: "self",
      definition: { AliasService: "", AliasNode: "n1" },
      outputMaxLength: 100,
    };
    const checks = among(["n@ passing", "a@db critical"], []);
    expect(show(worstOf(checks, target))).toBe("passing: All checks passing.");
  });
});

/** The agent's checks as an alias sees them. */
function localChecks(texts: readonly string[]) {
  const listeners = new Set<() => void>();
  let now = among(texts, ["db"]);
  let reads = 0;
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    listeners,
    reads: () => reads,
    set(to: readonly string[], services = ["db"]) {
      now = among(to, services);
      changed();
    },
    changed,
    read() {
      reads += 1;
      return now;
    },
    onChange(listener: () => void): Disposable {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
}

describe("an alias of a local service", () => {
  test("reports at once, on every change, and every minute", async () => {
    const { clock, ...platform } = simPlatform({ seed: 1 });
    const local = localChecks(["a@db passing"]);
    using run = start({ ...platform, clock }, { AliasService: "db" }, { localChecks: local });
    expect(run.reports).toStrictEqual([]);
    await clock.run(0);
    local.set(["a@db critical x"]);
    await clock.run(0);
    local.set([], []);
    await clock.run(59_999);
    expect(run.reports).toStrictEqual([
      "passing: All checks passing.",
      'critical: Aliased check "A" failing: x',
      "critical: Service db could not be found on node ",
    ]);
    await clock.run(1);
    expect(run.reports).toHaveLength(4);
  });

  test("a burst of changes is read once", async () => {
    const platform = simPlatform({ seed: 1 });
    const local = localChecks(["a@db passing"]);
    using _run = start(platform, { AliasService: "db" }, { localChecks: local });
    for (let i = 0; i < 100; i += 1) local.changed();
    await platform.clock.run(0);
    expect(local.reads()).toBe(1);
  });

  test("aliases of each other come to rest", async () => {
    const platform = simPlatform({ seed: 1 });
    const local = localChecks([]);
    const state = new Map<string, AliasedCheck>([
      ["x", check("x@a critical")],
      ["y", check("y@b critical")],
    ]);
    let changes = 0;
    const sharing = (id: string): Partial<CheckContext> => ({
      checkId: id,
      outputMaxBytes: 512,
      localChecks: { ...local, read: () => ({ checks: state.values(), hasService: () => true }) },
      report: ({ status, output }) => {
        const before = state.get(id);
        if (before === undefined || (before.Status === status && before.Output === output)) return;
        changes += 1;
        state.set(id, { ...before, Status: status, Output: output });
        local.changed();
      },
    });
    using _x = start(platform, { AliasService: "b" }, sharing("x"));
    using _y = start(platform, { AliasService: "a" }, sharing("y"));
    await platform.clock.run(1_000);
    const changesThen = changes;
    await platform.clock.run(600_000);
    expect(changes).toBe(changesThen);
    expect(changes).toBeLessThan(200);
    expect(state.get("x")?.Output.length).toBeLessThanOrEqual(512 + 1024);
  });

  test("disposed, it listens no longer", async () => {
    const platform = simPlatform({ seed: 1 });
    const local = localChecks([]);
    const run = start(platform, { AliasService: "db" }, { localChecks: local });
    run[Symbol.dispose]();
    await platform.clock.run(120_000);
    expect(local.listeners.size).toBe(0);
    expect(platform.clock.timerCount).toBe(0);
    expect(run.reports).toStrictEqual([]);
  });
});

describe("an alias of a node", () => {
  type Answer = AliasedChecks & { readonly index: number };

  /** The catalog answers in turn with these, then never. */
  function catalog(platform: ReturnType<typeof simPlatform>, answers: readonly (Answer | Error)[]) {
    const asked: string[] = [];
    const origin = platform.clock.now();
    return {
      asked,
      ask: (node: string, newerThan: number, signal: AbortSignal): Promise<Answer> => {
        const answer = answers[asked.length];
        asked.push(`${platform.clock.now() - origin} ${node} ${newerThan}`);
        if (answer instanceof Error) return Promise.reject(answer);
        if (answer !== undefined) return Promise.resolve(answer);
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      },
    };
  }
  const answer = (index: number, texts: readonly string[]): Answer => ({
    ...among(texts, ["db"]),
    index,
  });

  test("asks for what is newer than the last answer", async () => {
    const platform = simPlatform({ seed: 1 });
    const { ask, asked } = catalog(platform, [
      answer(5, ["n@ passing"]),
      answer(9, ["n@ critical x"]),
      answer(3, ["n@ passing"]),
    ]);
    const run = start(platform, { AliasNode: "n1" }, { catalogChecks: ask });
    await platform.clock.run(60_000);
    expect(run.reports).toStrictEqual([
      "passing: All checks passing.",
      'critical: Aliased check "N" failing: x',
      "passing: All checks passing.",
    ]);
    // The index went back (a restored snapshot): start from the beginning.
    expect(asked).toStrictEqual(["0 n1 0", "100 n1 5", "200 n1 9", "300 n1 0"]);
    run[Symbol.dispose]();
    await platform.clock.run(60_000);
    expect(asked).toHaveLength(4);
    expect(platform.clock.timerCount).toBe(0);
  });

  test("is critical from the second failure in a row, and asks less and less often", async () => {
    const platform = simPlatform({ seed: 1 });
    const down = new Error("No cluster leader");
    const answers = [down, answer(1, []), down, down, down, down, down, down];
    const { ask, asked } = catalog(platform, answers);
    using run = start(platform, { AliasNode: "n1" }, { catalogChecks: ask });
    await platform.clock.run(350);
    const text = "critical: Failure checking aliased node or service: No cluster leader";
    expect(run.reports).toStrictEqual(["passing: No checks found.", text]);
    await platform.clock.run(60_000);
    expect(run.reports.slice(1)).toStrictEqual([text, text, text, text, text]);
    const times = asked.map((line) => Number(line.split(" ")[0]));
    expect(times).toStrictEqual([0, 100, 200, 300, 400, 500, 2_500, 6_500, 14_500]);
  });

  test.each([
    [1, 100],
    [3, 100],
    [4, 2_000],
    [5, 4_000],
    [8, 32_000],
    [9, 60_000],
    [2_000, 60_000],
  ])("after %i failures it waits %i ms", (failures, expected) => {
    expect(retryDelayMs(failures)).toBe(expected);
  });
});

test.each([
  [{ AliasService: "db" }, "an alias of a local service needs localChecks"],
  [{ AliasNode: "n1" }, "an alias of a node needs catalogChecks"],
])("%j without a reader is the agent's mistake", (fields, message) => {
  expect(() => start(simPlatform({ seed: 1 }), fields)).toThrow(message);
});
