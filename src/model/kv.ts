/** The nouns of the key/value store and of sessions (Consul HTTP API, "KV Store" and "Sessions"). */
import {
  bytes,
  duration,
  int,
  list,
  omitEmpty,
  struct,
  text,
  uint64,
  type Static,
} from "./schema.ts";

/**
 * A key with its value. Keys are byte strings: a byte that is not UTF-8 is held as a lone surrogate
 * (see `key-text.ts`), so that no two keys are ever the same string.
 */
export const DirEntry = struct("DirEntry", {
  LockIndex: int({ description: "How often the key was locked" }),
  Key: text(),
  Flags: uint64({ description: "The client's own 64 bits" }),
  Value: bytes(),
  Session: omitEmpty(text({ description: "The session that holds the lock" })),
  CreateIndex: int(),
  ModifyIndex: int(),
});
export type DirEntry = Static<typeof DirEntry>;

export const KVS_OPS = [
  "set",
  "delete",
  "delete-cas",
  "delete-tree",
  "cas",
  "lock",
  "unlock",
] as const;
export type KvsOp = (typeof KVS_OPS)[number];

export const ServiceCheck = struct("ServiceCheck", { ID: text(), Namespace: text() });
export type ServiceCheck = Static<typeof ServiceCheck>;

export const Session = struct("Session", {
  ID: text(),
  Name: text(),
  Node: text(),
  LockDelay: duration(),
  Behavior: text({ description: "release or delete: what becomes of the held keys" }),
  TTL: text({ description: "Go duration, or empty for none" }),
  NodeChecks: list(text()),
  ServiceChecks: list(ServiceCheck),
  Checks: omitEmpty(list(text())),
  CreateIndex: int(),
  ModifyIndex: int(),
});
export type Session = Static<typeof Session>;
