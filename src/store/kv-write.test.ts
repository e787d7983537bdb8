/** The key/value commands, one row per rule (wire/fsm.md section 6). */
import { expect, test } from "vitest";
import { kvs, registration, session } from "../endpoints/testkit.ts";
import type { Command, DirEntry } from "../model/index.ts";
import { Store } from "./store.ts";

const A = "a0000000-0000-4000-8000-000000000000";
const B = "b0000000-0000-4000-8000-000000000000";
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A store with a node and two sessions at indexes 1 to 3. */
function storeWithSessions(): { store: Store; apply: (command: Command) => unknown } {
  const store = new Store();
  const apply = (command: Command) => {
    const result = store.apply(store.lastIndex + 1, command);
    return result.kind === "done" ? result.value : result.error.message;
  };
  apply({ type: "Register", body: registration("n") });
  apply(session("create", { ID: A, Node: "n", LockDelay: 15e9 }));
  apply(session("create", { ID: B, Node: "n", Behavior: "delete" }));
  return { store, apply };
}
const entry = (store: Store, key: string): DirEntry | undefined => store.view().key(key);

test.each<[string, readonly Command[], unknown, Partial<DirEntry> | undefined]>([
  ["set creates", [kvs("set", "k")], true, { CreateIndex: 4, ModifyIndex: 4, LockIndex: 0 }],
  [
    "set keeps CreateIndex",
    [kvs("set", "k"), kvs("set", "k", { Flags: 7n })],
    true,
    { CreateIndex: 4, ModifyIndex: 5, Flags: 7n },
  ],
  [
    "an equal set changes nothing",
    [kvs("set", "k", { Value: text("v") }), kvs("set", "k", { Value: text("v") })],
    true,
    { ModifyIndex: 4 },
  ],
  ["cas 0 creates", [kvs("cas", "k")], true, { ModifyIndex: 4 }],
  ["cas 0 refuses what is there", [kvs("set", "k"), kvs("cas", "k")], false, { ModifyIndex: 4 }],
  [
    "cas writes at the right index",
    [kvs("set", "k"), kvs("cas", "k", { ModifyIndex: 4, Flags: 1n })],
    true,
    { ModifyIndex: 5 },
  ],
  [
    "cas refuses a stale index",
    [kvs("set", "k"), kvs("cas", "k", { ModifyIndex: 3, Flags: 1n })],
    false,
    { ModifyIndex: 4 },
  ],
  ["delete of nothing is true", [kvs("delete", "k")], true, undefined],
  ["delete-cas of nothing is true", [kvs("delete-cas", "k", { ModifyIndex: 9 })], true, undefined],
  [
    "delete-cas refuses a stale index",
    [kvs("set", "k"), kvs("delete-cas", "k", { ModifyIndex: 9 })],
    false,
    { ModifyIndex: 4 },
  ],
  [
    "delete-tree takes every key with the prefix",
    [kvs("set", "k"), kvs("set", "kk"), kvs("delete-tree", "k")],
    true,
    undefined,
  ],
  ["lock creates", [kvs("lock", "k", { Session: A })], true, { Session: A, LockIndex: 1 }],
  [
    "lock again by the holder writes and keeps LockIndex",
    [kvs("lock", "k", { Session: A }), kvs("lock", "k", { Session: A, Flags: 1n })],
    true,
    { Session: A, LockIndex: 1, Flags: 1n },
  ],
  [
    "lock is refused to another",
    [kvs("lock", "k", { Session: A }), kvs("lock", "k", { Session: B })],
    false,
    { Session: A },
  ],
  ["lock without a session", [kvs("lock", "k")], "missing session", undefined],
  [
    "lock with an unknown session",
    [kvs("lock", "k", { Session: "nobody" })],
    'invalid session "nobody"',
    undefined,
  ],
  [
    "unlock by the holder",
    [kvs("lock", "k", { Session: A }), kvs("unlock", "k", { Session: A })],
    true,
    { Session: "", LockIndex: 1 },
  ],
  [
    "unlock by another",
    [kvs("lock", "k", { Session: A }), kvs("unlock", "k", { Session: B })],
    false,
    { Session: A },
  ],
  [
    "set on a locked key keeps the lock and resets LockIndex",
    [kvs("lock", "k", { Session: A }), kvs("set", "k", { Flags: 1n })],
    true,
    { Session: A, LockIndex: 0 },
  ],
  [
    "the end of a session releases",
    [kvs("lock", "k", { Session: A }), session("destroy", { ID: A })],
    null,
    { Session: "", LockIndex: 1, ModifyIndex: 5 },
  ],
  [
    "or deletes",
    [kvs("lock", "k", { Session: B }), session("destroy", { ID: B })],
    null,
    undefined,
  ],
])("%s", (_, commands, result, expected) => {
  const { store, apply } = storeWithSessions();
  const results = commands.map(apply);
  expect(results.at(-1)).toEqual(result);
  if (expected === undefined) expect(entry(store, "k")).toBeUndefined();
  else expect(entry(store, "k")).toMatchObject(expected);
});

test("a lost session's locks come with their delay, at most a minute; none after a release", () => {
  const { store } = storeWithSessions();
  const apply = (command: Command) => store.apply(store.lastIndex + 1, command);
  apply(kvs("lock", "held", { Session: A }));
  apply(kvs("lock", "let go", { Session: A }));
  apply(kvs("unlock", "let go", { Session: A }));
  expect(apply(session("destroy", { ID: A }))).toMatchObject({
    effects: { lockDelays: [{ key: "held", delayNs: 15e9 }], destroyedSessions: [A] },
  });
  apply(session("create", { ID: A, Node: "n", LockDelay: 3600e9 }));
  apply(kvs("lock", "held", { Session: A }));
  expect(apply(session("destroy", { ID: A }))).toMatchObject({
    effects: { lockDelays: [{ key: "held", delayNs: 60e9 }] },
  });
});

test("keys stand in the order of their bytes", () => {
  const { store, apply } = storeWithSessions();
  const keys = ["z", "\u{1f600}", "\uffee", "é", "a/b", "a", "a0"];
  for (const key of keys) apply(kvs("set", key));
  const bytes = (key: string): string => Buffer.from(key).toString("hex");
  const expected = keys.toSorted((a, b) => (bytes(a) < bytes(b) ? -1 : 1));
  expect(
    store
      .view()
      .keysUnder("")
      .map(({ Key }) => Key),
  ).toEqual(expected);
});

test("tombstones go when they are reaped, and the prefix's index with them", () => {
  const { store, apply } = storeWithSessions();
  apply(kvs("set", "p/1"));
  apply(kvs("delete", "p/1"));
  expect(store.view().tombstoneIndex("p/")).toBe(5);
  apply({ type: "Tombstone", body: { Datacenter: "dc1", Op: "reap", ReapIndex: 4 } });
  expect(store.view().tombstoneIndex("p/")).toBe(5);
  apply({ type: "Tombstone", body: { Datacenter: "dc1", Op: "reap", ReapIndex: 5 } });
  expect(store.view().tombstoneIndex("p/")).toBe(0);
});
