/** Blocking queries, in virtual time. */
import { expect, test, vi } from "vitest";
import type { Store } from "../store/index.ts";
import { endpointsUnderTest, kvs, query, registration, session } from "./testkit.ts";

const WAIT_MS = 10_000;
const value = (text: string) => ({ Value: new TextEncoder().encode(text) });

function waiting(Key: string, MinQueryIndex: number) {
  return query({ Key, MinQueryIndex, MaxQueryTimeMs: WAIT_MS });
}

test("a query at an old index is answered at once", async () => {
  const { delegate, apply } = endpointsUnderTest();
  apply(kvs("set", "a", value("1")));
  apply(kvs("set", "a", value("2")));
  const { meta } = await delegate.call("KVS.Get", waiting("a", 1));
  expect(meta.Index).toBe(2);
});

test("a held query is answered the moment its key changes, and not for another key", async () => {
  const { delegate, apply, platform } = endpointsUnderTest();
  apply(kvs("set", "a", value("1")));
  const answered = vi.fn();
  const held = delegate.call("KVS.Get", waiting("a", 1)).then(answered);
  apply(kvs("set", "b", value("1")));
  await platform.clock.run(1000);
  expect(answered).not.toHaveBeenCalled();

  apply(kvs("set", "a", value("2")));
  await platform.clock.settle();
  await held;
  expect(answered).toHaveBeenCalledWith(
    expect.objectContaining({ meta: expect.objectContaining({ Index: 3 }) }),
  );
  expect(platform.clock.timerCount).toBe(0);
});

test("a key that is not there yet can be waited for", async () => {
  const { delegate, apply } = endpointsUnderTest();
  apply(kvs("set", "other", value("1")));
  const held = delegate.call("KVS.Get", waiting("new", 1));
  apply(kvs("set", "new", value("1")));
  expect((await held).value.Entries).toHaveLength(1);
});

test("a prefix is woken by the deletion of one of its keys", async () => {
  const { delegate, apply } = endpointsUnderTest();
  apply(kvs("set", "p/1", value("1")));
  apply(kvs("set", "p/2", value("1")));
  const held = delegate.call("KVS.List", waiting("p/", 2));
  apply(kvs("delete", "p/1"));
  const { value: listed, meta } = await held;
  expect(listed.Entries.map(({ Key }) => Key)).toEqual(["p/2"]);
  expect(meta.Index).toBe(3);
});

test("the wait ends after its time and up to a sixteenth more", async () => {
  const { delegate, apply, platform } = endpointsUnderTest();
  apply(kvs("set", "a", value("1")));
  const answered = vi.fn();
  const held = delegate.call("KVS.Get", waiting("a", 1)).then(answered);
  await platform.clock.run(WAIT_MS - 1);
  expect(answered).not.toHaveBeenCalled();
  await platform.clock.run(WAIT_MS / 16 + 1);
  await held;
  expect(answered).toHaveBeenCalledWith(
    expect.objectContaining({ meta: expect.objectContaining({ Index: 1 }) }),
  );
});

test.each([
  ["0 means the default of 300 s", 0, 300_000],
  ["no wait is longer than 600 s", 3_600_000, 600_000],
])("%s", async (_, MaxQueryTimeMs, expectedMs) => {
  const { delegate, apply, platform } = endpointsUnderTest();
  apply(kvs("set", "a", value("1")));
  const started = platform.clock.now();
  const args = query({ Key: "a", MinQueryIndex: 1, MaxQueryTimeMs });
  await platform.clock.until(delegate.call("KVS.Get", args));
  const heldMs = platform.clock.now() - started;
  expect(heldMs).toBeGreaterThanOrEqual(expectedMs);
  expect(heldMs).toBeLessThanOrEqual(expectedMs * (1 + 1 / 16));
});

