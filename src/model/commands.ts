/** What enters the replicated log: Consul's own commands, as typed records (bytes: `store/log-command.ts`). */
import type { AutopilotRequest } from "./autopilot.ts";
import type { DeregisterRequest, RegisterRequest } from "./catalog.ts";
import type { CoordinateBatch } from "./coordinate.ts";
import type { KeptCommandType, KeptRecord } from "./kept.ts";
import { DirEntry, Session, type KvsOp } from "./kv.ts";
import type { PreparedQueryRequest } from "./prepared-query.ts";
import { int, struct, text, type Static } from "./schema.ts";
import type { TxnRequest } from "./txn.ts";

export type Command =
  | Readonly<{ type: "Register"; body: RegisterRequest }>
  | Readonly<{ type: "Deregister"; body: DeregisterRequest }>
  | Readonly<{ type: "KVS"; body: KvsRequest }>
  | Readonly<{ type: "Session"; body: SessionRequest }>
  | Readonly<{ type: "Tombstone"; body: TombstoneRequest }>
  | Readonly<{ type: "Autopilot"; body: AutopilotRequest }>
  | Readonly<{ type: "CoordinateBatchUpdate"; body: CoordinateBatch }>
  | Readonly<{ type: "PreparedQuery"; body: PreparedQueryRequest }>
  | Readonly<{ type: "Txn"; body: TxnRequest }>
  | Readonly<{ type: KeptCommandType; body: KeptRecord }>;

/** Body of log command 2. */
export const KvsRequest = struct(
  "KVSRequest",
  { Datacenter: text(), Op: text<KvsOp>(), DirEnt: DirEntry },
  { Token: text() },
);
export type KvsRequest = Static<typeof KvsRequest>;

/** Body of log command 3. A create carries the whole session, its ID made by the leader; a destroy only its ID. */
export const SessionRequest = struct(
  "SessionRequest",
  { Datacenter: text(), Op: text<"create" | "destroy">(), Session },
  { Token: text() },
);
export type SessionRequest = Static<typeof SessionRequest>;

/** Body of log command 5. */
export const TombstoneRequest = struct(
  "TombstoneRequest",
  { Datacenter: text(), Op: text<"reap">(), ReapIndex: int() },
  { Token: text() },
);
export type TombstoneRequest = Static<typeof TombstoneRequest>;
