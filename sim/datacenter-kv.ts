/** The key/value store as a sequential object, to judge what clients saw: a few keys, whose entries know their index. */
import type { Model } from "./linearizability.ts";

/** A value, and the index of the command that wrote it. */
type Entry = readonly [value: string, index: number];
type Entries = Record<string, Entry>;

export type KvStep =
  | Readonly<{ kind: "get"; key: string }>
  | Readonly<{ kind: "set"; key: string; value: string }>
  /** `index`: 0 where there must be no such key. */
  | Readonly<{ kind: "cas"; key: string; value: string; index: number }>
  | Readonly<{ kind: "delete"; key: string }>;
export type KvCall =
  | KvStep
  | Readonly<{ kind: "list" }>
  | Readonly<{ kind: "delete tree" }>
  | Readonly<{ kind: "txn"; steps: readonly KvStep[] }>;

export interface IndexedCall {
  readonly call: KvCall;
  /** Of the log entry that did it; 0 for a call that writes no value. */
  readonly index: number;
}

/** JSON, so that results can be compared. */
export type KvResult = string;
/** Of a call whose outcome its client was not told, though it took effect. */
export const UNTOLD: KvResult = "?";

export const KV: Model<IndexedCall, KvResult> = {
  initial: "{}",
  apply: (state, { call, index }) => {
    const entries = JSON.parse(state) as Entries;
    const result = done(entries, call, index);
    return { state: JSON.stringify(sorted(entries)), result: JSON.stringify(result) };
  },
  sameResult: (a, b) => a === b || a === UNTOLD || b === UNTOLD,
};

function done(entries: Entries, call: KvCall, index: number): unknown {
  switch (call.kind) {
    case "list":
      return Object.entries(sorted(entries));
    case "delete tree":
      for (const key of Object.keys(entries)) delete entries[key];
      return true;
    case "txn":
      return transacted(entries, call.steps, index);
    case "get":
    case "set":
    case "cas":
    case "delete":
      return stepped(entries, call, index);
  }
}

function stepped(entries: Entries, step: KvStep, index: number): unknown {
  switch (step.kind) {
    case "get":
      return entries[step.key] ?? null;
    case "set":
      entries[step.key] = [step.value, index];
      return true;
    case "cas":
      if ((entries[step.key]?.[1] ?? 0) !== step.index) return false;
      entries[step.key] = [step.value, index];
      return true;
    case "delete":
      delete entries[step.key];
      return true;
  }
}

/** All or nothing: what its reads saw, or false. */
function transacted(entries: Entries, steps: readonly KvStep[], index: number): unknown {
  const attempt = { ...entries };
  const seen: unknown[] = [];
  for (const step of steps) {
    const result = stepped(attempt, step, index);
    // A transaction's read of a key that is not there fails it.
    if (result === false || result === null) return false;
    if (step.kind === "get") seen.push(result);
  }
  for (const key of Object.keys(entries)) delete entries[key];
  Object.assign(entries, attempt);
  return seen;
}

function sorted(entries: Entries): Entries {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