test("a caller that goes away leaves no timer and no watch", async () => {
  const { delegate, apply, platform } = endpointsUnderTest();
  apply(kvs("set", "a", value("1")));
  const caller = new AbortController();
  const held = delegate.call("KVS.Get", waiting("a", 1), { signal: caller.signal });
  await platform.clock.settle();
  expect(platform.clock.timerCount).toBe(1);
  caller.abort(new Error("gone"));
  await expect(held).rejects.toThrow("gone");
  expect(platform.clock.timerCount).toBe(0);
});

test("long waits that end in the same second share a timer", async () => {
  const { delegate, apply, platform } = endpointsUnderTest();
  apply(kvs("set", "a", value("1")));
  const args = query({ Key: "a", MinQueryIndex: 1, MaxQueryTimeMs: 600_000 });
  const held = Array.from({ length: 500 }, () => delegate.call("KVS.Get", args));
  await platform.clock.settle();
  // Their ends are spread over a sixteenth of ten minutes.
  expect(platform.clock.timerCount).toBeGreaterThan(10);
  expect(platform.clock.timerCount).toBeLessThanOrEqual(600 / 16 + 1);
  apply(kvs("set", "a", value("2")));
  await Promise.all(held);
  expect(platform.clock.timerCount).toBe(0);
});

test("equal waiting queries share one evaluation and one answer", async () => {
  const { delegate, apply, store } = endpointsUnderTest();
  apply({ type: "Register", body: registration("n", { service: { ID: "w", Service: "web" } }) });
  const args = query({
    ServiceName: "web",
    ServiceTags: [],
    NodeMetaFilters: {},
    Status: "passing" as const,
    MinQueryIndex: 1,
    MaxQueryTimeMs: WAIT_MS,
  });
  const reads = vi.spyOn(store, "read");
  const held = Array.from({ length: 100 }, () => delegate.call("Health.ServiceNodes", args));
  apply({ type: "Register", body: registration("m", { service: { ID: "w", Service: "web" } }) });
  const answers = await Promise.all(held);
  expect(new Set(answers.map((answer) => answer.value)).size).toBe(1);
  expect(answers[0]?.value.Nodes).toHaveLength(2);
  expect(evaluations(reads)).toBe(2);
});

/** How many of the reads made a value instead of finding one. */
function evaluations(reads: { mock: { results: { value?: unknown }[] } }): number {
  return new Set(reads.mock.results.map((result) => result.value)).size;
}

test("a node that is gone answers its watcher at once, from index 1 again", async () => {
  const { delegate, apply } = endpointsUnderTest();
  apply({ type: "Register", body: registration("other") });
  apply({ type: "Register", body: registration("n") });
  const args = query({ Node: "n", MinQueryIndex: 2, MaxQueryTimeMs: WAIT_MS });
  const held = delegate.call("Catalog.NodeServices", args);
  apply({
    type: "Deregister",
    body: { Datacenter: "dc1", Node: "n", ServiceID: "", CheckID: "" },
  });
  expect(await held).toMatchObject({ value: { NodeServices: null }, meta: { Index: 1 } });
});

test("a session's end wakes those who wait for the lock that it held", async () => {
  const { delegate, apply } = endpointsUnderTest();
  const ID = "10000000-0000-4000-8000-000000000000";
  apply({
    type: "Register",
    body: registration("n", { checks: [{ CheckID: "c", Status: "passing" }] }),
  });
  apply(session("create", { ID, Node: "n", NodeChecks: ["c"] }));
  apply(kvs("lock", "leader", { Session: ID }));
  const held = delegate.call("KVS.Get", waiting("leader", 3));
  apply({
    type: "Register",
    body: registration("n", { checks: [{ CheckID: "c", Status: "critical" }] }),
  });
  expect((await held).value.Entries[0]).toMatchObject({ Session: "", LockIndex: 1 });
});

test("what is asked once does not stay for ever", () => {
  const { delegate, store } = endpointsUnderTest();
  const ask = (Key: string) => delegate.call("KVS.Get", query({ Key }));
  for (let i = 0; i < 150_000; i++) void ask(`key-${i}`);
  expect(watchedCells(store)).toBeLessThanOrEqual(2 * 64 * 1024);
});
const watchedCells = (store: Store): number => store.watchedCells;
