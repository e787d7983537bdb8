/**
 * The records of a snapshot: a type byte each, as in the log but for what it stands for, and a msgpack value (wire/fsm.md
 * section 4).
 */
import {
  AutopilotConfig,
  CoordinateBatch,
  DirEntry,
  int,
  messageOf,
  PreparedQuery,
  RegisterRequest,
  Session,
  struct,
  text,
} from "../model/index.ts";
import type { KeptTableName } from "./kept-tables.ts";

/** Type bytes. Those of kept nouns are in `KEPT_KINDS`. */
export const SNAPSHOT = {
  registration: 0,
  entry: 2,
  session: 3,
  legacyAcl: 4,
  tombstone: 5,
  coordinates: 6,
  query: 7,
  autopilot: 9,
  aclBootstrap: 11,
  index: 16,
  configEntry: 22,
  chunks: 29,
  federationState: 30,
} as const;

/** Kept nouns whose record is the noun itself. Consul writes the first before the keys, the others after autopilot. */
export const KEPT_BEFORE_KEYS: readonly (readonly [KeptTableName, number])[] = [
  ["aclTokens", 17],
  ["aclPolicies", 19],
  ["aclRoles", 23],
  ["aclBindingRules", 25],
  ["aclAuthMethods", 27],
];
export const KEPT_AFTER_AUTOPILOT: readonly (readonly [KeptTableName, number])[] = [
  ["intentions", 12],
  ["caRoots", 13],
  ["caProviderStates", 14],
  ["caConfig", 15],
];

export const SNAPSHOT_HEADER = messageOf(struct("snapshotHeader", { LastIndex: int() }));
export const INDEX_ROW = messageOf(struct("IndexEntry", { Key: text(), Value: int() }));
export const REGISTRATION = messageOf(RegisterRequest);
export const ENTRY = messageOf(DirEntry);
export const SESSION = messageOf(Session);
export const COORDINATES = messageOf(CoordinateBatch);
export const QUERY = messageOf(PreparedQuery);
export const AUTOPILOT = messageOf(AutopilotConfig);
