/** What the endpoints work on. A server provides it; tests can too. */
import type { Command, NodeCoordinate, ServerState } from "../model/index.ts";
import type { Platform } from "../platform/index.ts";
import type { Answer, PreparedQueryRemoteExecution, PreparedQueryResult } from "../rpc/index.ts";
import type { ApplyResult, Store } from "../store/index.ts";

export interface EndpointContext {
  readonly platform: Pick<Platform, "clock" | "random">;
  readonly store: Store;
  readonly datacenter: string;
  readonly limits: QueryLimits;
  /** Puts a command into the replicated log; resolves when it was applied here. */
  readonly apply: (command: Command) => Promise<ApplyResult>;
  readonly leadership: Leadership;
  readonly elsewhere: OtherDatacenters;
  readonly sessionTimers: SessionTimers;
  /** Takes coordinates that will be written when there is time. */
  readonly coordinates: { update(coordinate: NodeCoordinate): void };
  /** Milliseconds for which the key's lock may not be taken yet; 0 for none. */
  readonly lockDelayMs: (key: string) => number;
}
export interface QueryLimits {
  readonly defaultQueryTimeMs: number;
  readonly maxQueryTimeMs: number;
  readonly sessionTtlMinMs: number;
}
export interface Leadership {
  /** RPC address of the leader, `host:port`; empty without one. */
  leader(): string;
  peers(): readonly string[];
  lastContactMs(): number;
  /** Of this cluster, as this server knows them. */
  servers(): readonly ServerState[];
  /** Of the log entry that they are from. */
  serversIndex(): number;
  /** To that server, or to whoever has most of the log. Resolves when the lead is given up. */
  transferTo(id: string | undefined): Promise<void>;
  /** Takes a server out of the cluster. */
  removePeer(id: string): Promise<void>;
}
export interface OtherDatacenters {
  /** All that are known, this one first, then the nearest. */
  names(): readonly string[];
  /** @throws {RollcallError} where no server there answers, and what one answers */
  execute(args: PreparedQueryRemoteExecution): Promise<Answer<PreparedQueryResult>>;
}
export interface SessionTimers {
  /** Starts a session's TTL from the beginning. */
  renew(sessionId: string): void;
}
