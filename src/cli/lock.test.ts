/** `rollcall lock` over time: sessions that are renewed, failures that pass, locks that are lost. */
import { beforeAll, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import type { DirEntry, Session } from "../model/index.ts";
import { DEFAULT_QUERY } from "../rpc/index.ts";
import { commandScene, type CommandScene, type RunningCommand } from "./testkit.ts";

// Loaded before, it starts without real time passing.
beforeAll(() => import("./lock.ts"));

const ended = { kind: "exit", code: 0 } as const;
const fault = new RollcallError("request/refused", "rpc error");

async function entryOf({ delegate }: CommandScene, Key: string): Promise<DirEntry | undefined> {
  const { value } = await delegate.call("KVS.Get", { ...DEFAULT_QUERY, Key });
  return value.Entries[0];
}
async function sessionsOf({ delegate }: CommandScene): Promise<readonly Session[]> {
  return (await delegate.call("Session.List", DEFAULT_QUERY)).value.Sessions;
}
async function holding(scene: CommandScene, ...flags: readonly string[]): Promise<RunningCommand> {
  const running = scene.run("lock", "-verbose", ...flags, "jobs/a", "work");
  await scene.until(() => {
    expect(running.stderr()).toBe("");
    return running.programs.length > 0;
  });
  return running;
}
/** @param count how many calls fail from now on */
function failing(scene: CommandScene, method: string, count = Number.POSITIVE_INFINITY): void {
  let left = count;
  scene.fault = (called) => (called === method && left-- > 0 ? fault : undefined);
}

test.each([
  ["jobs/a/.lock", []],
  ["jobs/a/.lock", ["-n=2"]],
])(
  "%s with %j is held for as long as the program runs, far beyond the session's TTL",
  async (key, flags) => {
    await using scene = await commandScene();
    const running = await holding(scene, ...flags);
    const [session] = await sessionsOf(scene);
    expect(session?.TTL).toBe("15s");
    await scene.platform.clock.run(10 * 60_000);
    expect((await sessionsOf(scene)).map(({ ID }) => ID)).toEqual([session?.ID]);
    expect(await entryOf(scene, key)).toBeDefined();
    expect(running.programs[0]?.signals).toEqual([]);
    const renewals = scene.calls.filter(({ method }) => method === "Session.Renew");
    expect(renewals.slice(0, 3).map(({ atMs }) => atMs)).toEqual([7500, 15_000, 22_500]);
    running.programs[0]?.end(ended);
    expect(await running.exitCode).toBe(0);
    expect([await sessionsOf(scene), await entryOf(scene, key)]).toEqual([[], undefined]);
  },
);

test("a renewal that fails is tried again every second", async () => {
  await using scene = await commandScene();
  const running = await holding(scene);
  failing(scene, "Session.Renew", 3);
  await scene.platform.clock.run(60_000);
  const renewals = scene.calls.filter(({ method }) => method === "Session.Renew");
  expect(renewals.slice(0, 5).map(({ atMs }) => atMs)).toEqual([7500, 8500, 9500, 10_500, 18_000]);
  expect(running.programs[0]?.signals).toEqual([]);
  running.programs[0]?.end(ended);
  expect(await running.exitCode).toBe(0);
});

test("a session that cannot be renewed in time is over, and with it the lock and the program", async () => {
  await using scene = await commandScene();
  const running = await holding(scene);
  failing(scene, "Session.Renew");
  await scene.platform.clock.run(60_000);
  const [program] = running.programs;
  // A session lives for up to twice its TTL.
  expect(program?.signals[0]).toMatchObject({ name: "SIGTERM" });
  expect(program?.signals[0]?.atMs).toBeGreaterThan(15_000);
  expect(program?.signals[0]?.atMs).toBeLessThanOrEqual(30_000);
  program?.end({ kind: "signal", signal: "SIGTERM" });
  expect(await running.exitCode).toBe(0);
  expect(running.stdout()).toContain("Lock lost, killing child\n");
});

test("a program that does not end when told to is killed after five seconds", async () => {
  await using scene = await commandScene();
  const running = await holding(scene);
  const [session] = await sessionsOf(scene);
  const lostAtMs = scene.nowMs();
  await scene.delegate.call("Session.Apply", {
    Datacenter: "",
    Op: "destroy",
    Session: session ?? expect.fail("no session"),
  });
  await scene.platform.clock.run(4999);
  const [program] = running.programs;
  expect(program?.signals).toEqual([{ name: "SIGTERM", atMs: lostAtMs }]);
  await scene.platform.clock.run(1);
  expect(program?.signals[1]).toEqual({ name: "SIGKILL", atMs: lostAtMs + 5000 });
  program?.end({ kind: "signal", signal: "SIGKILL" });
  await running.exitCode;
  expect(running.stdout()).toContain(
    "Child did not exit after grace period of 5s\nKilling child pid 4001\n",
  );
});

test.each([
  [3, [], "held"],
  [4, [], "lost"],
  [1, ["-monitor-retry=0"], "lost"],
  [5, ["-monitor-retry=5"], "held"],
])("after %i failed looks in a row, %j, the lock is %s", async (count, flags, state) => {
  await using scene = await commandScene();
  const running = await holding(scene, ...flags);
  const { clock } = scene.platform;
  const looks = () => scene.calls.filter(({ method }) => method === "KVS.Get");
  await scene.until(() => looks().length >= 2);
  // The look under way is held until the key changes: this change ends it, and the next ones fail.
  failing(scene, "KVS.Get", count);
  const entry = (await entryOf(scene, "jobs/a/.lock")) ?? expect.fail("no lock");
  const seen = looks().length;
  await scene.delegate.call("KVS.Apply", {
    Datacenter: "",
    Op: "lock",
    DirEnt: { ...entry, Value: new Uint8Array([1]) },
  });
  await clock.run(30_000);
  const times = looks()
    .slice(seen, seen + count)
    .map(({ atMs }) => atMs);
  expect(times).toEqual(times.map((_, i) => (times[0] ?? 0) + i * 1000));
  const [program] = running.programs;
  expect(program?.signals.map(({ name }) => name)).toEqual(
    state === "lost" ? ["SIGTERM", "SIGKILL"] : [],
  );
  program?.end(ended);
  expect(await running.exitCode).toBe(0);
});

test("who waits for the lock gets it when it is free, and gives up after -timeout", async () => {
  await using scene = await commandScene();
  const first = await holding(scene);
  const second = scene.run("lock", "jobs/a", "more");
  const third = scene.run("lock", "-timeout=20s", "jobs/a", "most");
  await scene.platform.clock.run(19_000);
  expect([second.programs, third.programs]).toEqual([[], []]);
  await scene.platform.clock.run(2000);
  expect(await third.exitCode).toBe(1);
  expect(third.stderr()).toBe("Shutdown triggered or timeout during lock acquisition\n");
  first.programs[0]?.end(ended);
  expect(await first.exitCode).toBe(0);
  await scene.until(() => second.programs.length === 1);
  second.programs[0]?.end(ended);
  expect(await second.exitCode).toBe(0);
});
