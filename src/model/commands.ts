/**
 * What enters the replicated log: Consul's own commands, as typed records. Their bytes come with the RPC
 * codec.
 */
import type { AutopilotRequest } from "./autopilot.ts";
import type { DeregisterRequest, RegisterRequest } from "./catalog.ts";
import type { CoordinateBatch } from "./coordinate.ts";
import type { DirEntry, KvsOp, Session } from "./kv.ts";
import type { PreparedQueryRequest } from "./prepared-query.ts";
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
  | Readonly<{ type: "Txn"; body: TxnRequest }>;

export interface KvsRequest {
  readonly Datacenter: string;
  readonly Op: KvsOp;
  readonly DirEnt: DirEntry;
}
/** A create carries the whole session, its ID made by the leader; a destroy only its ID. */
export interface SessionRequest {
  readonly Datacenter: string;
  readonly Op: "create" | "destroy";
  readonly Session: Session;
}
export interface TombstoneRequest {
  readonly Datacenter: string;
  readonly Op: "reap";
  readonly ReapIndex: number;
}
